/**
 * Puts the state of every agent, and what waits on the server, into the outbox of reports: once for each moment of a grid of time.
 * Keeps: one transaction a moment, and only the first collector to come does it; when Elasticsearch has been away for long the
 * moments are left out (they are samples), never facts or alerts.
 */
import type { Sql } from '../commit/database.ts';

export interface StatesOptions {
  /** Length of the grid. */
  readonly intervalMs: number;
  readonly nowMs: number;
}

/** `early`: another collector, or this one, did this moment; `full`: too much waits already. */
export type StatesOutcome = 'done' | 'early' | 'full';

/** So many reports may wait before states are left out. */
const WAITING_MAX = 100_000;
/** A revoked agent is told of for so long. */
const REVOKED_FOR = '1 day';

/** Puts the states of the moment that `nowMs` falls into, if nobody has. */
export async function queueAgentStates(sql: Sql, options: StatesOptions): Promise<StatesOutcome> {
  const { intervalMs, nowMs } = options;
  const slot = new Date(Math.floor(nowMs / intervalMs) * intervalMs);
  return await sql.begin(async (transaction): Promise<StatesOutcome> => {
    const mine = await transaction`
      update report_state set slot_at = ${slot} where enabled and slot_at < ${slot} returning slot_at`;
    if (mine.length === 0) return 'early';
    const [waiting] = await transaction<{ rows: number }[]>`
      select count(*)::int as rows from report_outbox where refused is null`;
    if ((waiting?.rows ?? 0) > WAITING_MAX) return 'full';
    await transaction`
      insert into report_outbox (kind, action, at, source)
      select 'agent', 'state', ${slot}, to_jsonb(agents) - 'processes' from agents
      where revoked_at is null or revoked_at > ${slot}::timestamptz - ${REVOKED_FOR}::interval
      order by id`;
    await transaction`
      insert into report_outbox (kind, action, at, source)
      select 'server', 'queues', ${slot}, jsonb_build_object(
        'chunks', count(*), 'bytes', coalesce(sum(body_bytes), 0), 'lines', coalesce(sum(lines), 0),
        'alerts', (select count(*) from alerts where state = 'pending'),
        'reports', ${waiting?.rows ?? 0}::int,
        'dead_letters', (select count(*) from dead_letters))
      from chunks where indexed_at is null`;
    return 'done';
  });
}
