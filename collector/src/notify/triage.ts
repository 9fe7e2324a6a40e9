/**
 * Takes alerts in their order, decides the fate of each: sent by itself, or told by a notice that counts it.
 * Keeps: pure (clock and ids are passed in), and nothing is lost: every alert that does not pass has joined a notice, and a
 * notice is given up only when it is empty or has joined another one.
 */
import { createHash } from 'node:crypto';
import { type Mute, muteOf } from './mutes.ts';
import {
  chatPlace,
  closeNotice,
  type Desk,
  type Fate,
  joinNotice,
  MINUTE_MS,
  mergeNotice,
  type Notice,
  type NoticeKind,
  notePassed,
  openNotice,
  passedLately,
  placeOf,
  removeNotice,
  type TriageAlert,
} from './notice-desk.ts';
import { type QuietPolicies, suppressKey } from './quiet-policies.ts';

export interface Verdict {
  readonly fate: Fate;
  /** What tells of the alert if it does not pass. */
  readonly notice?: Notice;
}

/** One look at the table: what holds while the clock stands still. */
export interface Round {
  readonly desk: Desk;
  readonly policies: QuietPolicies;
  /** Unix milliseconds. */
  readonly nowMs: number;
  /** Quiet that people asked for, in force now. */
  readonly mutes: readonly Mute[];
  /** A UUID that nobody had. */
  readonly newId: () => string;
}

/** Old alerts that come on and on are told after so many waits at the latest. */
const FOLD_WAITS_MAX = 10;

/** Digest of what an alert is the same as; undefined where its rule does not ask. */
export function keyOfAlert(alert: TriageAlert, policies: QuietPolicies): string | undefined {
  const { suppress } = policies.rule(alert.ruleId);
  if (suppress === undefined) return undefined;
  return createHash('sha256').update(suppressKey(alert.fields, suppress.key)).digest('base64url');
}

/** Decides about one alert: what people asked for first, then age, quiet hours, digests, what was told already, what the chat can bear. */
export function decideFate(round: Round, alert: TriageAlert): Verdict {
  const { desk, policies, nowMs } = round;
  const { chatId } = alert;
  const mute = muteOf(round.mutes, alert);
  if (mute !== undefined) {
    return { fate: 'muted', notice: joinNotice(desk, mutedBy(round, mute), alert) };
  }
  if (isTooOld(alert, policies)) {
    const notice = openOf(round, 'folded', chatId);
    const latestMs = notice.openedMs + FOLD_WAITS_MAX * policies.digestAfterMs;
    notice.dueMs = Math.min(nowMs + policies.digestAfterMs, latestMs);
    return { fate: 'folded', notice: joinNotice(desk, notice, alert) };
  }
  if (policies.chat(chatId).isQuiet(nowMs)) {
    return { fate: 'held', notice: joinNotice(desk, openOf(round, 'held', chatId), alert) };
  }
  const digestMs = policies.rule(alert.ruleId).digestMs ?? policies.chat(chatId).digestMs;
  if (digestMs > 0) {
    return { fate: 'held', notice: joinNotice(desk, digestOf(round, chatId, digestMs), alert) };
  }
  const window = suppressedBy(round, alert);
  if (window !== undefined) {
    return { fate: 'suppressed', notice: joinNotice(desk, window, alert) };
  }
  const storm = stormOf(round, chatId);
  if (storm !== undefined) {
    storm.minuteCount += 1;
    return { fate: 'stormed', notice: joinNotice(desk, storm, alert) };
  }
  notePassed(desk, chatId, nowMs);
  return { fate: 'pending' };
}

/** Time passed: closes what is due. A chat that is to be left alone hears of it later. */
export function tickNotices(round: Round): void {
  const { desk, policies, nowMs } = round;
  for (const notice of [...desk.open.values()]) {
    if (notice.kind === 'suppressed') rollWindow(round, notice, nowMs);
    else if (notice.kind === 'muted' && isMuted(round, notice)) continue;
    else if (policies.chat(notice.chatId).isQuiet(nowMs)) continue;
    else if (notice.kind === 'storm') tickStorm(round, notice);
    else if (notice.dueMs <= nowMs || notice.kind === 'muted') {
      closeNotice(desk, notice);
      notice.passedMs = nowMs;
      notePassed(desk, notice.chatId, nowMs);
    }
  }
}

/** A mute may be ended before its time. */
const isMuted = ({ mutes }: Round, { key }: Notice): boolean => mutes.some(({ id }) => id === key);

