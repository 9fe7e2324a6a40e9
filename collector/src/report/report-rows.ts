/**
 * The outbox of reports in PostgreSQL: takes rows that nobody works on, keeps their leases, deletes what Elasticsearch has.
 * Keeps: a row has one collector at a time; one that was taken before is known to have been touched, so that its id is looked up
 * before it is sent again.
 */
import type { Sql, TransactionSql } from '../commit/database.ts';

/** Something to tell, as it stands in the table. */
export interface ReportRow {
  readonly id: string;
  readonly kind: 'agent' | 'server' | 'fact' | 'alert';
  readonly action: string;
  readonly at: Date;
  /** The row that it tells of, as it was. */
  readonly source: unknown;
  /** How often it was taken, this time included. */
  readonly attempts: number;
}

/** A row that will never be in Elasticsearch, and why. */
export interface RefusedRow {
  readonly id: string;
  readonly reason: string;
}

const LEASE_S = 120;
/** Switching on tells what happened lately, too. */
const CATCH_UP = '30 days';

/** Takes the oldest rows that nobody works on. */
export async function claimReports(sql: Sql, rowsMax: number): Promise<readonly ReportRow[]> {
  const rows = await sql<ReportRow[]>`
    with free as (
      select id from report_outbox where refused is null and leased_until < now()
      order by id limit ${rowsMax} for update skip locked
    )
    update report_outbox set leased_until = now() + ${LEASE_S} * interval '1 second', attempts = attempts + 1
    from free where report_outbox.id = free.id
    returning report_outbox.id::text as id, kind, action, at, source, attempts`;
  return rows.toSorted((one, two) => Number(one.id) - Number(two.id));
}

/** Elasticsearch has these, and will never take those. */
export async function settleReports(
  sql: Sql,
  taken: readonly string[],
  refused: readonly RefusedRow[],
): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction`delete from report_outbox where id = any(${[...taken]}::bigint[])`;
    await transaction`
      update report_outbox set refused = given.reason
      from unnest(${refused.map((one) => one.id)}::bigint[], ${refused.map((one) => one.reason)}::text[])
        as given (id, reason)
      where report_outbox.id = given.id`;
  });
}

/** Gives rows back unsettled; whoever takes them next looks their ids up first. */
export async function releaseReports(sql: Sql, ids: readonly string[]): Promise<void> {
  await sql`
    update report_outbox set leased_until = '-infinity' where id = any(${[...ids]}::bigint[])`;
}

/** How many rows wait. */
export async function countReports(sql: Sql): Promise<number> {
  const [row] = await sql<{ waiting: number }[]>`
    select count(*)::int as waiting from report_outbox where refused is null`;
  return row?.waiting ?? 0;
}

/**
 * Turns the outbox on or off. Off empties it, so that nothing waits for an Elasticsearch that nobody asks for. On puts into it
 * what happened in the last 30 days: ids are the same as then, so what Elasticsearch has of it is not written twice.
 */
export async function switchReports(sql: Sql, enabled: boolean): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction`select pg_advisory_xact_lock(hashtextextended('launchbeat.report', 0))`;
    const turned = await transaction`
      update report_state set enabled = ${enabled} where enabled <> ${enabled} returning enabled`;
    if (turned.length === 0) return;
    if (enabled) await catchUp(transaction);
    else await transaction`delete from report_outbox`;
  });
}

/** Attempts of 1: some of it may be in Elasticsearch from a time when it was on. */
async function catchUp(sql: TransactionSql): Promise<void> {
  const since = sql`now() - ${CATCH_UP}::interval`;
  await sql`
    insert into report_outbox (kind, action, at, source, attempts)
    select 'fact', kind, at, to_jsonb(agent_facts), 1 from agent_facts where received_at > ${since} order by id`;
  await sql`
    insert into report_outbox (kind, action, at, source, attempts)
    select 'alert', told.action, told.at, to_jsonb(alerts), 1
    from alerts cross join lateral (values
      ('raised', created_at),
      (nullif(state, 'pending'), coalesce(sent_at, triaged_at, created_at)),
      ('acknowledged', acked_at)
    ) as told (action, at)
    where created_at > ${since} and told.action is not null and told.at is not null
    order by alerts.id`;
}
