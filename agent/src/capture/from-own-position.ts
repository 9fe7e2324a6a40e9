/**
 * Takes the reading of a log, gives it with the stored position where that is of this log, else without one.
 * Keeps: record ids of one log are never looked for in another; a position that is not used is told.
 */
import type { CaptureBatch, FORWARDED_LOG, Position, SourceFact } from './captured-event.ts';

type Batches = (
  from: Position | undefined,
  signal: AbortSignal,
) => AsyncGenerator<CaptureBatch, void>;

/** `log` undefined = the Security log. */
export function fromOwnPosition(log: typeof FORWARDED_LOG | undefined, batches: Batches): Batches {
  return async function* fromOwn(stored, signal) {
    if (stored === undefined || stored.log === log) {
      yield* batches(stored, signal);
      return;
    }
    const [of, read] = [stored.log, log].map((name) => `${name ?? 'Security'} log`);
    const reason = `The position in the data folder is of the ${of}: the ${read} is read from where capture.start says. Give each source a data folder of its own (path.data).`;
    const fact: SourceFact = { kind: 'warning', reason };
    yield { events: [], facts: [fact] };
    yield* batches(undefined, signal);
  };
}
