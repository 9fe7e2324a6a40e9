/**
 * Takes the spool, ships it piece by piece: chunk, receipt, checkpoint. The one retry loop of upload is shipOne().
 * Keeps: the checkpoint moves only behind a receipt or behind what is safe in quarantine; a chunk's range is on disk before
 * its first try, so that it goes out again as the same bytes under the same key.
 */
import { LIMIT, RESENT_KEY_PREFIX } from '@launchbeat/ecs-schemas';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import type { Clock } from './clock.ts';
import type { Compression } from './compress-chunk.ts';
import type { Verdict } from './judge-answer.ts';
import { keepAside, placeOf, rejectedEntries } from './keep-aside.ts';
import { type Chunk, nextPiece, type Piece } from './next-piece.ts';
import { type Cursor, openCursor } from './open-cursor.ts';
import type { OutputConfig } from './output-config.ts';
import { retryDelayMs, slowDelayMs, spreadMs } from './retry-delay.ts';
import type { Shipped } from './ship-chunk.ts';
import type { MutableCounts } from './upload-counts.ts';

const ERROR_INTERVAL_MS = 3_600_000;
/** Reasons that are told between two receipts; a reason may hold a number. */
const WARNINGS_MAX = 10;

export interface ShippingOptions {
  readonly spoolFolder: string;
  readonly stateFolder: string;
  readonly config: OutputConfig;
  readonly agentId: string;
  readonly compression: Compression;
  readonly log: Log;
  readonly clock: Clock;
  readonly counts: MutableCounts;
  readonly shipChunk: (chunk: Chunk, signal: AbortSignal) => Promise<Shipped>;
  /** Folder below which `quarantine/` lies; default the spool's. */
  readonly quarantineFolder?: string | undefined;
  /** Called with each reason that only a person can mend. */
  readonly onTrouble?: ((reason: string) => void) | undefined;
}

export interface Shipping {
  /** Does one step. `idle`: every whole line has its receipt, and the checkpoint is on disk. Never rejects. */
  shipOne(signal: AbortSignal): Promise<'went_on' | 'idle'>;
  /** Puts the checkpoint on disk if it is not there yet. */
  flush(): void;
}

/** What the steps share. */
interface Loop extends ShippingOptions {
  readonly cursor: Cursor;
  readonly signal: AbortSignal;
  readonly memory: Memory;
  /** Where pieces are read into. */
  readonly room: Buffer;
}

interface Memory {
  /** Failures since the last receipt. */
  failures: number;
  /** Lines that a chunk may have now; halved by 413, doubled by a receipt. */
  linesMax: number;
  /** When each kind of trouble was last written as an error. */
  readonly saidAtMs: Map<string, number>;
  /** Reasons of failures since the last receipt that were written as warnings. */
  readonly warnedOf: Set<string>;
}

/** Reads the checkpoint and goes on behind it. */
export function createShipping(options: ShippingOptions): Shipping {
  const cursor = openCursor(options.stateFolder, options.log);
  const memory: Memory = {
    failures: 0,
    linesMax: LIMIT.chunkLinesMax,
    saidAtMs: new Map(),
    warnedOf: new Set(),
  };
  const room = Buffer.allocUnsafe(options.config.chunk_bytes);
  return {
    flush: cursor.store,
    async shipOne(signal) {
      const loop: Loop = { ...options, cursor, memory, signal, room };
      try {
        return await step(loop);
      } catch (error) {
        options.counts.retries += 1;
        sayHourly(
          loop,
          { kind: 'disk', err: error },
          'Spool, checkpoint or quarantine cannot be read or written; shipping waits.',
        );
        await waitAfterFailure(loop);
        return 'went_on';
      }
    },
  };
}

async function step(loop: Loop): Promise<'went_on' | 'idle'> {
  const { config, cursor, log, memory, room } = loop;
  const sentAs = loop.compression.name();
  const limits = { bytesMax: config.chunk_bytes, linesMax: memory.linesMax, sentAs, room };
  const piece = nextPiece(loop.spoolFolder, cursor.at(), limits);
  switch (piece.outcome) {
    case 'none':
      cursor.store();
      return 'idle';
    case 'advance':
      if (piece.lost !== undefined) log.error({}, `Events may be lost: ${piece.lost}`);
      cursor.moveTo(piece.to);
      return 'went_on';
    case 'unfit':
      onUnfit(loop, piece);
      return 'went_on';
    case 'chunk':
      await ship(loop, piece.chunk);
      return 'went_on';
  }
}

