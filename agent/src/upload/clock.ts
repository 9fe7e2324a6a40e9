/**
 * Time and chance as upload sees them; tests put in their own.
 */
import { pause } from '@launchbeat/ecs-schemas/beat';

export interface Clock {
  /** Unix milliseconds. */
  nowMs(): number;
  /** From 0 to 1. */
  random(): number;
  /** Resolves after the time, or when the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export const SYSTEM_CLOCK: Clock = {
  nowMs: Date.now,
  random: Math.random,
  wait: (ms, signal) => pause(ms, signal),
};
