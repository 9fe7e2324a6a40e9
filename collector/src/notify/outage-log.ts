/**
 * Takes what goes wrong and right with Telegram, says so in the log without flooding it.
 * Keeps: an outage is one line when it begins, one a minute while it lasts and one at its end; what a person must mend is one
 * line an hour for each thing.
 */
import type { Log } from '@launchbeat/ecs-schemas/beat';

export interface OutageLog {
  /** Nothing is lost; it is tried again. */
  trouble(reason: string): void;
  /** A person must act. `about` names the thing, so that each is said once an hour. */
  person(about: string, reason: string, sentence: string): void;
  recovered(): void;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Makes the log of one notifier. */
export function createOutageLog(log: Log): OutageLog {
  const sayAgainAtMs = new Map<string, number>();
  let sinceMs: number | undefined;

  function isTime(about: string, everyMs: number): boolean {
    const nowMs = performance.now();
    if (nowMs < (sayAgainAtMs.get(about) ?? 0)) return false;
    sayAgainAtMs.set(about, nowMs + everyMs);
    return true;
  }

  return {
    trouble(reason) {
      sinceMs ??= performance.now();
      if (isTime('trouble', MINUTE_MS)) {
        log.warn(
          { 'error.message': reason },
          'Telegram did not take a message; it is tried again.',
        );
      }
    },
    person(about, reason, sentence) {
      if (isTime(`person ${about}`, HOUR_MS)) log.error({ 'error.message': reason }, sentence);
    },
    recovered() {
      sayAgainAtMs.delete('person token');
      if (sinceMs === undefined) return;
      const seconds = Math.round((performance.now() - sinceMs) / 1000);
      sinceMs = undefined;
      log.info({}, `Telegram takes messages again after ${seconds} s.`);
    },
  };
}
