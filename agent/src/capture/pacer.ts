/**
 * Takes a rate in events per second, gives the waits that hold it.
 * Keeps: the rate is that of the whole run, so that slow stretches are made up for; 0 waits never.
 */
import { pause } from '@launchbeat/ecs-schemas/beat';

export interface Pacer {
  /** How many events may go out at a time, so that they flow rather than jump. */
  readonly eventsMax: number;
  /** Waits until so many more events are due; ends early on abort. */
  wait(events: number, signal: AbortSignal): Promise<void>;
}

/** A batch holds at most a quarter of a second's events. */
const BATCHES_PER_SECOND = 4;

/** Makes a pacer for `rate` events per second and batches of at most `batchSize`. */
export function createPacer(rate: number, batchSize: number): Pacer {
  const startMs = performance.now();
  let gone = 0;
  return {
    eventsMax:
      rate === 0
        ? batchSize
        : Math.min(batchSize, Math.max(1, Math.ceil(rate / BATCHES_PER_SECOND))),
    async wait(events, signal) {
      if (rate === 0) return;
      gone += events;
      const waitMs = startMs + (gone / rate) * 1000 - performance.now();
      if (waitMs > 0) await pause(waitMs, signal);
    },
  };
}
