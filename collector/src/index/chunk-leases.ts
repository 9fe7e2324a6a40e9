/**
 * The index queue in PostgreSQL: takes chunks that nobody works on, keeps their leases, marks them indexed.
 * Keeps: a chunk has one collector at a time; one whose lease ran out is known to have been touched, so that its ids are
 * looked up before anything of it is sent.
 */
import { type CommittedChunk, INDEX_LEASE_MS } from '../commit/commit.ts';
import type { Sql } from '../commit/database.ts';

/** A chunk in the hands of this process. */
export interface HeldChunk {
  readonly id: string;
  readonly chunk: CommittedChunk;
  /** True: some of it may be in Elasticsearch already. */
  readonly suspicious: boolean;
  /** `index_attempts` of the row while this process holds it; another claim raises it. */
  readonly attempts: number;
  /** When the lease ends, by the monotonic clock of this process, in ms. */
  leaseEndsMs: number;
}

/** A line that Elasticsearch will never take. */
export interface DeadLetter {
  readonly chunkId: string;
  /** From 1; 0 = the whole chunk. */
  readonly line: number;
  readonly eventId: string;
  readonly document: Buffer;
  /** HTTP status of the item; 0 = it was never sent. */
  readonly status: number;
  readonly reason: string;
}

/** Rows looked at in one claim. */
const CLAIM_ROWS_MAX = 64;

/** Ends of leases are computed from before the question was asked: never later than PostgreSQL's own. */
export const leaseEnd = (askedAtMs: number): number => askedAtMs + INDEX_LEASE_MS;

interface ClaimedRow {
  readonly id: string;
  readonly agent_id: string;
  readonly encoding: CommittedChunk['encoding'];
  readonly namespace: string;
  readonly lines: number;
  readonly line_ids: Buffer;
  readonly body: Buffer;
  readonly index_attempts: number;
  readonly unsent: boolean;
}

/** Takes the oldest chunks without a lease, up to `bytesMax` of compressed bytes (but at least one). */
export async function claimChunks(sql: Sql, bytesMax: number): Promise<HeldChunk[]> {
  const askedAtMs = performance.now();
  const rows = await sql<ClaimedRow[]>`
    with free as (
      select id, body_bytes, index_attempts = 0 and leased_until = '-infinity' as unsent
      from chunks
      where indexed_at is null and leased_until < now() and body is not null
      order by id limit ${CLAIM_ROWS_MAX}
      for update skip locked
    ), counted as (
      select id, unsent, sum(body_bytes) over (order by id) - body_bytes as bytes_before from free
    )
    update chunks set leased_until = now() + ${INDEX_LEASE_MS} * interval '1 ms', index_attempts = index_attempts + 1
    from counted
    where chunks.id = counted.id and (bytes_before = 0 or bytes_before < ${bytesMax})
    returning chunks.id, agent_id, encoding, namespace, lines, line_ids, body, index_attempts, counted.unsent`;
  return rows
    .map((row) => heldOf(row, leaseEnd(askedAtMs)))
    .sort((a, b) => Number(a.id) - Number(b.id));
}

function heldOf(row: ClaimedRow, leaseEndsMs: number): HeldChunk {
  const chunk: CommittedChunk = {
    id: Number(row.id),
    agentId: row.agent_id,
    encoding: row.encoding,
    namespace: row.namespace,
    body: row.body,
    lines: row.lines,
    lineIds: row.line_ids,
    rejectedLines: [],
    attempts: row.index_attempts,
  };
  return { id: row.id, chunk, suspicious: !row.unsent, attempts: row.index_attempts, leaseEndsMs };
}

/** Prolongs leases; gives the ids that are still this process's. The others were taken over, or are indexed. */
export async function renewLeases(
  sql: Sql,
  held: readonly HeldChunk[],
): Promise<ReadonlySet<string>> {
  if (held.length === 0) return new Set();
  const askedAtMs = performance.now();
  const rows = await sql<{ id: string }[]>`
    update chunks set leased_until = now() + ${INDEX_LEASE_MS} * interval '1 ms'
    from unnest(${held.map((one) => one.id)}::bigint[], ${held.map((one) => one.attempts)}::int[]) as mine (id, attempts)
    where chunks.id = mine.id and index_attempts = mine.attempts and indexed_at is null
    returning chunks.id`;
  const kept = new Set(rows.map((row) => row.id));
  for (const one of held) if (kept.has(one.id)) one.leaseEndsMs = leaseEnd(askedAtMs);
  return kept;
}

/** Gives chunks back. Untouched ones are marked so: whoever takes them next need not look them up. */
export async function releaseLeases(
  sql: Sql,
  held: readonly HeldChunk[],
  touched: boolean,
): Promise<void> {
  const free = sql`'-infinity'`;
  const expired = sql`now()`;
  const release = async (some: readonly HeldChunk[], until: typeof free): Promise<void> => {
    if (some.length === 0) return;
    await sql`
      update chunks set leased_until = ${until}
      from unnest(${some.map((one) => one.id)}::bigint[], ${some.map((one) => one.attempts)}::int[]) as mine (id, attempts)
      where chunks.id = mine.id and index_attempts = mine.attempts and indexed_at is null`;
  };
  await release(
    held.filter((one) => touched || one.suspicious),
    expired,
  );
  await release(
    held.filter((one) => !touched && !one.suspicious),
    free,
  );
}

/** Marks chunks as indexed and keeps what Elasticsearch refused, in one statement. Doing it again changes nothing. */
export async function settleChunks(
  sql: Sql,
  chunkIds: readonly string[],
  deadLetters: readonly DeadLetter[],
): Promise<void> {
  // The lease stays as it is: should a row be queued again by hand, its ids are looked up.
  // Bytes go as hex text: the client has no arrays of bytea.
  const dead = sql`
    with dead as (
      insert into dead_letters (chunk_id, line, event_id, document, status, reason)
      select chunk_id, line, event_id, decode(document, 'hex'), status, reason from unnest(
        ${deadLetters.map((one) => one.chunkId)}::bigint[], ${deadLetters.map((one) => one.line)}::int[],
        ${deadLetters.map((one) => one.eventId)}::text[], ${deadLetters.map((one) => one.document.toString('hex'))}::text[],
        ${deadLetters.map((one) => one.status)}::int[], ${deadLetters.map((one) => one.reason)}::text[]
      ) as given (chunk_id, line, event_id, document, status, reason)
      on conflict (chunk_id, line) do nothing
    )`;
  await sql`
    ${deadLetters.length === 0 ? sql`` : dead}
    update chunks set indexed_at = now() where id = any(${chunkIds}::bigint[]) and indexed_at is null`;
}
