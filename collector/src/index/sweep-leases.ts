/**
 * Keeps the leases of what this process holds, and takes what nobody holds: chunks that memory had no room for, that a
 * collector which died left behind, or that were queued again by hand.
 */
import { pause } from '@launchbeat/ecs-schemas/beat';
import { INDEX_LEASE_MS } from '../commit/commit.ts';
import { claimChunks, releaseLeases, renewLeases } from './chunk-leases.ts';
import type { IndexerState } from './indexer-state.ts';

const RENEW_MS = INDEX_LEASE_MS / 3;
/** So much is taken from the table at once; compressed bytes. */
const CLAIM_BYTES_MAX = 16 * 1024 * 1024;

/** Works until aborted. A PostgreSQL that is down is asked again. */
export async function sweepLeases(state: IndexerState, signal: AbortSignal): Promise<void> {
  let renewAtMs = performance.now() + RENEW_MS;
  let down = false;
  while (!signal.aborted) {
    let more = false;
    try {
      if (performance.now() >= renewAtMs) {
        await renew(state);
        renewAtMs = performance.now() + RENEW_MS;
      }
      more = await claim(state);
      down = false;
    } catch (error) {
      if (!down) {
        state.log.warn(
          { err: error },
          'PostgreSQL cannot be asked for chunks to index; it is tried again.',
        );
      }
      down = true;
    }
    const waitMs = more ? CATCH_UP_MS : Math.min(state.config.queue.sweep_interval, RENEW_MS);
    await pause(waitMs, signal);
  }
}

/** While there is a backlog the queue is looked after so often. */
const CATCH_UP_MS = 50;

async function renew(state: IndexerState): Promise<void> {
  const held = [...state.queue.waiting, ...state.sending.values()];
  const kept = await renewLeases(state.sql, held);
  // What a worker has in its hands ends by itself: the other one looks its ids up.
  for (const one of held) if (!kept.has(one.id)) state.queue.remove(one.id);
}

/** True if there may be more: it is worth to ask again soon. */
async function claim(state: IndexerState): Promise<boolean> {
  const room = CLAIM_BYTES_MAX - state.queue.bytes;
  if (room <= 0) return true;
  const chunks = await claimChunks(state.sql, room);
  const refused = chunks.filter((held) => !state.queue.push(held));
  await releaseLeases(state.sql, refused, false);
  return chunks.length > 0 && refused.length === 0;
}
