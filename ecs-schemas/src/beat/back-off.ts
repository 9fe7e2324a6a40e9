/**
 * Takes how often something failed in a row, gives how long to wait before it is tried again.
 */

export interface Backoff {
  /** Milliseconds before the first repetition. */
  readonly init: number;
  /** Longest wait, milliseconds. */
  readonly max: number;
}

const DOUBLINGS_MAX = 30;

/** The back-off of an attempt (from 1) without jitter: doubles from `init` to `max`. */
export function backoffCeilingMs(attempt: number, backoff: Backoff): number {
  return Math.min(backoff.max, backoff.init * 2 ** Math.min(attempt - 1, DOUBLINGS_MAX));
}

/** A wait between half of the ceiling and the whole: half of it is jitter, so that many do not come back all at once. */
export function backoffMs(attempt: number, backoff: Backoff): number {
  const fullMs = backoffCeilingMs(attempt, backoff);
  return fullMs / 2 + (Math.random() * fullMs) / 2;
}
