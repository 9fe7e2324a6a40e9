/**
 * Takes the hour of a receipt and the time, gives the day that is due.
 * Keeps: pure. A day is what a clock on the wall shows: 23 or 25 hours where the clock is set; an hour that does not exist on a day
 * is the one after the gap.
 */
import { createWallTime, minuteOf } from '../assess/schedule.ts';

export interface ReceiptDay {
  /** Unix milliseconds. */
  readonly fromMs: number;
  readonly toMs: number;
  /** The date of its end, `2026-11-24`. */
  readonly date: string;
}

type WallTime = ReturnType<typeof createWallTime>;

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

let last: { readonly zone: string; readonly wallTime: WallTime } | undefined;

/** One is kept, since making one is slow. */
function wallTimeOf(zone: string): WallTime {
  if (last?.zone !== zone) last = { zone, wallTime: createWallTime(zone) };
  return last.wallTime;
}

/** The day that ended last. `hour` is such as 09:00, on the clock of `zone`. */
export function lastReceiptDay(hour: string, zone: string, nowMs: number): ReceiptDay {
  const wallTime = wallTimeOf(zone);
  /** The moment at which the wall shows this; wall times are read as if they were UTC. */
  const momentOf = (wallMs: number): number => {
    const guess = wallMs - (wallTime(wallMs) - wallMs);
    const better = wallMs - (wallTime(guess) - guess);
    // In a gap the two disagree for ever: the later one lies behind it.
    return wallTime(better) === wallMs ? better : Math.max(guess, better);
  };
  const today = Math.floor(wallTime(nowMs) / DAY_MS) * DAY_MS + minuteOf(hour) * MINUTE_MS;
  const end = momentOf(today) <= nowMs ? today : today - DAY_MS;
  return {
    fromMs: momentOf(end - DAY_MS),
    toMs: momentOf(end),
    date: new Date(end).toISOString().slice(0, 10),
  };
}
