/**
 * Takes a client, gives what `launchbeat-collector doctor` shows of PostgreSQL: one row for each thing that the collector needs of it.
 * Keeps: it only reads; a server that is away is one row, and the others are not asked.
 */
import type { Sql } from './commit/database.ts';
import { DAY_MS } from './commit/event-partitions.ts';
import { pendingMigrations } from './commit/migrate.ts';
import { relations, writerRights } from './commit/roles.ts';
import type { CollectorConfig } from './config.ts';
import { listAgents } from './fleet/agent-list.ts';
import { countDeadLetters } from './index/dead-letters.ts';

/** One row of the table. */
export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** What to do about a row that is not ok. */
  readonly mend?: string;
}

const VERSION_MIN = 150_000;
const LAG_LONG_S = 300;
const MESSAGE_LATE_S = 600;
const CLOCK_OFF_MS = 2000;
const MIB = 1024 * 1024;

/** Looks at everything; never rejects. */
export async function* examinePostgresql(
  sql: Sql,
  config: CollectorConfig,
): AsyncGenerator<Finding> {
  try {
    yield await server(sql);
  } catch (error) {
    const detail = error instanceof Error ? error.message || String(error) : String(error);
    const mend = 'See postgresql.url, pg_hba.conf, the firewall, and whether PostgreSQL runs.';
    yield { check: 'postgresql', state: 'fail', detail, mend };
    return;
  }
  yield* each(sql, config, [durability, clock, connections, role, tables]);
  const pending = await pendingMigrations(sql).catch(() => ['?']);
  if (pending.length > 0) return;
  yield* each(sql, config, [rights, partitions, queue, deadLetters, messages, agents]);
}

type Check = (sql: Sql, config: CollectorConfig) => Promise<Finding>;

/** A row that cannot be asked for says so, and the next one is asked. */
async function* each(
  sql: Sql,
  config: CollectorConfig,
  checks: readonly Check[],
): AsyncGenerator<Finding> {
  for (const check of checks) {
    yield await check(sql, config).catch(
      (error: unknown): Finding => ({
        check: check.name,
        state: 'fail',
        detail: error instanceof Error ? error.message : String(error),
        mend: 'Give the role its rights again: launchbeat-collector setup.',
      }),
    );
  }
}

async function server(sql: Sql): Promise<Finding> {
  const [row] = await sql<{ version: string; number: number; bytes: string }[]>`
    select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
      pg_database_size(current_database()) as bytes`;
  const mib = Math.round(Number(row?.bytes) / MIB);
  const detail = `version ${row?.version}, the database has ${mib} MiB`;
  if (Number(row?.number) >= VERSION_MIN) return { check: 'postgresql', state: 'ok', detail };
  const mend = 'PostgreSQL 15 or newer is needed.';
  return { check: 'postgresql', state: 'fail', detail, mend };
}

/** A receipt says that a chunk is safe: these settings are what makes it true. */
async function durability(sql: Sql): Promise<Finding> {
  const [row] = await sql<{ fsync: string; commit: string; pages: string }[]>`
    select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
      current_setting('full_page_writes') as pages`;
  const detail = `fsync ${row?.fsync}, synchronous_commit ${row?.commit}, full_page_writes ${row?.pages}`;
  if (row?.fsync === 'on' && row.commit !== 'off' && row.pages === 'on') {
    return { check: 'durability', state: 'ok', detail };
  }
  const mend = 'A power cut may lose acknowledged events: switch all three on in postgresql.conf.';
  return { check: 'durability', state: 'warn', detail, mend };
}

async function clock(sql: Sql): Promise<Finding> {
  const beforeMs = Date.now();
  const [row] = await sql<{ ms: number }[]>`
    select extract(epoch from clock_timestamp())::float8 * 1000 as ms`;
  const offMs = Math.round(Number(row?.ms) - (beforeMs + Date.now()) / 2);
  const detail = `PostgreSQL's is ${offMs} ms ahead`;
  if (Math.abs(offMs) <= CLOCK_OFF_MS) return { check: 'clock', state: 'ok', detail };
  const mend = 'Set the time service of both: expiries and retention go by it.';
  return { check: 'clock', state: 'warn', detail, mend };
}

async function connections(sql: Sql, { postgresql }: CollectorConfig): Promise<Finding> {
  const [row] = await sql<{ most: number; used: number }[]>`
    select current_setting('max_connections')::int as most, (select count(*)::int from pg_stat_activity
      where backend_type = 'client backend' and application_name <> 'launchbeat-collector') as used`;
  const { most = 0, used = 0 } = row ?? {};
  const detail = `${most} at most, ${used} in use by others, ${postgresql.connections_max} for this collector`;
  if (used + postgresql.connections_max <= most)
    return { check: 'connections', state: 'ok', detail };
  const mend = 'Raise max_connections of PostgreSQL, or lower postgresql.connections_max.';
  return { check: 'connections', state: 'warn', detail, mend };
}

async function role(sql: Sql): Promise<Finding> {
  const [row] = await sql<{ name: string; mighty: boolean }[]>`
    select rolname as name, rolsuper as mighty from pg_roles where rolname = current_user`;
  if (row?.mighty !== true) {
    return { check: 'role', state: 'ok', detail: `${row?.name}, no superuser` };
  }
  return {
    ...{ check: 'role', state: 'warn', detail: `${row.name} is a superuser` },
    mend: 'Make the roles (launchbeat-collector setup --roles) and sign in as a member of the writer.',
  };
}