/** A storm is over after a minute that the chat could have borne. */
function tickStorm({ desk, policies, nowMs }: Round, storm: Notice): void {
  if (nowMs - storm.minuteMs < MINUTE_MS) return;
  if (storm.minuteCount <= policies.chat(storm.chatId).budget) closeNotice(desk, storm);
  desk.changed.add(storm);
  [storm.minuteMs, storm.minuteCount] = [nowMs, 0];
}

/** The notice that tells of what one mute kept back, when that is over. */
function mutedBy({ desk, nowMs, newId }: Round, mute: Mute): Notice {
  const { id: key, chatId, ruleId, untilMs } = mute;
  const place = { kind: 'muted' as const, chatId, ruleId, key };
  const times = { openedMs: nowMs, dueMs: untilMs, windowMs: 0 };
  return desk.open.get(placeOf(place)) ?? openNotice(desk, newId(), place, times);
}

function isTooOld({ ruleId, eventMs, createdMs }: TriageAlert, policies: QuietPolicies): boolean {
  const { maxAgeMs } = policies.rule(ruleId);
  return maxAgeMs > 0 && createdMs - eventMs > maxAgeMs;
}

function openOf({ desk, nowMs, newId }: Round, kind: NoticeKind, chatId: string): Notice {
  const place = chatPlace(kind, chatId);
  const times = { openedMs: nowMs, dueMs: nowMs, windowMs: 0 };
  return desk.open.get(placeOf(place)) ?? openNotice(desk, newId(), place, times);
}

/** What the chat hears together: all that is kept back for it, when the first of the windows is over. */
function digestOf({ desk, nowMs, newId }: Round, chatId: string, windowMs: number): Notice {
  const place = chatPlace('held', chatId);
  const dueMs = nowMs + windowMs;
  const there = desk.open.get(placeOf(place));
  if (there === undefined) {
    return openNotice(desk, newId(), place, { openedMs: nowMs, dueMs, windowMs });
  }
  there.dueMs = Math.min(there.dueMs, dueMs);
  return there;
}

/** The storm that rages, or breaks out now; undefined: the chat can bear one more. */
function stormOf(round: Round, chatId: string): Notice | undefined {
  const { desk, policies, nowMs } = round;
  const there = desk.open.get(placeOf(chatPlace('storm', chatId)));
  if (there !== undefined) return there;
  if (passedLately(desk, chatId, nowMs).length < policies.chat(chatId).budget) return undefined;
  const storm = openOf(round, 'storm', chatId);
  storm.passedMs = nowMs;
  return storm;
}

/** The window that the alert falls into; undefined = it opened one, and is the one that is told. */
function suppressedBy(round: Round, alert: TriageAlert): Notice | undefined {
  const { desk, policies, newId } = round;
  const { chatId, ruleId, eventMs, createdMs } = alert;
  const key = keyOfAlert(alert, policies);
  const config = policies.rule(ruleId).suppress;
  if (key === undefined || config === undefined) return undefined;
  // A PC whose clock is ahead must not close anybody's window for a year.
  const atMs = Math.min(eventMs, createdMs);
  const place = { kind: 'suppressed' as const, chatId, ruleId, key };
  const there = desk.open.get(placeOf(place));
  const window = there && rollWindow(round, there, atMs);
  if (window !== undefined) return window;
  const times = { openedMs: atMs, dueMs: atMs + config.for, windowMs: config.for };
  openNotice(desk, newId(), place, times);
  return undefined;
}

/** Closes a window that is over at `atMs`, and those that followed it; gives the one that is open then. */
function rollWindow(round: Round, notice: Notice, atMs: number): Notice | undefined {
  const { desk, policies, newId } = round;
  let current = notice;
  while (current.dueMs <= atMs) {
    if (current.count === 0) {
      removeNotice(desk, current);
      return undefined;
    }
    letOut(round, current);
    const { chatId, ruleId, key, dueMs: openedMs } = current;
    const longestMs = policies.rule(ruleId).suppress?.exponential_to ?? current.windowMs;
    const windowMs = Math.min(current.windowMs * 2, longestMs);
    const times = { openedMs, dueMs: openedMs + windowMs, windowMs };
    current = openNotice(desk, newId(), { kind: 'suppressed', chatId, ruleId, key }, times);
  }
  return current;
}

/** Lets a window out as a message, or into what the chat hears later. */
function letOut(round: Round, notice: Notice): void {
  const { desk, policies, nowMs } = round;
  const { chatId } = notice;
  const into = policies.chat(chatId).isQuiet(nowMs)
    ? openOf(round, 'held', chatId)
    : stormOf(round, chatId);
  if (into !== undefined) {
    mergeNotice(desk, notice, into);
    return;
  }
  closeNotice(desk, notice);
  notice.passedMs = nowMs;
  notePassed(desk, chatId, nowMs);
}
