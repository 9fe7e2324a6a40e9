/**
 * Takes an admission, gives the receipt once everything of it is in PostgreSQL.
 * Keeps: `done` only after the commit; whatever is unknown is `retry`, since the same chunk may come again at no harm.
 */
import { type ChunkReceipt, type Encoding, type Problem, problem } from '@launchbeat/ecs-schemas';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { LINE_ID_BYTES, NO_LINE_ID } from '../admit/admission.ts';
import type { Sql } from './database.ts';
import { createEventPartitions, DAY_MS } from './event-partitions.ts';
import { createGroups } from './group-commits.ts';
import { createIndexQueue, type QueueSize } from './index-queue.ts';
import type { PostgresqlConfig } from './postgresql-config.ts';
import { faultOf } from './postgresql-faults.ts';
import {
  attemptsBefore,
  type ReadyChunk,
  type Written,
  type WrittenTogether,
  writeChunks,
} from './write-chunks.ts';

/** A chunk that Elasticsearch is to get, as the ledger has it. */
export interface CommittedChunk {
  readonly id: number;
  readonly agentId: string;
  readonly encoding: Encoding;
  readonly namespace: string;
  /** Compressed, as it came. */
  readonly body: Buffer;
  /** Decompressed, where it still is at hand. */
  readonly raw?: Buffer;
  readonly lines: number;
  /** 16 bytes a line; zeros = not to be indexed. */
  readonly lineIds: Buffer;
  /** Lines from 1 whose id is zeros: rejected, or stored with an earlier line or chunk. */
  readonly rejectedLines: readonly number[];
  /** Times that somebody tried to index it before. */
  readonly attempts: number;
}

export type CommitOutcome =
  | {
      readonly outcome: 'done';
      readonly receipt: ChunkReceipt;
      /** Absent where there is nothing to index: seen before, nothing new, or indexing is off. */
      readonly chunk?: CommittedChunk;
      /** Of its transaction. */
      readonly alerts: number;
    }
  | { readonly outcome: 'refused'; readonly problem: Problem }
  | { readonly outcome: 'retry'; readonly reason: string; readonly retryAfterSeconds: number };

export interface CommitOptions {
  readonly sql: Sql;
  readonly config: Omit<PostgresqlConfig, 'url'>;
  /** Whether chunks go to Elasticsearch. */
  readonly indexing: boolean;
  readonly log: Log;
  /** Unix milliseconds, for tests. */
  readonly now?: () => number;
}

export interface CommitCounts {
  /** Chunks committed, without those seen before. */
  readonly chunks: number;
  readonly chunksSeen: number;
  readonly conflicts: number;
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: number;
  readonly alerts: number;
  /** Events that were too late for a rule that counts. */
  readonly late: number;
  /** Answers `retry`. */
  readonly retries: number;
  /** Small chunks that come together share one. */
  readonly transactions: number;
}

export interface Commit {
  commit(admission: ReadyChunk): Promise<CommitOutcome>;
  counts(): CommitCounts;
  /** The queue to Elasticsearch as of some seconds ago. */
  queue(): QueueSize;
}

/** How long a collector that died keeps others from the chunks that it was to index, in ms. One that lives renews in time. */
export const INDEX_LEASE_MS = 20_000;
const TRIES_MAX = 3;
const DOWN_RETRY_S = 5;
const FULL_RETRY_S = 30;

