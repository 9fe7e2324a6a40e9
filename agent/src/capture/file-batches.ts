/**
 * Takes what files give (events and facts, in pieces), gives batches of the wanted size at the wanted rate.
 * Keeps: at most one piece and one batch in memory; nothing more is read until the batch is taken.
 */
import { type CaptureBatch, CapturedEvent, type SourceFact } from './captured-event.ts';
import { createPacer } from './pacer.ts';

/** What a reader of files gives at a time. */
export interface FilePiece {
  readonly events: readonly string[];
  readonly facts: readonly SourceFact[];
  /** More may be long in coming: hand on what is there. */
  readonly waiting?: boolean;
}

/** A file that is no log at all must not fill the memory with facts. */
const FACTS_MAX = 100;

export interface BatchSettings {
  readonly batchSize: number;
  /** Events per second; 0 = no limit. */
  readonly rate: number;
}

/** Gathers pieces into batches. */
export async function* fileBatches(
  pieces: AsyncIterable<FilePiece>,
  settings: BatchSettings,
  signal: AbortSignal,
): AsyncGenerator<CaptureBatch, void> {
  const pacer = createPacer(settings.rate, settings.batchSize);
  let events: CapturedEvent[] = [];
  let facts: SourceFact[] = [];

  async function* handOn(): AsyncGenerator<CaptureBatch, void> {
    if (events.length + facts.length === 0) return;
    await pacer.wait(events.length, signal);
    if (signal.aborted) return;
    const batch = { events, facts };
    events = [];
    facts = [];
    yield batch;
  }

  for await (const piece of pieces) {
    facts.push(...piece.facts);
    for (const xml of piece.events) {
      events.push(new CapturedEvent(xml, Date.now()));
      if (events.length < pacer.eventsMax) continue;
      yield* handOn();
      // Not asked for each event: a signal of signals asks all of them.
      if (signal.aborted) return;
    }
    if (piece.waiting === true || facts.length >= FACTS_MAX) yield* handOn();
    if (signal.aborted) return;
  }
  yield* handOn();
}
