/**
 * Takes what happened to this agent, keeps it as health facts until the collector has them: in memory, and in `facts.json` of the
 * data folder over a restart.
 * Keeps: a fact that was sent is never changed, so that its id means the same for ever; bounded, the oldest go first and that is a
 * fact of its own; a disk that refuses costs nothing but what a crash would take.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { type HealthFact, type HealthNote, healthFactSchema } from '@launchbeat/ecs-schemas';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';
import { readStateFile, writeStateFile } from '../spool/state-file.ts';

export interface FactBox {
  /** Never throws. The same again, before it was sent, is counted up. */
  note(note: HealthNote): void;
  /** The oldest facts, to be sent now. */
  take(max: number): readonly HealthFact[];
  /** The collector has them, or will never take them. */
  drop(facts: readonly HealthFact[]): void;
  /** Puts what changed on disk. Never throws. */
  store(): void;
}

const FACTS_MAX = 500;
const REASON_UNITS_MAX = 500;
const DROPPED: HealthNote = {
  ...{ kind: 'facts_dropped', level: 'warn' },
  reason: `More than ${FACTS_MAX} health facts waited for the collector; the oldest were dropped`,
};
const fileSchema = z.object({ facts: z.array(healthFactSchema) });

/** Opens the box of a data folder. `nowMs` is Unix milliseconds, for tests. */
export function openFactBox(folder: string, log: Log, nowMs: () => number = Date.now): FactBox {
  const file = join(folder, 'facts.json');
  let facts: readonly HealthFact[] = readStateFile(file, fileSchema, log)?.facts ?? [];
  // Which of them were sent before the end is not known.
  let sent: ReadonlySet<string> = new Set(facts.map((fact) => fact.id));
  let [changed, refused] = [false, false];

  const add = (note: HealthNote): void => {
    const at = new Date(nowMs()).toISOString();
    const reason = note.reason.slice(0, REASON_UNITS_MAX).toWellFormed();
    const { count = 1, from } = note;
    const same = facts.findLast(
      (one) => one.kind === note.kind && one.level === note.level && one.reason === reason,
    );
    if (same !== undefined && from === undefined && !sent.has(same.id)) {
      const more = { ...same, until: at, count: same.count + count };
      facts = facts.map((one) => (one === same ? more : one));
    } else {
      facts = [...facts, { ...note, id: randomUUID(), at, count, reason }];
    }
    changed = true;
  };

  const store = (): void => {
    if (!changed) return;
    try {
      writeStateFile(file, { facts });
      [changed, refused] = [false, false];
    } catch (err) {
      if (!refused) log.warn({ err }, 'Health facts cannot be written; they are kept in memory.');
      refused = true;
    }
  };

  /** The oldest goes; where no fact counts that yet, one more makes room for it. */
  const dropOldest = (): void => {
    const counts = facts.some((one) => one.kind === DROPPED.kind && !sent.has(one.id));
    const gone = new Set(facts.filter((one) => one.kind !== DROPPED.kind).slice(0, counts ? 1 : 2));
    facts = facts.filter((one) => !gone.has(one));
    add({ ...DROPPED, count: gone.size });
  };

  return {
    note(note) {
      add(note);
      if (facts.length > FACTS_MAX) dropOldest();
      // What is lost is on disk at once: its source will not tell it again.
      if (note.level === 'error') store();
    },
    take(max) {
      const taken = facts.slice(0, max);
      sent = new Set([...sent, ...taken.map((fact) => fact.id)]);
      return taken;
    },
    drop(gone) {
      if (gone.length === 0) return;
      const ids = new Set(gone.map((fact) => fact.id));
      facts = facts.filter((fact) => !ids.has(fact.id));
      sent = new Set([...sent].filter((id) => !ids.has(id)));
      changed = true;
    },
    store,
  };
}