/** Makes the stage. */
export function createCommit(options: CommitOptions): Commit {
  const { sql, config, log } = options;
  const partitions = createEventPartitions(sql, config.retention);
  const queue = createIndexQueue(sql, config.queue);
  const groups = createGroups<ReadyChunk, CommitOutcome>({
    // The other half of the connections is for keys, index and notify.
    places: Math.max(1, Math.floor(config.connections_max / 2)),
    run: store,
    mayPassAlone: (error) => faultOf(error) !== 'down',
  });
  const count = {
    chunks: 0,
    chunksSeen: 0,
    conflicts: 0,
    accepted: 0,
    duplicates: 0,
    rejected: 0,
    alerts: 0,
    late: 0,
    retries: 0,
    transactions: 0,
  };

  function retry(reason: string, retryAfterSeconds: number): CommitOutcome {
    count.retries += 1;
    return { outcome: 'retry', reason, retryAfterSeconds };
  }

  async function store(admissions: readonly ReadyChunk[]): Promise<CommitOutcome[]> {
    const full = options.indexing ? await queue.full() : undefined;
    if (full !== undefined) {
      const reason = `The queue to Elasticsearch is full. ${full}`;
      return admissions.map(() => retry(reason, FULL_RETRY_S));
    }
    await partitions.ensure(daysOf(admissions));
    const together = await write(options, admissions);
    count.transactions += 1;
    count.alerts += together.alerts;
    count.late += together.late;
    return together.chunks.map((written, at) =>
      settle(admissions[at] as ReadyChunk, written, together.alerts),
    );
  }

  function settle(admission: ReadyChunk, written: Written, alerts: number): CommitOutcome {
    switch (written.kind) {
      case 'conflict':
        count.conflicts += 1;
        log.error(
          { 'agent.id': admission.agentId, 'launchbeat.chunk.key': admission.idempotencyKey },
          'Chunk has the key of another one. Two PCs may share this agent id: delete agent.json on the copy.',
        );
        return {
          outcome: 'refused',
          problem: problem('conflict', 'Other events came under this key before. Is this a copy?'),
        };
      case 'seen':
        count.chunksSeen += 1;
        return { outcome: 'done', receipt: written.receipt, alerts: 0 };
      case 'new': {
        const { receipt } = written;
        count.chunks += 1;
        count.accepted += receipt.accepted;
        count.duplicates += receipt.duplicates;
        count.rejected += receipt.rejected.length;
        if (!options.indexing || receipt.accepted === 0)
          return { outcome: 'done', receipt, alerts };
        queue.add(admission.body.length, admission.lines);
        return { outcome: 'done', receipt, alerts, chunk: chunkOf(admission, written) };
      }
    }
  }

  return {
    counts: () => ({ ...count }),
    queue: () => queue.size(),
    async commit(admission) {
      const begun = await groups.enter(admission, config.commit_timeout);
      if (begun === undefined) return retry('PostgreSQL is too slow.', DOWN_RETRY_S);
      try {
        // A late one keeps its place: a PostgreSQL that hangs holds so many transactions and no more.
        const settled = await within(begun.result, config.commit_timeout);
        return settled ?? retry('PostgreSQL is too slow.', DOWN_RETRY_S);
      } catch (err) {
        if (faultOf(err) === 'bug') throw err;
        log.warn({ err }, 'Chunk could not be committed; the agent will send it again.');
        return retry('PostgreSQL cannot be used.', DOWN_RETRY_S);
      }
    },
  };
}

async function write(
  options: CommitOptions,
  admissions: readonly ReadyChunk[],
): Promise<WrittenTogether> {
  const nowMs = (options.now ?? Date.now)();
  const lease = options.indexing ? { nowMs, leaseSeconds: INDEX_LEASE_MS / 1000 } : { nowMs };
  // Several are tried one by one next.
  const triesMax = admissions.length === 1 ? TRIES_MAX : 1;
  for (let tries = 1; ; tries += 1) {
    try {
      return await writeChunks(options.sql, admissions, lease);
    } catch (error) {
      if (faultOf(error) !== 'again' || tries === triesMax) throw error;
    }
  }
}

/** What the work gives, or undefined if it takes longer; its later failure is nobody's any more. */
async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs);
  });
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** UTC days since 1970 of the chunks' events. */
function daysOf(admissions: readonly ReadyChunk[]): ReadonlySet<number> {
  const days = new Set<number>();
  for (const { lineIds } of admissions) {
    for (let at = 0; at < lineIds.length; at += LINE_ID_BYTES) {
      // The first 6 bytes of an event.id are its time in Unix milliseconds.
      const timeMs = lineIds.readUIntBE(at, 6);
      if (timeMs > 0) days.add(Math.floor(timeMs / DAY_MS));
    }
  }
  return days;
}

function chunkOf(
  admission: ReadyChunk,
  written: Extract<Written, { kind: 'new' }>,
): CommittedChunk {
  const { agentId, encoding, namespace, body, raw, lines } = admission;
  const { lineIds } = written;
  const rejectedLines: number[] = [];
  for (let line = 1; line <= lines; line += 1) {
    const id = lineIds.subarray((line - 1) * LINE_ID_BYTES, line * LINE_ID_BYTES);
    if (id.equals(NO_LINE_ID)) rejectedLines.push(line);
  }
  return {
    id: written.chunkId,
    agentId,
    encoding,
    namespace,
    body,
    raw,
    lines,
    lineIds,
    rejectedLines,
    attempts: attemptsBefore(admission),
  };
}
