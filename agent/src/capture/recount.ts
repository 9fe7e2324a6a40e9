/**
 * Takes the time of every process start that was read, and what the log says that it has of a window of time; gives whether any was
 * missed. Record ids cannot tell: those of one kind of event have holes, the other events.
 * Keeps: bounded (a count for each minute of the last hours); a window that began before the reading, or in which the clock was set,
 * is not judged; what is read again is counted anew.
 */
import type { RecountLine } from './bridge-protocol.ts';

/** `again`: read on from before `firstId`. `lost`: that was tried, and they did not come. */
export type RecountOutcome =
  | { readonly outcome: 'right' }
  | { readonly outcome: 'again' | 'lost'; readonly missing: number };

export interface Recount {
  count(timeMs: number): void;
  judge(window: RecountLine): RecountOutcome;
  /** The clock was set: what was counted says nothing any more. */
  restart(nowMs: number): void;
}

const MINUTE_MS = 60_000;
const MINUTES_KEPT = 180;

/** Makes the tally. Everything after `wholeFromMs` is going to be read. */
export function createRecount(wholeFromMs: number): Recount {
  let minutes = new Map<number, number>();
  let wholeFrom = Math.floor(wholeFromMs / MINUTE_MS) + 1;
  let readAgain = false;

  /** Most events come in the minute of the one before. */
  let [newest, inNewest] = [-1, 0];

  function settle(): void {
    if (inNewest > 0) minutes.set(newest, (minutes.get(newest) ?? 0) + inNewest);
    inNewest = 0;
  }

  function prune(): void {
    if (minutes.size <= MINUTES_KEPT) return;
    // The minutes that are not kept cannot be judged either.
    wholeFrom = Math.max(wholeFrom, newest - MINUTES_KEPT);
    for (const minute of minutes.keys()) if (minute < wholeFrom) minutes.delete(minute);
    // A clock that jumps about leaves minutes of the future: the oldest entries go.
    for (const minute of minutes.keys()) {
      if (minutes.size <= 2 * MINUTES_KEPT) break;
      minutes.delete(minute);
    }
  }

  return {
    count(timeMs) {
      const minute = Math.floor(timeMs / MINUTE_MS);
      if (minute !== newest) {
        settle();
        newest = minute;
        prune();
      }
      inNewest += 1;
    },
    judge({ fromMs, toMs, starts }) {
      settle();
      const [from, to] = [Math.floor(fromMs / MINUTE_MS), Math.floor(toMs / MINUTE_MS)];
      if (from < wholeFrom) return { outcome: 'right' };
      const counted = [...minutes].filter(([minute]) => minute >= from && minute < to);
      const missing = starts - counted.reduce((sum, [, count]) => sum + count, 0);
      if (missing <= 0) {
        readAgain = false;
        return { outcome: 'right' };
      }
      const outcome = readAgain ? 'lost' : 'again';
      readAgain = true;
      if (outcome === 'again')
        for (const minute of minutes.keys()) if (minute >= from) minutes.delete(minute);
      return { outcome, missing };
    },
    restart(nowMs) {
      minutes = new Map();
      inNewest = 0;
      wholeFrom = Math.floor(nowMs / MINUTE_MS) + 1;
    },
  };
}
