/**
 * Takes admissions and their findings, writes them in ONE transaction: the ledger rows, the rows of new events, the alerts of these.
 * Keeps: either all of it is there or nothing; a chunk that was written before changes nothing; locks are taken in one order
 * (chunks by agent, events by id, keys of rules), so that two transactions wait for each other in one direction only.
 */
import { type ChunkReceipt, RESENT_KEY_PREFIX } from '@launchbeat/ecs-schemas';
import { type Admission, LINE_ID_BYTES, NO_LINE_ID } from '../admit/admission.ts';
import type { Sql, TransactionSql } from './database.ts';
import { type EventColumns, eventColumns, type RowOfChunk } from './event-rows.ts';
import { insertAlerts } from './insert-alerts.ts';
import type { ReadyEvent } from './ready-event.ts';
import { trackCandidates } from './track-candidates.ts';

export type Written =
  | {
      readonly kind: 'new';
      readonly chunkId: number;
      readonly receipt: ChunkReceipt;
      /** As in the ledger: zeros for lines that are not to be indexed. */
      readonly lineIds: Buffer;
    }
  | { readonly kind: 'seen'; readonly receipt: ChunkReceipt }
  | { readonly kind: 'conflict' };

/** What one transaction wrote. */
export interface WrittenTogether {
  /** In the order of the chunks. */
  readonly chunks: readonly Written[];
  readonly alerts: number;
  /** Events that were too late for a rule that counts. */
  readonly late: number;
}

/** A chunk with what comes of its documents. */
export type ReadyChunk = Admission<ReadyEvent>;

export interface WriteOptions {
  /** Unix milliseconds. */
  readonly nowMs: number;
  /** The one that commits also indexes: nobody else takes the chunk for so long. Absent: nothing is to be indexed. */
  readonly leaseSeconds?: number;
}

/**
 * Writes chunks of as many agents. Rejects with the client's error, nothing is written then.
 */
export async function writeChunks(
  sql: Sql,
  chunks: readonly ReadyChunk[],
  options: WriteOptions,
): Promise<WrittenTogether> {
  const entries = chunks.map((chunk) => entryOf(chunk, () => true));
  return await sql.begin(async (transaction) => {
    const ids = await claimKeys(transaction, entries, options);
    const fresh = await insertEvents(transaction, chunks, ids);
    const found = chunks.flatMap((chunk) =>
      chunk.admitted.filter(({ eventId }) => fresh.get(eventId) === chunk).map(({ kept }) => kept),
    );
    const tracked = await trackCandidates(
      transaction,
      found.flatMap(({ candidates }) => candidates),
      options.nowMs,
    );
    const alerts = await insertAlerts(transaction, [
      ...found.flatMap((one) => one.alerts),
      ...tracked.alerts,
    ]);
    const written: Written[] = [];
    for (const entry of entries) {
      const { chunk } = entry;
      const id = ids.get(chunk.agentId);
      written.push(
        id === undefined
          ? await seenBefore(transaction, chunk)
          : await settle(transaction, id, entry, (event) => fresh.get(event) === chunk),
      );
    }
    return { chunks: written, alerts, late: tracked.late };
  });
}

/**
 * Attempts to index it that count as made. A chunk that is sent once more after PostgreSQL was restored is new here, and yet
 * Elasticsearch may have it.
 */
export function attemptsBefore({ idempotencyKey }: Pick<ReadyChunk, 'idempotencyKey'>): 0 | 1 {
  return idempotencyKey.startsWith(RESENT_KEY_PREFIX) ? 1 : 0;
}

/** What the ledger says of a chunk. */
interface Entry {
  readonly chunk: ReadyChunk;
  readonly receipt: ChunkReceipt;
  readonly lineIds: Buffer;
}

/** The entry of a chunk where these of its events are new, each once. */
function entryOf(chunk: ReadyChunk, isNew: (eventId: string) => boolean): Entry {
  const lineIds = Buffer.from(chunk.lineIds);
  const named = new Set<string>();
  for (const { line, eventId } of chunk.admitted) {
    // Elasticsearch gets it from an earlier line or chunk.
    if (named.has(eventId) || !isNew(eventId)) {
      lineIds.fill(0, (line - 1) * LINE_ID_BYTES, line * LINE_ID_BYTES);
    } else named.add(eventId);
  }
  const receipt = {
    accepted: named.size,
    duplicates: chunk.admitted.length - named.size,
    rejected: chunk.rejected.map((one) => ({ ...one })),
  };
  return { chunk, receipt, lineIds };
}

