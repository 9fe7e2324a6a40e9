/**
 * Takes batches of the source, gives documents to the spool; counts what was read, left out (by reason) and refused.
 * Keeps: a batch is kept whole or tried again; the position moves only when it is durable; nothing vanishes without a count.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { HealthNote, ProcessStart } from '@launchbeat/ecs-schemas';
import type { Log, Metrics } from '@launchbeat/ecs-schemas/beat';
import type { CaptureBatch, Position, SourceFact } from './capture/captured-event.ts';
import { healthNote } from './health-note.ts';
import { logFact } from './log-fact.ts';
import type { Mapper } from './map/create-mapper.ts';
import type { Spool } from './spool/open-spool.ts';
import { type QuarantineEntry, quarantine } from './spool/quarantine.ts';

const RETRY_DELAY_MS = 1000;

export interface ReadingOptions {
  readonly mapper: Mapper;
  readonly spool: Spool;
  readonly position: { write(position: Position): void };
  readonly log: Log;
  /** Told of what the source found out. */
  readonly note?: (note: HealthNote) => void;
}

export interface Reading {
  /** Maps a batch and makes it durable; waits while the disk refuses. Rejects only when the signal ends it. */
  keep(batch: CaptureBatch, signal: AbortSignal): Promise<void>;
  /** Counts under `capture.*` and `map.*`; `map.left_out.<reason>` for each reason. */
  metrics(): Metrics;
}

/** What a batch comes to. */
interface Mapping {
  /**
   * Maps the events, each when it is asked for: a batch of documents at once would be most of the agent's memory. Begins anew
   * with each iteration; the rest holds for the last one.
   */
  readonly documents: Iterable<ProcessStart>;
  readonly quarantined: readonly QuarantineEntry[];
  /** Counter → how much to add once the batch is durable. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Makes the reading of one run. */
export function createReading(options: ReadingOptions): Reading {
  const { mapper, spool, position, log } = options;
  const totals = new Map<string, number>();
  const add = (name: string, amount: number): void =>
    void totals.set(name, (totals.get(name) ?? 0) + amount);

  const durable = (work: () => Promise<void> | void, signal: AbortSignal): Promise<void> =>
    untilDurable(work, { signal, log, onWait: () => add('spool.waits', 1) });

  return {
    async keep(batch, signal) {
      const facts = batch.facts.map((fact) => withoutSecrets(fact, mapper));
      for (const fact of facts) {
        logFact(fact, log);
        const note = healthNote(fact);
        if (note !== undefined) options.note?.(note);
      }
      const { documents, quarantined, counts } = mapBatch({ ...batch, facts }, mapper);
      // Trying again can double a line on disk, never in a store: the event's id stays.
      await durable(() => spool.append(documents, signal), signal);
      if (quarantined.length > 0) {
        await durable(() => void quarantine(spool.folder, quarantined), signal);
        log.error(
          { 'launchbeat.quarantine.entries': quarantined.length },
          `Input that is no event was put into quarantine (${quarantined[0]?.place}: ${quarantined[0]?.reason})`,
        );
      }
      const moved = batch.position;
      if (moved !== undefined) await durable(() => position.write(moved), signal);
      for (const [name, amount] of counts) add(name, amount);
    },
    metrics: () => Object.fromEntries(totals),
  };
}

/** A reader's complaint may repeat what it read. */
function withoutSecrets(fact: SourceFact, { redact }: Mapper): SourceFact {
  if (!('reason' in fact)) return fact;
  const safe = { ...fact, reason: redact(fact.reason) };
  return safe.kind === 'unreadable' ? { ...safe, text: redact(safe.text) } : safe;
}

/** Maps the events; the facts hold no secrets any more. */
function mapBatch(batch: CaptureBatch, mapper: Mapper): Mapping {
  const quarantined: QuarantineEntry[] = [];
  const counts = new Map<string, number>();
  const work = { batch, mapper, quarantined, counts };
  return { documents: { [Symbol.iterator]: () => mapEach(work) }, quarantined, counts };
}

interface MappingWork {
  readonly batch: CaptureBatch;
  readonly mapper: Mapper;
  readonly quarantined: QuarantineEntry[];
  readonly counts: Map<string, number>;
}

/**
 * Maps the events one by one, each when it is asked for.
 * Not a generator within mapBatch(): V8 makes a hidden class for each generator function, in the old space, and one made for each
 * batch would hold that batch, dead as it is, until the next full collection.
 */
function* mapEach({ batch, mapper, quarantined, counts }: MappingWork): Generator<ProcessStart> {
  const count = (name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);
  quarantined.length = 0;
  counts.clear();
  for (const fact of batch.facts) {
    count(`capture.${fact.kind === 'notice' ? fact.name : fact.kind}`);
    if (fact.kind !== 'unreadable') continue;
    quarantined.push({ reason: fact.reason, place: fact.place, bytes: Buffer.from(fact.text) });
  }
  if (batch.events.length > 0) counts.set('capture.read', batch.events.length);
  for (const event of batch.events) {
    const mapped = mapper.map(event);
    switch (mapped.outcome) {
      case 'done':
        count('map.done');
        yield mapped.document;
        break;
      case 'left_out':
        count(`map.left_out.${mapped.reason}`);
        break;
      case 'refused':
        count('map.refused');
        quarantined.push({
          reason: mapped.reason,
          place: 'map',
          bytes: Buffer.from(mapper.redact(event.xml)),
        });
        break;
    }
  }
}

interface Patience {
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Called before each wait. */
  readonly onWait: () => void;
}

/** Does the work until the disk takes it; says so once when it begins to wait, and once when it goes on. */
async function untilDurable(
  work: () => Promise<void> | void,
  { signal, log, onWait }: Patience,
): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await work();
      if (attempt > 0) log.info({}, 'Data folder can be written again; reading goes on.');
      return;
    } catch (error) {
      if (signal.aborted) throw error;
      if (attempt === 0) {
        log.error({ err: error }, 'Data folder cannot be written; reading waits until it can.');
      }
      onWait();
      await wait(RETRY_DELAY_MS, undefined, { signal });
    }
  }
}
