/**
 * Puts chunks into the ledger as a commit does, for tests of what comes after it.
 */
import { createHash, randomUUID } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import type { ProcessStart } from '@launchbeat/ecs-schemas';
import type { CommittedChunk } from '../../collector/src/commit/commit.ts';
import type { Sql } from '../../collector/src/commit/database.ts';
import { ndjsonLines, TEST_AGENT_ID } from './documents.ts';

export interface ChunkOptions {
  readonly namespace: string;
  /** Documents, or lines as they stand on the wire. A line is stored whether or not it is valid. */
  readonly documents: readonly (ProcessStart | string)[];
  /** Ids of the lines; default: each document's own, and none (a rejected line) for what is given as text. */
  readonly ids?: readonly (string | undefined)[];
  /** How long the committing process holds it; default 60 s. `-infinity` = nobody does. */
  readonly leasedUntil?: 'held' | '-infinity' | 'expired';
  readonly attempts?: number;
}

/** Inserts the row and gives the chunk as commit hands it on. */
export async function insertChunk(sql: Sql, options: ChunkOptions): Promise<CommittedChunk> {
  const raw = ndjsonLines(options.documents);
  const body = zstdCompressSync(raw);
  const ids =
    options.ids ??
    options.documents.map((one) => (typeof one === 'string' ? undefined : one.event.id));
  const lineIds = Buffer.concat(
    ids.map((id) => (id === undefined ? Buffer.alloc(16) : Buffer.from(id, 'base64url'))),
  );
  const leasedUntil = { held: '60 s', '-infinity': '-infinity', expired: '-1 s' }[
    options.leasedUntil ?? 'held'
  ];
  const lines = options.documents.length;
  const attempts = options.attempts ?? 0;
  const [row] = await sql<{ id: string }[]>`
    insert into chunks (agent_id, idempotency_key, digest, encoding, namespace, lines, line_ids, body, body_bytes, receipt,
      leased_until, index_attempts)
    values (${TEST_AGENT_ID}, ${`launchbeat.20261123.1.ndjson@0-${raw.length}/${randomUUID()}`},
      ${createHash('sha256').update(body).digest()}, 'zstd', ${options.namespace}, ${lines}, ${lineIds}, ${body},
      ${body.length}, ${sql.json({ accepted: lines, duplicates: 0, rejected: [] })},
      ${leasedUntil === '-infinity' ? sql`'-infinity'` : sql`now() + ${leasedUntil}::interval`}, ${attempts})
    returning id`;
  return {
    id: Number(row?.id),
    agentId: TEST_AGENT_ID,
    encoding: 'zstd',
    namespace: options.namespace,
    body,
    lines,
    lineIds,
    rejectedLines: ids.flatMap((id, at) => (id === undefined ? [at + 1] : [])),
    attempts,
  };
}