/**
 * The ledger rows as they are when every event is new, which is nearly always so; settle() mends the others. Gives the ids by agent;
 * without those whose key is there. Two at once: the second waits for the first; in company not for long, since each can wait by itself.
 */
async function claimKeys(
  sql: TransactionSql,
  given: readonly Entry[],
  { leaseSeconds }: WriteOptions,
): Promise<ReadonlyMap<string, number>> {
  // Goes out in one write with the statement behind it. What fails here shows there.
  if (given.length > 1) sql`set local lock_timeout = '1s'`.catch(() => undefined);
  const entries = given.toSorted(byAgent);
  const column = <Value>(of: (entry: Entry) => Value): Value[] => entries.map(of);
  const rows = await sql<{ id: string; agent_id: string }[]>`
    insert into chunks
      (agent_id, idempotency_key, digest, encoding, namespace, lines, body_bytes, index_attempts, body, line_ids,
       receipt, indexed_at, leased_until)
    select agent_id::uuid, idempotency_key, decode(digest, 'hex'), encoding, namespace, lines::integer,
      body_bytes::integer, index_attempts::integer, decode(body, 'hex'), decode(line_ids, 'hex'), receipt::jsonb,
      ${leaseSeconds === undefined ? sql`now()` : sql`null::timestamptz`}, now() + make_interval(secs => ${leaseSeconds ?? 0})
    from unnest(
      ${column(({ chunk }) => chunk.agentId)}::text[],
      ${column(({ chunk }) => chunk.idempotencyKey)}::text[],
      ${column(({ chunk }) => chunk.digest.toString('hex'))}::text[],
      ${column(({ chunk }) => chunk.encoding)}::text[],
      ${column(({ chunk }) => chunk.namespace)}::text[],
      ${column(({ chunk }) => String(chunk.lines))}::text[],
      ${column(({ chunk }) => String(chunk.body.length))}::text[],
      ${column(({ chunk }) => String(attemptsBefore(chunk)))}::text[],
      ${column(({ chunk }) => chunk.body.toString('hex'))}::text[],
      ${column(({ lineIds }) => lineIds.toString('hex'))}::text[],
      ${column(({ receipt }) => JSON.stringify(receipt))}::text[]
    ) as given (agent_id, idempotency_key, digest, encoding, namespace, lines, body_bytes, index_attempts, body,
      line_ids, receipt)
    on conflict (agent_id, idempotency_key) do nothing
    returning id, agent_id`;
  return new Map(rows.map((row) => [row.agent_id, Number(row.id)]));
}

function byAgent({ chunk: one }: Entry, { chunk: other }: Entry): number {
  return one.agentId < other.agentId ? -1 : 1;
}

/** Mends the ledger row where not every event was new. */
async function settle(
  sql: TransactionSql,
  chunkId: number,
  claimed: Entry,
  isFresh: (eventId: string) => boolean,
): Promise<Written> {
  const { chunk } = claimed;
  const isAllFresh = chunk.admitted.every(({ eventId }) => isFresh(eventId));
  const { receipt, lineIds } = isAllFresh ? claimed : entryOf(chunk, isFresh);
  if (!isAllFresh) {
    await sql`
      update chunks set
        line_ids = ${lineIds}, receipt = ${JSON.stringify(receipt)}::text::jsonb,
        indexed_at = ${receipt.accepted === 0 ? sql`now()` : sql`indexed_at`}
      where id = ${chunkId}`;
  }
  return { kind: 'new', chunkId, receipt, lineIds };
}

/** The same bytes, or the same events in another encoding (the agent's setting changed between two tries): its receipt. */
async function seenBefore(sql: TransactionSql, chunk: ReadyChunk): Promise<Written> {
  const [row] = await sql<{ digest: Buffer; line_ids: Buffer; receipt: ChunkReceipt }[]>`
    select digest, line_ids, receipt from chunks
    where agent_id = ${chunk.agentId} and idempotency_key = ${chunk.idempotencyKey}`;
  // Deleted by the retention between the two statements: the next try begins anew.
  if (row === undefined) throw Object.assign(new Error('Ledger row went away.'), { code: '40001' });
  return row.digest.equals(chunk.digest) || sameEvents(row.line_ids, chunk.lineIds)
    ? { kind: 'seen', receipt: row.receipt }
    : { kind: 'conflict' };
}

