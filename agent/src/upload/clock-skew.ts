/**
 * Takes the Date of the collector's answers, gives how far this PC's clock is from the collector's; warns once an hour.
 * Why: an event's time is this PC's, and everything that is searched by time goes wrong with it.
 */
import type { Log } from '@launchbeat/ecs-schemas/beat';

/** Apart by more than this is worth a word. */
export const SKEW_MS_MAX = 60_000;
const WARN_INTERVAL_MS = 3_600_000;

export interface SkewWatch {
  /** Takes what the collector's clock said, as Unix milliseconds, at the time `nowMs`. */
  note(dateMs: number, nowMs: number): void;
  /** This PC's clock minus the collector's, in milliseconds (a Date has whole seconds); undefined before the first answer. */
  lastMs(): number | undefined;
}

/** Begins to watch. */
export function createSkewWatch(log: Log): SkewWatch {
  let last: number | undefined;
  let warnedAtMs = Number.NEGATIVE_INFINITY;
  return {
    note(dateMs, nowMs) {
      last = nowMs - dateMs;
      if (Math.abs(last) <= SKEW_MS_MAX || nowMs - warnedAtMs < WARN_INTERVAL_MS) return;
      warnedAtMs = nowMs;
      log.warn(
        { 'launchbeat.clock.skew_ms': last },
        `${skewWords(last)} See the time service of both.`,
      );
    },
    lastMs: () => last,
  };
}

/** One sentence on how far the clocks are apart. */
export function skewWords(skewMs: number): string {
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  return `This PC's clock is ${seconds} s ${skewMs < 0 ? 'behind' : 'ahead of'} the collector's.`;
}
