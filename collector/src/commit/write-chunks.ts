/**
 * Takes admissions and their findings, writes them in ONE transaction: the ledger rows, the rows of new events, the alerts of these.
 * Keeps: either all of it is there or nothing; a chunk that was written before changes nothing; locks are taken in one order
 * (chunks by agent, events by id, keys of rules), so that two transactions wait for each other in one direction only.
 */
import { type ChunkReceipt, RESENT_KEY_PREFIX } from '@launchbeat/ecs-schemas';
import { type Admission, LINE_ID_BYTES } from '../admit/admission.ts';
import type { Alert } from '../assess/assess.ts';
import type { Candidate } from '../assess/candidates.ts';
import type { Sql, TransactionSql } from './database.ts';
import { type EventOfChunk, eventColumns } from './event-rows.ts';
import { insertAlerts } from './insert-alerts.ts';
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
export interface ChunkToWrite {
  readonly admission: Admission;
  readonly alerts: readonly Alert[];
  readonly candidates: readonly Candidate[];
}

export interface WriteOptions {
  /** Unix milliseconds. */
  readonly nowMs: number;
  /** The one that commits also indexes: nobody else takes the chunk for so long. Absent: nothing is to be indexed. */
  readonly leaseSeconds?: number;
}

/**
 * Writes chunks of as many agents; the findings are those of all documents. Rejects with the client's error, nothing is written
 * then.
 */
export async function writeChunks(
  sql: Sql,
  chunks: readonly ChunkToWrite[],
  options: WriteOptions,
): Promise<WrittenTogether> {
  return await sql.begin(async (transaction) => {
    const ids = await claimKeys(transaction, chunks, options);
    const fresh = await insertEvents(transaction, chunks, ids);
    const isFresh = (chunk: ChunkToWrite, { eventId }: { readonly eventId: string }): boolean =>
      fresh.get(eventId) === chunk;
    const tracked = await trackCandidates(
      transaction,
      chunks.flatMap((one) => one.candidates.filter((candidate) => isFresh(one, candidate))),
      options.nowMs,
    );
    const alerts = await insertAlerts(transaction, [
      ...chunks.flatMap((one) => one.alerts.filter((alert) => isFresh(one, alert))),
      ...tracked.alerts,
    ]);
    const written: Written[] = [];
    for (const chunk of chunks) {
      const id = ids.get(chunk.admission.agentId);
      written.push(
        id === undefined
          ? await seenBefore(transaction, chunk.admission)
          : await settle(
              transaction,
              id,
              entryOf(chunk, (event) => fresh.get(event) === chunk),
            ),
      );
    }
    return { chunks: written, alerts, late: tracked.late };
  });
}

/**
 * Attempts to index it that count as made. A chunk that is sent once more after PostgreSQL was restored is new here, and yet
 * Elasticsearch may have it.
 */
export function attemptsBefore({ idempotencyKey }: Pick<Admission, 'idempotencyKey'>): 0 | 1 {
  return idempotencyKey.startsWith(RESENT_KEY_PREFIX) ? 1 : 0;
}

/** What the ledger says of a chunk. */
interface Entry {
  readonly admission: Admission;
  readonly receipt: ChunkReceipt;
  readonly lineIds: Buffer;
}

/** The entry of a chunk where these of its events are new, each once. */
function entryOf({ admission }: ChunkToWrite, isNew: (eventId: string) => boolean): Entry {
  const lineIds = Buffer.from(admission.lineIds);
  const named = new Set<string>();
  for (const { line, document } of admission.admitted) {
    const { id } = document.event;
    // Elasticsearch gets it from an earlier line or chunk.
    if (named.has(id) || !isNew(id)) {
      lineIds.fill(0, (line - 1) * LINE_ID_BYTES, line * LINE_ID_BYTES);
    } else named.add(id);
  }
  const receipt = {
    accepted: named.size,
    duplicates: admission.admitted.length - named.size,
    rejected: admission.rejected.map((one) => ({ ...one })),
  };
  return { admission, receipt, lineIds };
}

/**
 * The ledger rows as they are when every event is new, which is nearly always so; settle() mends the others. Gives the ids by agent;
 * without those whose key is there. Two at once: the second waits for the first; in company not for long, since each can wait by itself.
 */
