/**
 * Takes alerts with the moments at which they were raised, gives what each chat would have heard: the same triage, no chat.
 * Keeps: pure. The clock goes by steps while something is open, so moments of digests are right to a step.
 */
import type { Alert } from '../assess/assess.ts';
import { createDesk, type Fate, type Notice } from './notice-desk.ts';
import type { QuietPolicies } from './quiet-policies.ts';
import { decideFate, tickNotices } from './triage.ts';

/** What one chat would have heard. */
export interface Heard {
  readonly fates: Record<Fate, number>;
  /** Messages that tell of several alerts. */
  notices: number;
  /** Moments of all messages by the hour, Unix milliseconds → how many. */
  readonly hours: Map<number, number>;
}

export interface Rehearsal {
  /** Moments must not go back. */
  raise(alert: Pick<Alert, 'ruleId' | 'chatId' | 'fields' | 'eventTimeMs'>, nowMs: number): void;
  /** Lets out what is open. Chat → what it heard. */
  end(): ReadonlyMap<string, Heard>;
}

const STEP_MS = 10_000;
const HOUR_MS = 3_600_000;
/** Whatever is open is let out by then: the longest window is 31 days. */
const END_STEPS_MAX = (32 * 24 * HOUR_MS) / STEP_MS;

/** Begins with empty tables. */
export function createRehearsal(policies: QuietPolicies): Rehearsal {
  const desk = createDesk();
  const chats = new Map<string, Heard>();
  let clockMs = 0;
  let ids = 0;

  function of(chatId: string): Heard {
    const fates = { pending: 0, folded: 0, suppressed: 0, held: 0, stormed: 0, muted: 0 };
    const heard = chats.get(chatId) ?? { fates, notices: 0, hours: new Map<number, number>() };
    chats.set(chatId, heard);
    return heard;
  }

  function hear(chatId: string, nowMs: number): void {
    const { hours } = of(chatId);
    const hour = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
    hours.set(hour, (hours.get(hour) ?? 0) + 1);
  }

  /** What was let out since the last look. */
  function collect(nowMs: number): void {
    for (const notice of desk.changed) if (isTold(notice)) tell(notice, nowMs);
    desk.changed.clear();
    desk.removed.clear();
    desk.merged.length = 0;
  }

  const isTold = (notice: Notice): boolean => notice.state === 'pending' && notice.count > 0;

  function tell(notice: Notice, nowMs: number): void {
    of(notice.chatId).notices += 1;
    hear(notice.chatId, nowMs);
  }

  const round = (nowMs: number) => ({
    desk,
    policies,
    nowMs,
    mutes: [],
    newId: () => {
      ids += 1;
      return String(ids);
    },
  });

  function goTo(nowMs: number): void {
    while (desk.open.size > 0 && clockMs + STEP_MS < nowMs) {
      clockMs += STEP_MS;
      tickNotices(round(clockMs));
      collect(clockMs);
    }
    clockMs = Math.max(clockMs, nowMs);
  }

  return {
    raise({ ruleId, chatId, fields, eventTimeMs: eventMs }, nowMs) {
      goTo(nowMs);
      const alert = { ruleId, chatId, fields, eventMs, createdMs: clockMs };
      const { fate } = decideFate(round(clockMs), alert);
      of(chatId).fates[fate] += 1;
      if (fate === 'pending') hear(chatId, clockMs);
      collect(clockMs);
    },
    end() {
      for (let step = 0; desk.open.size > 0 && step < END_STEPS_MAX; step += 1) {
        goTo(clockMs + STEP_MS + 1);
      }
      return chats;
    },
  };
}
