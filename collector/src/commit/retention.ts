/**
 * The janitor: drops what is older than the config wants to keep, and makes the partitions of the next days.
 * Keeps: never what Elasticsearch or Telegram still wait for; in small steps, so that commits go on beside it;
 * several collectors may do it at once.
 */
import { type Log, pause } from '@launchbeat/ecs-schemas/beat';
import type { Sql } from './database.ts';
import { createEventPartitions, DAY_MS } from './event-partitions.ts';
import type { PostgresqlConfig } from './postgresql-config.ts';
import { faultOf } from './postgresql-faults.ts';

export interface RetentionOptions {
  readonly sql: Sql;
  readonly config: Pick<PostgresqlConfig, 'retention' | 'archive'>;
  readonly log: Log;
  /** Unix milliseconds, for tests. */
  readonly now?: () => number;
}

/** What one sweep took away. */
export interface Swept {
  /** Names of the tables dropped, e.g. `events_20260823`. */
  readonly partitions: readonly string[];
  /** Chunks whose bytes were taken out of the archive. */
  readonly archived: number;
  /** Rows of the default partition, the ledger, the outbox and the dead letters. */
  readonly rows: number;
}

export interface Retention {
  /** One sweep. Rejects when PostgreSQL cannot be used. */
  sweep(): Promise<Swept>;
  /** Sweeps each hour until the signal; what fails is logged and tried again sooner. */
  run(signal: AbortSignal): Promise<void>;
}

const SWEEP_MS = 3_600_000;
const AGAIN_MS = 60_000;
const BATCH_ROWS = 1000;
/** Whoever was silent for so long is no longer listened for. */
const SILENT_MS_MAX = 60 * DAY_MS;

/** Makes the janitor. */
export function createRetention(options: RetentionOptions): Retention {
  const { sql, config, log } = options;
  const now = options.now ?? Date.now;
  const partitions = createEventPartitions(sql, config.retention, now);

  async function sweep(): Promise<Swept> {
    const today = Math.floor(now() / DAY_MS);
    await forgetHits(sql, new Date(now()));
    await partitions.ensure(new Set([today, today + 1]));
    const archived = await emptyArchive(sql, new Date(now() - config.archive.retention));
    if (config.retention === 0) return { partitions: [], archived, rows: 0 };
    const before = new Date(now() - config.retention);
    return {
      archived,
      partitions: await dropPartitions(sql, before),
      rows: await deleteRows(sql, before),
    };
  }

  return {
    sweep,
    async run(signal) {
      while (!signal.aborted) {
        const waitMs = await sweep().then(
          (swept) => {
            if (swept.archived + swept.rows + swept.partitions.length > 0) {
              const fields = {
                'launchbeat.retention.partitions': swept.partitions,
                'launchbeat.retention.archived': swept.archived,
                'launchbeat.retention.rows': swept.rows,
              };
              log.info(fields, 'Dropped what is older than the retention.');
            }
            return SWEEP_MS;
          },
          (err: unknown) => {
            const write = faultOf(err) === 'bug' ? log.error : log.warn;
            write({ err }, 'Retention could not drop old data; it is tried again in a minute.');
            return AGAIN_MS;
          },
        );
        await pause(waitMs, signal, { ref: false });
      }
    },
  };
}

/** Drops the days that lie wholly before the time. Somebody who reads for long makes it fail, not wait. */
async function dropPartitions(sql: Sql, before: Date): Promise<string[]> {
  const border = `events_${before.toISOString().slice(0, 10).replaceAll('-', '')}`;
  const old = await sql<{ name: string }[]>`
    select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = 'events'::regclass and relname ~ '^events_[0-9]{8}$' and relname < ${border}
    order by relname`;
  for (const { name } of old) await sql`select drop_events_partition(${name})`;
  return old.map(({ name }) => name);
}

/** Takes the bytes out of chunks that Elasticsearch has had for long enough; the ledger rows stay. */
async function emptyArchive(sql: Sql, before: Date): Promise<number> {
  return await repeat(
    () => sql`
      update chunks set body = null, line_ids = '' where id in (
        select id from chunks where body is not null and indexed_at < ${before}
        order by indexed_at limit ${BATCH_ROWS} for update skip locked)`,
  );
}

/** What no event can need any more, and what was kept in mind for rules that are gone. */
async function forgetHits(sql: Sql, now: Date): Promise<void> {
  await repeat(
    () => sql`
      delete from rule_hits where (track, part, at_ms, value) in (
        select track, part, at_ms, value from rule_hits where expires_at < ${now}
        order by expires_at limit ${BATCH_ROWS})`,
  );
  await repeat(
    () => sql`
      delete from rule_counts where (track, slot) in (
        select track, slot from rule_counts where expires_at < ${now} order by expires_at limit ${BATCH_ROWS})`,
  );
  const unseen = new Date(now.getTime() - SILENT_MS_MAX);
  await repeat(
    () => sql`
      delete from rule_pulses where track in (
        select track from rule_pulses where seen_at < ${unseen} order by seen_at limit ${BATCH_ROWS})`,
  );
  await repeat(
    () => sql`
      delete from mutes where id in (
        select id from mutes where until < ${new Date(now.getTime() - DAY_MS)} order by until limit ${BATCH_ROWS})`,
  );
}

async function deleteRows(sql: Sql, before: Date): Promise<number> {
  const otherDays = await repeat(
    () => sql`
      delete from events_other_days where ("timestamp", event_id) in (
        select "timestamp", event_id from events_other_days where "timestamp" < ${before}
        order by "timestamp" limit ${BATCH_ROWS})`,
  );
  // Ids rise with time: the oldest rows are looked at, never the whole table.
  const ledger = await repeat(
    () => sql`
      delete from chunks where id in (
        select id from (select id, received_at, indexed_at from chunks order by id limit ${BATCH_ROWS}) as oldest
        where received_at < ${before} and indexed_at is not null)`,
  );
  const outbox = await repeat(
    () => sql`
      delete from alerts where id in (
        select id from (select id, created_at, state, notice_id from alerts order by id limit ${BATCH_ROWS}) as oldest
        where created_at < ${before} and state <> 'pending'
          and not exists (select from notices where notices.id = notice_id and notices.state in ('open', 'pending')))`,
  );
  const notices = await repeat(
    () => sql`
      delete from notices where id in (
        select id from (select id, opened_at, state from notices order by seq limit ${BATCH_ROWS}) as oldest
        where opened_at < ${before} and state not in ('open', 'pending'))`,
  );
  const bulletins = await repeat(
    () => sql`
      delete from bulletins where id in (
        select id from (select id, created_at, state from bulletins order by id limit ${BATCH_ROWS}) as oldest
        where created_at < ${before} and state <> 'pending')`,
  );
  const deadLetters = await repeat(
    () => sql`
      delete from dead_letters where id in (
        select id from (select id, created_at from dead_letters order by id limit ${BATCH_ROWS}) as oldest
        where created_at < ${before})`,
  );
  return otherDays + ledger + outbox + notices + bulletins + deadLetters;
}

/** Runs a statement until it finds nothing more; gives how many rows it took in all. */
async function repeat(statement: () => PromiseLike<{ readonly count: number }>): Promise<number> {
  let total = 0;
  for (;;) {
    const { count } = await statement();
    total += count;
    if (count === 0) return total;
  }
}
