/**
 * POST /v1/chunks: admit, then commit; hands what is new on to index and notify; gives the answer.
 * Keeps: 200 only for what is committed; the chunk's share of the memory bound is given back whatever happens.
 */
import type { Readable } from 'node:stream';
import { type Problem, problem } from '@launchbeat/ecs-schemas';
import type { Admit } from './admit/create-admit.ts';
import { jsonAnswer, type ProblemHeaders, problemAnswer } from './answers.ts';
import type { Commit, CommittedChunk } from './commit/commit.ts';
import type { ReadyEvent } from './commit/ready-event.ts';
import type { ReadyChunk } from './commit/write-chunks.ts';
import type { SecurityFact } from './fleet/security-facts.ts';
import type { MetricsRegistry } from './metrics.ts';

export interface ChunkStages {
  readonly admit: Admit<ReadyEvent>;
  readonly commit: Commit;
  /** Takes what was committed; never fails, never waits. */
  readonly indexer: { offer(chunk: CommittedChunk): void };
  readonly notifier: { wake(): void };
  /** Told of a chunk that another agent must have sent under the same id. */
  readonly noteSecurity?: (fact: SecurityFact) => void;
  readonly metrics: MetricsRegistry;
}

/** What the route needs to know of a request beside the request. */
export interface Connection {
  /** Of the client: the peer's, or what a proxy of the config says. */
  readonly address: string;
  /** Whether the whole request has come in. */
  complete(): boolean;
  /** The body as it comes from the socket; absent: only the request has it. */
  readonly body?: Readable;
}

/** Answers one chunk. */
export async function answerChunk(
  stages: ChunkStages,
  request: Request,
  connection: Connection,
): Promise<Response> {
  const startMs = performance.now();
  const answered = (status: number, name: string): void =>
    stages.metrics.chunkAnswered(status, name, (performance.now() - startMs) / 1000);
  const refuse = (what: Problem, headers: ProblemHeaders): Response => {
    answered(what.status, what.type.split(':').at(-1) ?? '');
    return problemAnswer(what, { ...headers, close: !connection.complete() });
  };

  const admitted = await stages.admit.admit(request, connection);
  if (admitted.outcome === 'refused') {
    return refuse(admitted.problem, { retryAfterSeconds: admitted.retryAfterSeconds });
  }
  const admittedMs = performance.now();
  stages.metrics.stageTook('admit', (admittedMs - startMs) / 1000);
  try {
    const committed = await commitAndHandOn(stages, admitted.admission);
    stages.metrics.stageTook('commit', (performance.now() - admittedMs) / 1000);
    switch (committed.outcome) {
      case 'done':
        answered(200, 'none');
        return jsonAnswer(committed.receipt);
      case 'refused':
        return refuse(committed.problem, {});
      case 'retry': {
        const { reason, retryAfterSeconds } = committed;
        return refuse(problem('unavailable', reason), { retryAfterSeconds });
      }
    }
  } finally {
    admitted.release();
  }
}

async function commitAndHandOn(stages: ChunkStages, admission: ReadyChunk) {
  const committed = await stages.commit.commit(admission);
  if (committed.outcome === 'refused') {
    const { agentId, idempotencyKey, keyId } = admission;
    const reason = `Chunk ${idempotencyKey} came under key ${keyId} with other bytes than before: two agents may have one id`;
    stages.noteSecurity?.({ agentId, kind: 'conflict', reason });
  }
  if (committed.outcome === 'done') {
    stages.metrics.eventStored((Date.now() - admission.lastCreatedMs) / 1000);
    if (committed.chunk !== undefined) stages.indexer.offer(committed.chunk);
    if (committed.alerts > 0) stages.notifier.wake();
  }
  return committed;
}
