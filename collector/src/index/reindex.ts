/**
 * Queues chunks of the archive for Elasticsearch once more, a slice at a time, and tells how far it came.
 * Keeps: never more than a slice waits at once, so that the queue's bounds do not turn agents away; a chunk that is queued again
 * counts as touched, so that its ids are looked up and nothing is doubled; dead letters of these chunks are judged anew.
 */
import { pause } from '@launchbeat/ecs-schemas/beat';
import type { Sql } from '../commit/database.ts';

export interface ReindexRange {
  /** Chunks that the collector received from then on. */
  readonly since: Date;
  /** And before then. */
  readonly until: Date;
  /** Only of this agent. */
  readonly agentId?: string | undefined;
}

/** What the archive holds of a range. */
export interface ReindexScope {
  readonly chunks: number;
  readonly lines: number;
  /** Compressed. */
  readonly bytes: number;
  /** Chunks whose bytes are gone: the archive's retention is over. */
  readonly gone: number;
}

export interface ReindexOptions extends ReindexRange {
  readonly sql: Sql;
  readonly signal: AbortSignal;
  /** Hears of it each time that it looked. */
  readonly onProgress: (done: Pick<ReindexScope, 'chunks' | 'lines'>) => void;
  /** Compressed bytes that wait at once; default 32 MiB. */
  readonly sliceBytes?: number;
}

export type ReindexOutcome =
  | { readonly outcome: 'done'; readonly chunks: number; readonly lines: number }
  /** Asked to stop; what was queued so far is indexed by the collectors. */
  | { readonly outcome: 'stopped'; readonly chunks: number; readonly lines: number };

const SLICE_BYTES = 32 * 1024 * 1024;
const LOOK_ROWS = 500;
const POLL_MS = 200;

/** Looks and changes nothing. */
export async function reindexScope(sql: Sql, range: ReindexRange): Promise<ReindexScope> {
  const [row] = await sql<Record<keyof ReindexScope, string>[]>`
    select count(*) filter (where body is not null) as chunks, count(*) filter (where body is null) as gone,
      coalesce(sum(lines) filter (where body is not null), 0) as lines,
      coalesce(sum(body_bytes) filter (where body is not null), 0) as bytes
    from chunks where ${inRange(sql, range)}`;
  return {
    chunks: Number(row?.chunks),
    lines: Number(row?.lines),
    bytes: Number(row?.bytes),
    gone: Number(row?.gone),
  };
}

/** Chunks that were indexed, and had something to index. */
function inRange(sql: Sql, { since, until, agentId }: ReindexRange) {
  const agent = agentId ?? null;
  return sql`
    received_at >= ${since} and received_at < ${until} and indexed_at is not null
    and (${agent}::uuid is null or agent_id = ${agent}::uuid)`;
}

interface Queued {
  readonly id: string;
  readonly bytes: number;
  readonly lines: number;
}

/** Queues everything of the range and waits until it is indexed, by whoever does it. Rejects when PostgreSQL cannot be used. */
export async function reindex(options: ReindexOptions): Promise<ReindexOutcome> {
  const { sql, signal, onProgress, sliceBytes = SLICE_BYTES } = options;
  const done = { chunks: 0, lines: 0 };
  let waiting: readonly Queued[] = [];
  let after = '0';
  let isAll = false;
  while (!signal.aborted) {
    const still = await stillWaiting(sql, waiting);
    for (const one of waiting.filter(({ id }) => !still.has(id))) {
      done.chunks += 1;
      done.lines += one.lines;
    }
    waiting = waiting.filter(({ id }) => still.has(id));
    onProgress({ ...done });
    if (isAll && waiting.length === 0) return { outcome: 'done', ...done };
    const room = sliceBytes - bytesOf(waiting);
    if (!isAll && room > sliceBytes / 2) {
      const next = await queueNext(options, after, room);
      isAll = next.length === 0;
      after = next.at(-1)?.id ?? after;
      waiting = [...waiting, ...next];
    } else {
      await pause(POLL_MS, signal);
    }
  }
  return { outcome: 'stopped', ...done };
}

const bytesOf = (chunks: readonly Queued[]): number =>
  chunks.reduce((sum, one) => sum + one.bytes, 0);

async function stillWaiting(sql: Sql, chunks: readonly Queued[]): Promise<ReadonlySet<string>> {
  if (chunks.length === 0) return new Set();
  const rows = await sql<{ id: string }[]>`
    select id from chunks where id = any(${chunks.map((one) => one.id)}::bigint[]) and indexed_at is null`;
  return new Set(rows.map((row) => row.id));
}

/** Queues the next chunks behind `after`, as many as there is room for, but at least one. None: there are no more. */
async function queueNext(
  { sql, ...range }: ReindexOptions,
  after: string,
  room: number,
): Promise<readonly Queued[]> {
  return await sql.begin(async (transaction) => {
    // A retention that empties a chunk meanwhile waits, or was faster: then the row does not match any more.
    const rows = await transaction<{ id: string; bytes: number; lines: number; before: string }[]>`
      with upcoming as (
        select id, body_bytes, lines from chunks
        where id > ${after} and body is not null and ${inRange(sql, range)}
        order by id limit ${LOOK_ROWS} for update
      )
      select id, body_bytes as bytes, lines, sum(body_bytes) over (order by id) - body_bytes as before
      from upcoming order by id`;
    const queued = rows.filter((row) => Number(row.before) < room);
    const ids = queued.map((row) => row.id);
    await transaction`delete from dead_letters where chunk_id = any(${ids}::bigint[])`;
    await transaction`
      update chunks set indexed_at = null, index_attempts = index_attempts + 1, leased_until = least(leased_until, now())
      where id = any(${ids}::bigint[])`;
    return queued;
  });
}
