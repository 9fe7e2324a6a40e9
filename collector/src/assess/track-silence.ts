/**
 * Takes the signs of life of one key of a flatline rule, says since when there are too few, and whether that is silence by now.
 * Keeps: pure; only as many signs are kept as the rule asks for.
 */
import type { TrackedRule } from './candidates.ts';

export interface Pulse {
  /** Event time of the first sign, Unix milliseconds. */
  readonly beganMs: number;
  /** The newest signs, newest first; at most as many as the rule asks for. */
  readonly timesMs: readonly number[];
}

/** So many moments of a window must lie within the schedule. */
const STEPS = 60;

/** Adds signs to those that are kept. */
export function addPulse(
  rule: Pick<TrackedRule, 'count'>,
  pulse: Pulse | undefined,
  timesMs: readonly number[],
): Pulse {
  const all = [...(pulse?.timesMs ?? []), ...timesMs].sort((one, two) => two - one);
  return {
    beganMs: Math.min(pulse?.beganMs ?? Number.POSITIVE_INFINITY, ...timesMs),
    timesMs: all.slice(0, rule.count),
  };
}

/** The moment since which there were fewer signs than the rule asks for; a key is given its first window. */
export function quietSinceMs(rule: Pick<TrackedRule, 'count'>, pulse: Pulse): number {
  return Math.max(pulse.beganMs, pulse.timesMs[rule.count - 1] ?? Number.NEGATIVE_INFINITY);
}

/** Whether silence can be told at this moment: the schedule has held for the whole window. */
export function isListening(
  rule: Pick<TrackedRule, 'windowMs' | 'isTime'>,
  nowMs: number,
): boolean {
  const { isTime, windowMs } = rule;
  if (isTime === undefined) return true;
  for (let step = 0; step <= STEPS; step += 1) {
    if (!isTime(nowMs - (windowMs * step) / STEPS)) return false;
  }
  return true;
}