function onUnfit(loop: Loop, piece: Piece & { outcome: 'unfit' }): void {
  const place = placeOf(piece.range);
  keepAside(
    loop.quarantineFolder ?? loop.spoolFolder,
    [{ reason: piece.reason, place, bytes: piece.bytes }],
    loop.log,
  );
  loop.counts.corruptLines += 1;
  loop.counts.quarantinedLines += 1;
  loop.log.error(
    { 'launchbeat.place': place },
    `Broken line of the spool is in quarantine: ${piece.reason}.`,
  );
  loop.cursor.moveBehind(piece.range);
}

async function ship(loop: Loop, chunk: Chunk): Promise<void> {
  const { cursor } = loop;
  const sentAs = loop.compression.name();
  const { segment, number, first: offset, end } = chunk;
  const pending = cursor.at()?.pending;
  if (pending?.end !== end || pending.sentAs !== sentAs) {
    cursor.moveTo({ segment, number, offset, pending: { end, sentAs } });
  }
  cursor.store();
  const { verdict, status } = await loop.shipChunk(
    cursor.at()?.resend === undefined ? chunk : { ...chunk, keyPrefix: resendPrefix(sentAs) },
    loop.signal,
  );
  if (loop.signal.aborted && verdict.outcome === 'retry') return;
  if (verdict.outcome !== 'other_encoding' || !takesOther(loop, verdict))
    await settle(loop, chunk, { verdict, status });
}

/** Whether the chunk can be compressed in another way that the collector asks for. */
function takesOther(loop: Loop, { encodings }: Verdict & { outcome: 'other_encoding' }): boolean {
  if (!loop.compression.accept(encodings)) return false;
  loop.counts.retries += 1;
  const message = `Collector asks for ${loop.compression.encoding()}; chunks go out so from now on.`;
  loop.log.warn({ 'url.full': loop.config.url.join() }, message);
  return true;
}

async function settle(loop: Loop, chunk: Chunk, { verdict, status }: Shipped): Promise<void> {
  const { counts } = loop;
  const detail = 'reason' in verdict ? verdict.reason : 'receipt';
  if (status !== undefined) counts.lastAnswer = { status, detail };
  else if (verdict.outcome === 'retry') counts.lastAnswer = { detail };
  switch (verdict.outcome) {
    case 'done':
      return onDone(loop, chunk, verdict);
    case 'refused':
      onRefused(loop, chunk, verdict);
      // A collector that refuses everything must not empty the spool into quarantine at full speed.
      return waitAfterFailure(loop);
    case 'halve':
      return onHalve(loop, chunk, verdict);
    case 'other_encoding':
      return settle(loop, chunk, { verdict: verdict.otherwise, status });
    case 'retry':
      return onRetry(loop, verdict);
  }
}

/** Names what compressed the bytes too: another one would make other bytes, which then have another key. */
const resendPrefix = (sentAs: string): string =>
  `${RESENT_KEY_PREFIX}${sentAs.replace(/[^a-z0-9.]+/gi, '-')}.`;

function onDone(loop: Loop, chunk: Chunk, verdict: Verdict & { outcome: 'done' }): void {
  const { counts, log, memory } = loop;
  const { accepted, duplicates, rejected } = verdict.receipt;
  if (rejected.length > 0) {
    keepAside(loop.quarantineFolder ?? loop.spoolFolder, rejectedEntries(chunk, rejected), log);
    log.error(
      { 'launchbeat.chunk': placeOf(chunk), 'launchbeat.rejected': rejected.length },
      `Collector rejected lines, the first for: ${rejected[0]?.reason}. They are in quarantine.`,
    );
  }
  if (memory.failures > 0) log.info({}, `Collector takes events again (${memory.failures} tries).`);
  memory.failures = 0;
  memory.saidAtMs.clear();
  memory.warnedOf.clear();
  memory.linesMax = Math.min(memory.linesMax * 2, LIMIT.chunkLinesMax);
  counts.chunks += 1;
  counts.shippedLines += chunk.lines;
  counts.shippedBytes += chunk.bytes.length;
  counts.accepted += accepted;
  counts.duplicates += duplicates;
  counts.rejected += rejected.length;
  counts.quarantinedLines += rejected.length;
  loop.cursor.moveBehind(chunk);
}

