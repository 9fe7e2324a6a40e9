/**
 * Takes an admission and its alerts, writes them in ONE transaction: the ledger row, the rows of new events, the alerts of these.
 * Keeps: either all of it is there or nothing; a chunk that was written before changes nothing.
 */
import { type ChunkReceipt, type ProcessStart, RESENT_KEY_PREFIX } from '@launchbeat/ecs-schemas';
import { type Admission, LINE_ID_BYTES } from '../admit/admission.ts';
import type { Alert } from '../assess/assess.ts';
import type { Candidate } from '../assess/candidates.ts';
import type { Sql, TransactionSql } from './database.ts';
import { eventColumns } from './event-rows.ts';
import { insertAlerts } from './insert-alerts.ts';
import { trackCandidates } from './track-candidates.ts';

export type Written =
  | {
      readonly kind: 'new';
      readonly chunkId: number;
      readonly receipt: ChunkReceipt;
      /** As in the ledger: zeros for lines that are not to be indexed. */
      readonly lineIds: Buffer;
      readonly alerts: number;
      /** Events that were too late for a rule that counts. */
      readonly late: number;
    }
  | { readonly kind: 'seen'; readonly receipt: ChunkReceipt }
  | { readonly kind: 'conflict' };

/** What comes of the documents. */
export interface Findings {
  readonly alerts: readonly Alert[];
  readonly candidates: readonly Candidate[];
}

export interface WriteOptions {
  /** Unix milliseconds. */
  readonly nowMs: number;
  /** The one that commits also indexes: nobody else takes the chunk for so long. Absent: nothing is to be indexed. */
  readonly leaseSeconds?: number;
}

/** Writes; the findings are those of all documents. Rejects with the client's error, nothing is written then. */
export async function writeChunk(
  sql: Sql,
  admission: Admission,
  findings: Findings,
  options: WriteOptions,
): Promise<Written> {
  return await sql.begin(async (transaction) => {
    const chunkId = await claimKey(transaction, admission);
    if (chunkId === undefined) return await seenBefore(transaction, admission);
    const fresh = await insertEvents(transaction, chunkId, admission);
    const isFresh = ({ eventId }: { readonly eventId: string }): boolean => fresh.has(eventId);
    const tracked = await trackCandidates(
      transaction,
      findings.candidates.filter(isFresh),
      options.nowMs,
    );
    const raised = await insertAlerts(transaction, [
      ...findings.alerts.filter(isFresh),
      ...tracked.alerts,
    ]);
    const lineIds = lineIdsToIndex(admission, fresh);
    const receipt = {
      accepted: fresh.size,
      duplicates: admission.admitted.length - fresh.size,
      rejected: admission.rejected.map((one) => ({ ...one })),
    };
    const lease = fresh.size === 0 ? undefined : options.leaseSeconds;
    await transaction`
      update chunks set
        body = ${admission.body}, line_ids = ${lineIds}, receipt = ${transaction.json(receipt)},
        indexed_at = ${lease === undefined ? transaction`now()` : null},
        leased_until = now() + make_interval(secs => ${lease ?? 0}), index_attempts = ${attemptsBefore(admission)}
      where id = ${chunkId}`;
    return { kind: 'new', chunkId, receipt, lineIds, alerts: raised, late: tracked.late };
  });
}

/**
 * Attempts to index it that count as made. A chunk that is sent once more after PostgreSQL was restored is new here, and yet
 * Elasticsearch may have it.
 */
export function attemptsBefore({ idempotencyKey }: Pick<Admission, 'idempotencyKey'>): 0 | 1 {
  return idempotencyKey.startsWith(RESENT_KEY_PREFIX) ? 1 : 0;
}

/** The ledger row without its bytes; undefined if the key is there. Two at once: the second waits for the first. */
async function claimKey(sql: TransactionSql, admission: Admission): Promise<number | undefined> {
  const { agentId, idempotencyKey, digest, encoding, namespace, lines, body } = admission;
  const [row] = await sql<{ id: string }[]>`
    insert into chunks
      (agent_id, idempotency_key, digest, encoding, namespace, lines, line_ids, body_bytes, receipt)
    values
      (${agentId}, ${idempotencyKey}, ${digest}, ${encoding}, ${namespace}, ${lines}, '', ${body.length}, '{}')
    on conflict (agent_id, idempotency_key) do nothing
    returning id`;
  return row === undefined ? undefined : Number(row.id);
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

/** Ids of the events that were new. */
async function insertEvents(
  sql: TransactionSql,
  chunkId: number,
  admission: Admission,
): Promise<ReadonlySet<string>> {
  const documents = new Map<string, ProcessStart>();
  for (const { document } of admission.admitted) {
    if (!documents.has(document.event.id)) documents.set(document.event.id, document);
  }
  const column = eventColumns([...documents.values()]);
  const rows = await sql<{ event_id: string }[]>`
    insert into events (
      event_id, "timestamp", username, user_domain, user_sid, process_name, executable, command_line,
      process_pid, parent_name, parent_executable, parent_pid, host_name, program, launch, flags, record_id,
      agent_id, chunk_id)
    select
      event_id, at::timestamptz, username, user_domain, user_sid, process_name, executable, command_line,
      process_pid::bigint, parent_name, parent_executable, parent_pid::bigint, host_name, program,
      launch::boolean, flags::text[], record_id::bigint, ${admission.agentId}::uuid, ${chunkId}::bigint
    from unnest(
      ${column.event_id}::text[], ${column.timestamp}::text[], ${column.username}::text[],
      ${column.user_domain}::text[], ${column.user_sid}::text[], ${column.process_name}::text[],
      ${column.executable}::text[], ${column.command_line}::text[], ${column.process_pid}::text[],
      ${column.parent_name}::text[], ${column.parent_executable}::text[], ${column.parent_pid}::text[],
      ${column.host_name}::text[], ${column.program}::text[], ${column.launch}::text[],
      ${column.flags}::text[], ${column.record_id}::text[]
    ) as given (
      event_id, at, username, user_domain, user_sid, process_name, executable, command_line, process_pid,
      parent_name, parent_executable, parent_pid, host_name, program, launch, flags, record_id)
    on conflict do nothing
    returning event_id`;
  return new Set(rows.map((row) => row.event_id));
}

/** Line ids with zeros where Elasticsearch gets the event from an earlier line or chunk, or not at all. */
function lineIdsToIndex(admission: Admission, fresh: ReadonlySet<string>): Buffer {
  const lineIds = Buffer.from(admission.lineIds);
  const named = new Set<string>();
  for (const { line, document } of admission.admitted) {
    const { id } = document.event;
    if (!fresh.has(id) || named.has(id)) {
      lineIds.fill(0, (line - 1) * LINE_ID_BYTES, line * LINE_ID_BYTES);
    }
    named.add(id);
  }
  return lineIds;
}