async function tables(sql: Sql): Promise<Finding> {
  const pending = await pendingMigrations(sql);
  if (pending.length === 0) return { check: 'tables', state: 'ok', detail: 'up to date' };
  const detail = `lack ${pending.join(', ')}`;
  return { check: 'tables', state: 'fail', detail, mend: 'Run launchbeat-collector setup.' };
}

async function rights(sql: Sql): Promise<Finding> {
  const wanted = (await relations(sql)).flatMap((relation) =>
    writerRights(relation).map((name) => ({ table: relation.name, name })),
  );
  const rows = await sql<{ missing: string }[]>`
    select upper(name) || ' on ' || tab as missing
    from unnest(${wanted.map((one) => one.table)}::text[], ${wanted.map((one) => one.name)}::text[]) as wanted (tab, name)
    where not has_table_privilege(quote_ident(tab), name)
    union all
    select 'EXECUTE on ' || name from unnest(array['ensure_events_partition(date)', 'drop_events_partition(text)']) as name
    where not has_function_privilege(name, 'execute')`;
  if (rows.length === 0)
    return { check: 'rights', state: 'ok', detail: 'all that the stages need' };
  return {
    ...{
      check: 'rights',
      state: 'fail',
      detail: `lacks ${rows.map((row) => row.missing).join(', ')}`,
    },
    mend: 'Run launchbeat-collector setup with postgresql.setup_url: it gives the writer its rights again.',
  };
}

async function partitions(sql: Sql): Promise<Finding> {
  const today = Math.floor(Date.now() / DAY_MS);
  const names = [today, today + 1].map(
    (day) => `events_${new Date(day * DAY_MS).toISOString().slice(0, 10).replaceAll('-', '')}`,
  );
  const rows = await sql<{ name: string }[]>`
    select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = 'events'::regclass`;
  const there = new Set(rows.map((row) => row.name));
  const missing = names.filter((name) => !there.has(name));
  if (missing.length === 0) {
    return {
      check: 'partitions',
      state: 'ok',
      detail: `${there.size - 1} days, tomorrow's is there`,
    };
  }
  return {
    ...{ check: 'partitions', state: 'warn', detail: `${missing.join(', ')} not there` },
    mend: 'A running collector makes them within the hour; events go to events_other_days meanwhile.',
  };
}

async function queue(sql: Sql, config: CollectorConfig): Promise<Finding> {
  const check = 'index queue';
  if (!config.elasticsearch.enabled) return { check, state: 'ok', detail: 'the index is off' };
  const [row] = await sql<{ chunks: number; bytes: string; lines: string; lag: number | null }[]>`
    select count(*)::int as chunks, coalesce(sum(body_bytes), 0) as bytes, coalesce(sum(lines), 0) as lines,
      extract(epoch from now() - min(received_at))::float8 as lag
    from chunks where indexed_at is null`;
  const lag = Math.round(row?.lag ?? 0);
  const bounds = config.postgresql.queue;
  const detail = `${row?.chunks} chunks wait, ${row?.bytes} bytes, the oldest for ${lag} s`;
  if (Number(row?.bytes) >= bounds.max_bytes || Number(row?.lines) >= bounds.max_lines) {
    const mend = 'It is full, agents are turned away: see the row of Elasticsearch.';
    return { check, state: 'fail', detail, mend };
  }
  if (lag <= LAG_LONG_S) return { check, state: 'ok', detail };
  const mend = 'See the row of Elasticsearch, and whether a collector runs.';
  return { check, state: 'warn', detail, mend };
}

async function deadLetters(sql: Sql): Promise<Finding> {
  const count = await countDeadLetters(sql);
  const check = 'dead letters';
  if (count === 0) return { check, state: 'ok', detail: 'none' };
  const mend = 'Look at them with launchbeat-collector dead-letters ls; retry or drop them.';
  return { check, state: 'warn', detail: `${count} documents that Elasticsearch refused`, mend };
}

async function messages(sql: Sql): Promise<Finding> {
  const [row] = await sql<{ pending: number; waited: number | null; failed: number }[]>`
    select count(*) filter (where state = 'pending')::int as pending,
      extract(epoch from now() - min(created_at) filter (where state = 'pending'))::float8 as waited,
      count(*) filter (where state = 'failed' and created_at > now() - interval '1 day')::int as failed
    from alerts where state in ('pending', 'failed')`;
  const { pending = 0, failed = 0 } = row ?? {};
  const waited = Math.round(row?.waited ?? 0);
  const check = 'messages';
  const detail = `${pending} wait, the oldest for ${waited} s; ${failed} failed in the last day`;
  if (failed === 0 && waited <= MESSAGE_LATE_S) return { check, state: 'ok', detail };
  const mend = 'See the row of Telegram, and last_error in table alerts.';
  return { check, state: 'warn', detail, mend };
}

async function agents(sql: Sql, config: CollectorConfig): Promise<Finding> {
  const known = await listAgents(sql, { offlineAfterMs: config.fleet.offline_after });
  const states = Object.entries(Object.groupBy(known, (agent) => agent.state));
  const detail = states.map(([state, some]) => `${some.length} ${state}`).join(', ') || 'none yet';
  const check = 'agents';
  if (known.every(({ state }) => state === 'healthy' || state === 'revoked')) {
    return { check, state: 'ok', detail };
  }
  const mend = 'launchbeat-collector agents status says which, and why.';
  return { check, state: 'warn', detail, mend };
}
