/**
 * Takes batches from the queue one after the other, gives each to Elasticsearch and settles its chunks in the ledger.
 * Keeps: a chunk whose lease ran out is not touched before PostgreSQL says that it is still ours; an answer is waited for
 * even when a stop was asked for, within a grace period, since it spares the next one a look-up.
 */

import { pause } from '@launchbeat/ecs-schemas/beat';
import {
  type DeadLetter,
  type HeldChunk,
  releaseLeases,
  renewLeases,
  settleChunks,
} from './chunk-leases.ts';
import type { Batch } from './chunk-queue.ts';
import { indexBatch } from './index-batch.ts';
import type { IndexerState } from './indexer-state.ts';

/** A request in flight may end by itself for so long after a stop was asked for. */
const STOP_GRACE_MS = 5_000;
const DATABASE_RETRY_MS = 1_000;

/** Works until aborted. Never throws for a store that is down. */
export async function runWorker(state: IndexerState, signal: AbortSignal): Promise<void> {
  const abandon = new AbortController();
  const end = (): void => {
    setTimeout(() => abandon.abort(), STOP_GRACE_MS).unref();
  };
  signal.addEventListener('abort', end, { once: true });
  for (
    let batch = await state.queue.take(signal);
    batch !== undefined;
    batch = await state.queue.take(signal)
  ) {
    const chunks = [...batch.chunks, ...batch.broken.map((one) => one.held)];
    for (const held of chunks) state.sending.set(held.id, held);
    try {
      await work(state, batch, signal, abandon.signal);
    } finally {
      for (const held of chunks) state.sending.delete(held.id);
    }
  }
  signal.removeEventListener('abort', end);
}

async function work(
  state: IndexerState,
  batch: Batch,
  signal: AbortSignal,
  abandon: AbortSignal,
): Promise<void> {
  const ours = await stillOurs(state, batch.chunks, signal);
  const lines = batch.lines.filter((line) => ours.has(line.chunkId));
  const done = await indexBatch(
    lines,
    [...ours.values()].some((held) => held.suspicious),
    {
      client: state.client,
      namespace: batch.namespace,
      window: state.window,
      mender: state.mender,
      retries: state.retries,
      signal,
      abandon,
      counts: state.counts,
    },
  );
  if (done.outcome === 'stopped') {
    await releaseLeases(state.sql, [...ours.values()], true).catch(() => undefined);
    return;
  }
  const broken = batch.broken.map(({ held, reason }) => brokenChunk(held, reason));
  state.counts.deadLetters += broken.length;
  const settled = [...ours.keys(), ...broken.map((one) => one.chunkId)];
  await settle(state, settled, [...done.deadLetters, ...broken], signal);
}

/** The chunks whose lease holds, by id; those that another collector took over meanwhile are left to it. */
async function stillOurs(
  state: IndexerState,
  chunks: readonly HeldChunk[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, HeldChunk>> {
  const nowMs = performance.now();
  const lapsed = chunks.filter((held) => held.leaseEndsMs <= nowMs);
  const ours = new Map(chunks.map((held) => [held.id, held]));
  while (lapsed.length > 0 && !signal.aborted) {
    try {
      const kept = await renewLeases(state.sql, lapsed);
      for (const held of lapsed) if (!kept.has(held.id)) ours.delete(held.id);
      return ours;
    } catch {
      await pause(DATABASE_RETRY_MS, signal);
    }
  }
  if (signal.aborted) for (const held of lapsed) ours.delete(held.id);
  return ours;
}

/** Repeats until PostgreSQL has it; a stop while it is down leaves the chunks to the next look-up. */
async function settle(
  state: IndexerState,
  chunkIds: readonly string[],
  deadLetters: readonly DeadLetter[],
  signal: AbortSignal,
): Promise<void> {
  const worst = deadLetters[0];
  if (worst !== undefined) {
    state.log.error(
      {
        'event.id': worst.eventId,
        'http.response.status_code': worst.status,
        'error.message': worst.reason,
      },
      `Elasticsearch will not take ${deadLetters.length} line(s), the first is line ${worst.line} of chunk ${worst.chunkId}; the table dead_letters keeps them.`,
    );
  }
  for (let said = false; ; said = true) {
    try {
      await settleChunks(state.sql, chunkIds, deadLetters);
      return;
    } catch (error) {
      if (!said) {
        state.log.warn(
          { err: error },
          'PostgreSQL cannot mark chunks as indexed; it is tried again.',
        );
      }
      if (signal.aborted) return;
      await pause(DATABASE_RETRY_MS, signal);
    }
  }
}

function brokenChunk(held: HeldChunk, reason: string): DeadLetter {
  return {
    chunkId: held.id,
    line: 0,
    eventId: '',
    document: held.chunk.body,
    status: 0,
    reason: `chunk cannot be read: ${reason}`,
  };
}
