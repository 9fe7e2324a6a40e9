/**
 * Takes how often something failed in a row, gives how long to wait; reads `Retry-After`.
 * Keeps: full jitter, so that a thousand agents do not come back in one moment; never sooner than the collector asked.
 */
import { type Backoff, backoffCeilingMs } from '@launchbeat/ecs-schemas/beat';

/** A `Retry-After` beyond this is taken as this: an absurd value must not silence an agent for days. */
const RETRY_AFTER_MS_MAX = 3_600_000;

/** A wait between 0 and the back-off of the attempt (from 1), doubling up to `max`; `random` gives 0 to 1. */
export function retryDelayMs(attempt: number, backoff: Backoff, random: () => number): number {
  return Math.round(backoffCeilingMs(attempt, backoff) * random());
}

/** A wait between half of `max` and `max`, for what only a person can mend. */
export function slowDelayMs(backoff: Backoff, random: () => number): number {
  return Math.round(backoff.max * (0.5 + random() / 2));
}

/**
 * What the collector asked for and up to half of it more (at most the longest back-off): a thousand agents that were told the
 * same `Retry-After` must not come back in one second.
 */
export function spreadMs(askedMs: number, backoff: Backoff, random: () => number): number {
  return Math.round(askedMs + Math.min(askedMs / 2, backoff.max) * random());
}

/** Milliseconds that a `Retry-After` asks for: seconds or an HTTP date (RFC 9110, 10.2.3); undefined if it is neither. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  if (Number.isNaN(ms)) return undefined;
  return Math.min(Math.max(ms, 0), RETRY_AFTER_MS_MAX);
}