async function claimKeys(
  sql: TransactionSql,
  chunks: readonly ChunkToWrite[],
  { leaseSeconds }: WriteOptions,
): Promise<ReadonlyMap<string, number>> {
  // Goes out in one write with the statement behind it. What fails here shows there.
  if (chunks.length > 1) sql`set local lock_timeout = '1s'`.catch(() => undefined);
  const entries = chunks.map((one) => entryOf(one, () => true)).sort(byAgent);
  const column = <Value>(of: (entry: Entry) => Value): Value[] => entries.map(of);
  const rows = await sql<{ id: string; agent_id: string }[]>`
    insert into chunks
      (agent_id, idempotency_key, digest, encoding, namespace, lines, body_bytes, index_attempts, body, line_ids,
       receipt, indexed_at, leased_until)
    select agent_id::uuid, idempotency_key, decode(digest, 'hex'), encoding, namespace, lines::integer,
      body_bytes::integer, index_attempts::integer, decode(body, 'hex'), decode(line_ids, 'hex'), receipt::jsonb,
      ${leaseSeconds === undefined ? sql`now()` : sql`null::timestamptz`}, now() + make_interval(secs => ${leaseSeconds ?? 0})
    from unnest(
      ${column(({ admission }) => admission.agentId)}::text[],
      ${column(({ admission }) => admission.idempotencyKey)}::text[],
      ${column(({ admission }) => admission.digest.toString('hex'))}::text[],
      ${column(({ admission }) => admission.encoding)}::text[],
      ${column(({ admission }) => admission.namespace)}::text[],
      ${column(({ admission }) => String(admission.lines))}::text[],
      ${column(({ admission }) => String(admission.body.length))}::text[],
      ${column(({ admission }) => String(attemptsBefore(admission)))}::text[],
      ${column(({ admission }) => admission.body.toString('hex'))}::text[],
      ${column(({ lineIds }) => lineIds.toString('hex'))}::text[],
      ${column(({ receipt }) => JSON.stringify(receipt))}::text[]
    ) as given (agent_id, idempotency_key, digest, encoding, namespace, lines, body_bytes, index_attempts, body,
      line_ids, receipt)
    on conflict (agent_id, idempotency_key) do nothing
    returning id, agent_id`;
  return new Map(rows.map((row) => [row.agent_id, Number(row.id)]));
}

function byAgent({ admission: one }: Entry, { admission: other }: Entry): number {
  return one.agentId < other.agentId ? -1 : 1;
}

/** Mends the ledger row where not every event was new. */
async function settle(sql: TransactionSql, chunkId: number, entry: Entry): Promise<Written> {
  const { admission, receipt, lineIds } = entry;
  const distinct = new Set(admission.admitted.map(({ document }) => document.event.id)).size;
  if (receipt.accepted < distinct) {
    await sql`
      update chunks set
        line_ids = ${lineIds}, receipt = ${JSON.stringify(receipt)}::text::jsonb,
        indexed_at = ${receipt.accepted === 0 ? sql`now()` : sql`indexed_at`}
      where id = ${chunkId}`;
  }
  return { kind: 'new', chunkId, receipt, lineIds };
}

/** The same bytes, or the same events in another encoding (the agent's setting changed between two tries): its receipt. */
async function seenBefore(sql: TransactionSql, admission: Admission): Promise<Written> {
  const [row] = await sql<{ digest: Buffer; line_ids: Buffer; receipt: ChunkReceipt }[]>`
    select digest, line_ids, receipt from chunks
    where agent_id = ${admission.agentId} and idempotency_key = ${admission.idempotencyKey}`;
  // Deleted by the retention between the two statements: the next try begins anew.
  if (row === undefined) throw Object.assign(new Error('Ledger row went away.'), { code: '40001' });
  return row.digest.equals(admission.digest) || sameEvents(row.line_ids, admission.lineIds)
    ? { kind: 'seen', receipt: row.receipt }
    : { kind: 'conflict' };
}

/** Whether the lines that the ledger names are these lines; at least one must be named. */
function sameEvents(stored: Buffer, now: Buffer): boolean {
  if (stored.length !== now.length) return false;
  let named = 0;
  for (let at = 0; at < stored.length; at += LINE_ID_BYTES) {
    const id = stored.subarray(at, at + LINE_ID_BYTES);
    if (id.equals(NO_ID)) continue;
    if (!id.equals(now.subarray(at, at + LINE_ID_BYTES))) return false;
    named += 1;
  }
  return named > 0;
}

const NO_ID = Buffer.alloc(LINE_ID_BYTES);

/** The events that were new, each with the first of the chunks that brought it. */
async function insertEvents(
  sql: TransactionSql,
  chunks: readonly ChunkToWrite[],
  ids: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, ChunkToWrite>> {
  const written = chunks.filter((one) => ids.has(one.admission.agentId));
  const broughtBy = new Map<string, ChunkToWrite>();
  const events: EventOfChunk[] = [];
  for (const [at, chunk] of written.entries()) {
    for (const { document } of chunk.admission.admitted) {
      if (broughtBy.has(document.event.id)) continue;
      broughtBy.set(document.event.id, chunk);
      events.push({ document, chunk: at + 1 });
    }
  }
  if (events.length === 0) return broughtBy;
  const column = eventColumns(events);
  const agentIds = written.map(({ admission }) => admission.agentId);
  const chunkIds = agentIds.map((agentId) => String(ids.get(agentId)));
  const rows = await sql<{ event_id: string }[]>`
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
    on conflict do nothing
    returning event_id`;
  if (rows.length === events.length) return broughtBy;
  const fresh = new Set(rows.map((row) => row.event_id));
  return new Map([...broughtBy].filter(([id]) => fresh.has(id)));
}