/** Whether the lines that the ledger names are these lines; at least one must be named. */
function sameEvents(stored: Buffer, now: Buffer): boolean {
  if (stored.length !== now.length) return false;
  let named = 0;
  for (let at = 0; at < stored.length; at += LINE_ID_BYTES) {
    const id = stored.subarray(at, at + LINE_ID_BYTES);
    if (id.equals(NO_LINE_ID)) continue;
    if (!id.equals(now.subarray(at, at + LINE_ID_BYTES))) return false;
    named += 1;
  }
  return named > 0;
}

/** The events that were new, each with the first of the chunks that brought it. */
async function insertEvents(
  sql: TransactionSql,
  chunks: readonly ReadyChunk[],
  ids: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, ReadyChunk>> {
  const written = chunks.filter((one) => ids.has(one.agentId));
  const broughtBy = new Map<string, ReadyChunk>();
  const events: RowOfChunk[] = [];
  for (const [at, chunk] of written.entries()) {
    for (const { eventId, kept } of chunk.admitted) {
      if (broughtBy.has(eventId)) continue;
      broughtBy.set(eventId, chunk);
      events.push({ row: kept.row, chunk: at + 1 });
    }
  }
  if (events.length === 0) return broughtBy;
  const column = eventColumns(events);
  const agentIds = written.map((one) => one.agentId);
  const chunkIds = agentIds.map((agentId) => String(ids.get(agentId)));
  const inserted = await sql`
    insert into events (
      event_id, "timestamp", username, user_domain, user_sid, process_name, executable, command_line,
      process_pid, parent_name, parent_executable, parent_pid, host_name, program, launch, flags, record_id,
      agent_id, chunk_id)
    select
      event_id, at::timestamptz, username, user_domain, user_sid, process_name, executable, command_line,
      process_pid::bigint, parent_name, parent_executable, parent_pid::bigint, host_name, program,
      launch::boolean, flags::text[], record_id::bigint,
      (${agentIds}::text[])[chunk::integer]::uuid, (${chunkIds}::text[])[chunk::integer]::bigint
    from unnest(
      ${column.event_id}::text[], ${column.timestamp}::text[], ${column.username}::text[],
      ${column.user_domain}::text[], ${column.user_sid}::text[], ${column.process_name}::text[],
      ${column.executable}::text[], ${column.command_line}::text[], ${column.process_pid}::text[],
      ${column.parent_name}::text[], ${column.parent_executable}::text[], ${column.parent_pid}::text[],
      ${column.host_name}::text[], ${column.program}::text[], ${column.launch}::text[],
      ${column.flags}::text[], ${column.record_id}::text[], ${column.chunk}::text[]
    ) as given (
      event_id, at, username, user_domain, user_sid, process_name, executable, command_line, process_pid,
      parent_name, parent_executable, parent_pid, host_name, program, launch, flags, record_id, chunk)
    on conflict do nothing`;
  if (inserted.count === events.length) return broughtBy;
  const fresh = await freshOf(sql, column, chunkIds);
  return new Map([...broughtBy].filter(([id]) => fresh.has(id)));
}

/**
 * Those of the events that these chunks wrote. Asked only where some were there before, since nearly always none was: to have all ids
 * back from the insert costs more. The limit makes it one look into the primary key for each, however many days there are.
 */
async function freshOf(
  sql: TransactionSql,
  { event_id: eventIds, timestamp }: EventColumns,
  chunkIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await sql<{ event_id: string }[]>`
    select given.event_id
    from unnest(${eventIds}::text[], ${timestamp}::text[]) as given (event_id, at)
    cross join lateral (
      select chunk_id from events
      where "timestamp" = given.at::timestamptz and events.event_id = given.event_id
      limit 1
    ) as stored
    where stored.chunk_id = any(${chunkIds}::bigint[])`;
  return new Set(rows.map((row) => row.event_id));
}
