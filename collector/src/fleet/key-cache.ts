/**
 * Takes ids of keys, gives their rows as the table has them now or had them a moment ago.
 * Keeps: what was read holds for CACHE_MS and no longer, the time that a revocation may take; memory is bounded whatever ids a
 * stranger names. Keys that are in use are read anew together: each by itself would be a question every three seconds for each agent.
 */
import { createRecentMap } from './recent-map.ts';

export interface KeyCache<Row> {
  /** The row; undefined: there is none. Rejects when PostgreSQL cannot be asked. */
  read(id: string): Promise<Row | undefined>;
  /** The row as the table has it since now. */
  put(row: Row): void;
  forget(id: string): void;
  /** Whether a row of this id was seen lately; asks nobody. */
  seenLately(id: string): boolean;
}

interface Entry<Row> {
  /** Absent: there is no such key. */
  readonly row?: Row;
  readonly readAtMs: number;
  /** How often it was good for an answer. */
  uses: number;
}

const CACHE_MS = 3000;
/** Younger ones are not read anew with others. */
const COMPANY_MS = 1500;
const COMPANY_MAX = 1000;
const CACHED_KEYS_MAX = 10_000;

/** Makes it; `readRows` gives the rows that there are, in any order. `now` is Unix milliseconds. */
export function createKeyCache<Row extends { readonly id: string }>(
  readRows: (ids: readonly string[]) => Promise<readonly Row[]>,
  now: () => number,
): KeyCache<Row> {
  const entries = createRecentMap<string, Entry<Row>>(CACHED_KEYS_MAX);

  /** Keys that somebody uses again and again and that will have to be read soon. */
  function company(id: string, nowMs: number): string[] {
    const ids: string[] = [];
    for (const [other, entry] of entries.all()) {
      if (ids.length === COMPANY_MAX) break;
      const isBusy = entry.row !== undefined && entry.uses > 0;
      if (other === id || !isBusy || nowMs - entry.readAtMs < COMPANY_MS) continue;
      // Whoever reads next while this is on its way leaves them out.
      entry.uses = 0;
      ids.push(other);
    }
    return ids;
  }

  return {
    async read(id) {
      const nowMs = now();
      const entry = entries.get(id);
      if (entry !== undefined && nowMs - entry.readAtMs < CACHE_MS) {
        entry.uses += 1;
        return entry.row;
      }
      const rows = await readRows([id, ...company(id, nowMs)]);
      for (const row of rows) entries.set(row.id, { row, readAtMs: nowMs, uses: 0 });
      const row = rows.find((one) => one.id === id);
      if (row === undefined) entries.set(id, { readAtMs: nowMs, uses: 0 });
      return row;
    },
    put: (row) => entries.set(row.id, { row, readAtMs: now(), uses: 0 }),
    forget: (id) => entries.delete(id),
    seenLately: (id) => entries.get(id)?.row !== undefined,
  };
}
