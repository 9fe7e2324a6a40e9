/**
 * Takes a stream of batches, gives a lane: one of several that are read side by side.
 * Keeps: a lane whose batch was not the first to come loses nothing, it is asked again only when its batch was taken.
 */
import type { CaptureBatch } from './captured-event.ts';

export interface Taken {
  readonly lane: 'log' | 'poll';
  readonly step: IteratorResult<CaptureBatch, void>;
}

export interface Lane {
  /** The batch that comes next; the same one until `advance()`. */
  readonly next: () => Promise<Taken>;
  /** The batch was taken: ask for another. */
  advance(): void;
}

/** Makes the lane and asks for its first batch. */
export function createLane(lane: Taken['lane'], batches: AsyncGenerator<CaptureBatch, void>): Lane {
  const ask = async (): Promise<Taken> => ({ lane, step: await batches.next() });
  let pending = ask();
  return {
    next: () => pending,
    advance: () => {
      pending = ask();
    },
  };
}