type Refusal = Omit<Verdict & { outcome: 'refused' }, 'outcome'>;

function onRefused(loop: Loop, chunk: Chunk, refusal: Refusal): void {
  const { reason, rejected, conflict } = refusal;
  const place = placeOf(chunk);
  const each = rejectedEntries(chunk, rejected);
  const whole = [{ reason, place, bytes: chunk.bytes }];
  keepAside(
    loop.quarantineFolder ?? loop.spoolFolder,
    each.length === chunk.lines ? each : whole,
    loop.log,
  );
  loop.counts.quarantinedChunks += 1;
  loop.counts.quarantinedLines += chunk.lines;
  loop.log.error(
    { 'agent.id': loop.agentId, 'launchbeat.chunk': place, 'launchbeat.lines': chunk.lines },
    conflict
      ? `Another agent has sent other events under this agent's id (${reason}). The chunk is in quarantine. Was this computer cloned with its data folder? Then delete that folder on the clone and give it a key of its own.`
      : `Collector refused a chunk (${reason}). It is in quarantine.`,
  );
  loop.cursor.moveBehind(chunk);
}

async function onHalve(
  loop: Loop,
  chunk: Chunk,
  verdict: Verdict & { outcome: 'halve' },
): Promise<void> {
  const { reason, final } = verdict;
  if (chunk.lines > 1) {
    loop.memory.linesMax = Math.ceil(chunk.lines / 2);
    // The range that was planned is given up: its halves are other chunks.
    loop.cursor.moveTo({ segment: chunk.segment, number: chunk.number, offset: chunk.first });
    return;
  }
  if (final) return onRefused(loop, chunk, { reason, rejected: [], conflict: false });
  await onRetry(loop, {
    outcome: 'retry',
    pace: 'slowly',
    reason: `${reason}. Is a proxy between?`,
  });
}

async function onRetry(loop: Loop, verdict: Verdict & { outcome: 'retry' }): Promise<void> {
  const { clock, config, counts, log, memory } = loop;
  const { pace, reason, retryAfterMs = 0 } = verdict;
  counts.retries += 1;
  memory.failures += 1;
  const message = `Collector takes no events; they are kept. ${reason}.`;
  if (pace === 'slowly') loop.onTrouble?.(reason);
  if (pace === 'slowly') sayHourly(loop, { kind: `${counts.lastAnswer?.status}` }, message);
  else if (!memory.warnedOf.has(reason) && memory.warnedOf.size < WARNINGS_MAX) {
    // The first reason is often not the one that lasts: a broken connection, then a certificate that has expired.
    memory.warnedOf.add(reason);
    log.warn({ 'url.full': config.url.join() }, message);
  }
  const delayMs =
    pace === 'slowly'
      ? slowDelayMs(config.backoff, clock.random)
      : retryDelayMs(memory.failures, config.backoff, clock.random);
  const askedMs = spreadMs(retryAfterMs, config.backoff, clock.random);
  await clock.wait(Math.max(delayMs, askedMs), loop.signal);
}

async function waitAfterFailure(loop: Loop): Promise<void> {
  const { clock, config, memory } = loop;
  memory.failures += 1;
  await clock.wait(retryDelayMs(memory.failures, config.backoff, clock.random), loop.signal);
}

/** Writes each kind of trouble as an error once an hour. */
function sayHourly(
  loop: Loop,
  trouble: { readonly kind: string; readonly err?: unknown },
  message: string,
): void {
  const { kind, ...fields } = trouble;
  const { saidAtMs } = loop.memory;
  const nowMs = loop.clock.nowMs();
  const lastMs = saidAtMs.get(kind);
  if (lastMs !== undefined && nowMs - lastMs < ERROR_INTERVAL_MS) return;
  saidAtMs.set(kind, nowMs);
  loop.log.error(
    { 'agent.id': loop.agentId, 'url.full': loop.config.url.join(), ...fields },
    message,
  );
}
