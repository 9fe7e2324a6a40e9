/**
 * Takes chunks in any order of arrival, gives batches of one data stream that are about as large as one `_bulk` request.
 * Keeps: bytes in memory are bounded, and only what the next requests need waits decompressed; batches are formed one at a time, so
 * that several workers share fairly.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { HeldChunk } from './chunk-leases.ts';
import { type IndexLine, readChunk } from './chunk-lines.ts';

/** Work for one worker. */
export interface Batch {
  readonly namespace: string;
  readonly chunks: readonly HeldChunk[];
  readonly lines: readonly IndexLine[];
  /** Chunks that cannot be read, with the reason; their lines are not among `lines`. */
  readonly broken: readonly { readonly held: HeldChunk; readonly reason: string }[];
}

export interface ChunkQueue {
  /** False: it would be over the bound, and was not taken. */
  push(held: HeldChunk): boolean;
  /** Waits for work; undefined once `signal` is aborted. */
  take(signal: AbortSignal): Promise<Batch | undefined>;
  /** Everything that waits; the queue is empty afterwards. */
  drain(): HeldChunk[];
  /** Takes one out that is no longer ours. */
  remove(id: string): void;
  readonly waiting: readonly HeldChunk[];
  /** Compressed bytes that wait. */
  readonly bytes: number;
}

export interface ChunkQueueOptions {
  readonly bytesMax: number;
  /** Decompressed bytes of a full batch; a single chunk may have more. */
  readonly batchBytes: number;
  readonly lingerMs: number;
}

interface OpenBatch extends Batch {
  readonly chunks: HeldChunk[];
  readonly lines: IndexLine[];
  readonly broken: Batch['broken'][number][];
}

/** Batches' worth of decompressed bytes that may wait. */
const RAW_BATCHES_MAX = 2;

const emptyBatch = (namespace: string): OpenBatch => ({
  namespace,
  chunks: [],
  lines: [],
  broken: [],
});

/** Puts a chunk into a batch; gives its decompressed bytes. */
async function addTo(batch: OpenBatch, held: HeldChunk): Promise<number> {
  const read = await readChunk(held.chunk);
  if (read.outcome === 'refused') {
    batch.broken.push({ held, reason: read.reason });
    return 0;
  }
  batch.chunks.push(held);
  // No spread: a chunk may have more lines than a call takes arguments.
  for (const line of read.lines) batch.lines.push(line);
  return read.bytes;
}

/** The chunk as it waits: decompressed only while there is room, since to do it a second time is cheaper than to hold all twice. */
function asItWaits(held: HeldChunk, roomBytes: number): HeldChunk {
  const { raw, ...chunk } = held.chunk;
  return raw !== undefined && raw.length <= roomBytes ? held : { ...held, chunk };
}

/** Makes an empty queue. */
export function createChunkQueue(options: ChunkQueueOptions): ChunkQueue {
  let waiting: HeldChunk[] = [];
  let bytes = 0;
  let rawBytes = 0;
  let wake = Promise.withResolvers<void>();
  let turn: Promise<unknown> = Promise.resolve();

  function leave(held: HeldChunk | undefined): void {
    bytes -= held?.chunk.body.length ?? 0;
    rawBytes -= held?.chunk.raw?.length ?? 0;
  }

  /** The oldest chunk of a namespace (of any, if none is given). */
  function shift(namespace?: string): HeldChunk | undefined {
    const at = waiting.findIndex(
      (held) => namespace === undefined || held.chunk.namespace === namespace,
    );
    if (at === -1) return undefined;
    const [held] = waiting.splice(at, 1);
    leave(held);
    return held;
  }

  const pushed = async (signal: AbortSignal, timeoutMs?: number): Promise<void> =>
    eitherOf(wake.promise, signal, timeoutMs);

  /** The next chunk of the namespace; waits for one until `endMs`. */
  async function next(
    namespace: string,
    endMs: number,
    signal: AbortSignal,
  ): Promise<HeldChunk | undefined> {
    for (;;) {
      const held = shift(namespace);
      const leftMs = endMs - performance.now();
      if (held !== undefined || leftMs <= 0 || signal.aborted) return held;
      await pushed(signal, leftMs);
    }
  }

  async function form(signal: AbortSignal): Promise<Batch | undefined> {
    while (waiting.length === 0 && !signal.aborted) await pushed(signal);
    let held = signal.aborted ? undefined : shift();
    if (held === undefined) return undefined;
    const { namespace } = held.chunk;
    const endMs = performance.now() + options.lingerMs;
    const batch = emptyBatch(namespace);
    let size = 0;
    while (held !== undefined) {
      const more = await addTo(batch, held);
      size += more;
      // Another one like it would be more than a request takes, and what is left of it a request of its own.
      const isFull = size + more > options.batchBytes;
      held = isFull ? undefined : await next(namespace, endMs, signal);
    }
    return batch;
  }

  return {
    push(held) {
      if (waiting.length > 0 && bytes + held.chunk.body.length > options.bytesMax) return false;
      const entry = asItWaits(held, RAW_BATCHES_MAX * options.batchBytes - rawBytes);
      waiting.push(entry);
      bytes += entry.chunk.body.length;
      rawBytes += entry.chunk.raw?.length ?? 0;
      wake.resolve();
      wake = Promise.withResolvers<void>();
      return true;
    },
    take(signal) {
      const mine = turn.then(() => form(signal));
      turn = mine.catch(() => undefined);
      return mine;
    },
    drain() {
      const all = waiting;
      waiting = [];
      [bytes, rawBytes] = [0, 0];
      return all;
    },
    remove(id) {
      const held = waiting.find((one) => one.id === id);
      waiting = waiting.filter((one) => one.id !== id);
      leave(held);
    },
    get waiting() {
      return waiting;
    },
    get bytes() {
      return bytes;
    },
  };
}

/** Resolves with `promise`, after `timeoutMs`, or on abort, whichever is first. */
async function eitherOf(
  promise: Promise<void>,
  signal: AbortSignal,
  timeoutMs = LONG_MS,
): Promise<void> {
  const over = new AbortController();
  const end = delay(timeoutMs, undefined, { signal: AbortSignal.any([signal, over.signal]) });
  await Promise.race([promise, end.catch(() => undefined)]);
  over.abort();
}

/** Whoever waits looks again after this time in any case. */
const LONG_MS = 60_000;
