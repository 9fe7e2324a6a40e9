/**
 * The table on which fates are decided: open notices, what was let out in the last minute, and what changed.
 * Keeps: pure but for the table itself; an alert that joined a notice stays counted in it, or in the one that it was merged into.
 */

export type NoticeKind = 'folded' | 'suppressed' | 'held' | 'storm' | 'muted';
export type Fate = 'pending' | 'folded' | 'suppressed' | 'held' | 'stormed' | 'muted';

export interface TriageAlert {
  readonly ruleId: string;
  readonly chatId: string;
  readonly fields: Readonly<Record<string, string>>;
  /** Time of the event, Unix milliseconds. */
  readonly eventMs: number;
  /** When it was raised, Unix milliseconds. */
  readonly createdMs: number;
}

/** A message to come that tells of several alerts. */
export interface Notice {
  readonly id: string;
  readonly chatId: string;
  readonly kind: NoticeKind;
  /** Of suppressed; else empty. */
  readonly ruleId: string;
  readonly key: string;
  /** Open: alerts join it. Pending: it is to be sent, and nothing joins any more. */
  state: 'open' | 'pending';
  count: number;
  readonly windowMs: number;
  readonly openedMs: number;
  dueMs: number;
  /** Of a storm: the minute that is counted. */
  minuteMs: number;
  minuteCount: number;
  firstMs: number | undefined;
  lastMs: number | undefined;
  last: Pick<TriageAlert, 'ruleId' | 'fields'> | undefined;
  /** When it was let out, against the chat's budget. */
  passedMs: number | undefined;
}

export interface Desk {
  /** By place: one of a kind for a chat, or one for a rule, chat and key. */
  readonly open: Map<string, Notice>;
  /** Chat → moments of messages, Unix milliseconds. */
  readonly passed: Map<string, number[]>;
  readonly changed: Set<Notice>;
  readonly removed: Set<Notice>;
  /** The alerts of one notice now belong to the other. */
  readonly merged: { readonly from: Notice; readonly into: Notice }[];
}

export const MINUTE_MS = 60_000;

/** An empty table. */
export const createDesk = (): Desk => ({
  open: new Map(),
  passed: new Map(),
  changed: new Set(),
  removed: new Set(),
  merged: [],
});

type Place = Pick<Notice, 'kind' | 'chatId' | 'ruleId' | 'key'>;

/** The place of a notice on the table. */
export const placeOf = ({ kind, chatId, ruleId, key }: Place): string =>
  [kind, chatId, ruleId, key].join('\n');

/** The place of the one notice of its kind for a chat. */
export const chatPlace = (kind: NoticeKind, chatId: string): Place => ({
  kind,
  chatId,
  ruleId: '',
  key: '',
});

/** Puts a new notice on the table. */
export function openNotice(
  desk: Desk,
  id: string,
  place: Place,
  times: Pick<Notice, 'openedMs' | 'dueMs' | 'windowMs'>,
): Notice {
  const notice: Notice = {
    ...place,
    ...times,
    id,
    state: 'open',
    count: 0,
    minuteMs: times.openedMs,
    minuteCount: 0,
    firstMs: undefined,
    lastMs: undefined,
    last: undefined,
    passedMs: undefined,
  };
  desk.open.set(placeOf(notice), notice);
  desk.changed.add(notice);
  return notice;
}

/** Nothing joins it any more. */
export function closeNotice(desk: Desk, notice: Notice): void {
  desk.open.delete(placeOf(notice));
  desk.changed.add(notice);
  notice.state = 'pending';
}

/** Takes an empty notice away. */
export function removeNotice(desk: Desk, notice: Notice): void {
  desk.open.delete(placeOf(notice));
  desk.changed.delete(notice);
  desk.removed.add(notice);
}

/** The alerts of `from` are told by `into`. */
export function mergeNotice(desk: Desk, from: Notice, into: Notice): void {
  removeNotice(desk, from);
  desk.merged.push({ from, into });
  desk.changed.add(into);
  into.count += from.count;
  into.firstMs = least(into.firstMs, from.firstMs);
  into.lastMs = most(into.lastMs, from.lastMs);
  into.last = from.last ?? into.last;
}

/** Counts an alert in a notice. */
export function joinNotice(desk: Desk, notice: Notice, alert: TriageAlert): Notice {
  desk.changed.add(notice);
  notice.count += 1;
  notice.firstMs = least(notice.firstMs, alert.eventMs);
  notice.lastMs = most(notice.lastMs, alert.eventMs);
  notice.last = { ruleId: alert.ruleId, fields: alert.fields };
  return notice;
}

/** A message goes out now. */
export function notePassed(desk: Desk, chatId: string, nowMs: number): void {
  desk.passed.set(chatId, [...passedLately(desk, chatId, nowMs), nowMs]);
}

/** Moments of the messages of the last minute. */
export const passedLately = (desk: Desk, chatId: string, nowMs: number): number[] =>
  (desk.passed.get(chatId) ?? []).filter((ms) => ms > nowMs - MINUTE_MS);

const least = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
const most = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
