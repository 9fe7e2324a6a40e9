/**
 * Takes the days of events, makes sure that table events has a partition for each.
 * Keeps: only days from the retention's border to the day after tomorrow get one; others go to the default partition, so that
 * a wrong clock or an old .evtx file does not make tables.
 */
import type { Sql } from './database.ts';
import { faultOf } from './postgresql-faults.ts';

export const DAY_MS = 86_400_000;
const DAYS_AHEAD = 2;
/** How far back where events are kept for ever. */
const DAYS_BACK_MAX = 400;
/** A partition that could not be had (somebody reads for long) is asked for again after this. */
const AGAIN_MS = 60_000;

export interface EventPartitions {
  /** Days since 1970 (UTC) of the events that come next. Rejects when PostgreSQL cannot be asked. */
  ensure(days: ReadonlySet<number>): Promise<void>;
}

/** Makes the guard. `retentionMs` 0 = for ever; `now` is Unix milliseconds. */
export function createEventPartitions(
  sql: Sql,
  retentionMs: number,
  now: () => number = Date.now,
): EventPartitions {
  /** Day → when it has to be asked for again. */
  const known = new Map<number, number>();
  const making = new Map<number, Promise<void>>();
  const daysBack = retentionMs === 0 ? DAYS_BACK_MAX : Math.ceil(retentionMs / DAY_MS);

  async function make(day: number): Promise<void> {
    const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
    try {
      await sql`select ensure_events_partition(${date}::date)`;
      known.set(day, Number.POSITIVE_INFINITY);
    } catch (error) {
      if (faultOf(error) !== 'again') throw error;
      known.set(day, now() + AGAIN_MS);
    }
  }

  /** Chunks that come together wait for one statement. */
  async function makeOnce(day: number): Promise<void> {
    const made = making.get(day) ?? make(day).finally(() => making.delete(day));
    making.set(day, made);
    await made;
  }

  return {
    async ensure(days) {
      const today = Math.floor(now() / DAY_MS);
      const wanted = [...days].filter(
        (day) =>
          day >= today - daysBack && day <= today + DAYS_AHEAD && (known.get(day) ?? 0) <= now(),
      );
      for (const day of wanted) await makeOnce(day);
      for (const day of known.keys()) if (day < today - daysBack) known.delete(day);
    },
  };
}
