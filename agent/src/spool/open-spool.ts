/**
 * Takes documents, gives durable lines on disk: `launchbeat.YYYYMMDD.N.ndjson`, the agent's write-ahead log.
 * Keeps: append() resolves only after a checked fsync; a failed append leaves no half batch behind; nothing without a receipt
 * is ever deleted, a full spool or disk makes append() wait instead (unless `on_full: drop_oldest` says otherwise).
 */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ProcessStart } from '@launchbeat/ecs-schemas';
import {
  countsAsMetrics,
  documentPrinter,
  type Log,
  type Metrics,
  syncFolder,
} from '@launchbeat/ecs-schemas/beat';
import { readCheckpoint } from './checkpoint.ts';
import { createLineBuffer } from './line-buffer.ts';
import { createRoom, type RoomCounts } from './make-room.ts';
import { type OpenSegment, openSegment, type Stream } from './open-segment.ts';
import { type RecoverOutcome, recoverSpool } from './recover-spool.ts';
import type { SpoolConfig } from './spool-config.ts';

export interface SpoolOptions {
  readonly folder: string;
  /** Where the checkpoint lies; default the folder above the spool. */
  readonly stateFolder?: string;
  readonly config: SpoolConfig;
  readonly log: Log;
  /** What recoverSpool() gave; without it the spool is recovered here. */
  readonly recovered?: RecoverOutcome;
  /** The clock, in Unix milliseconds. */
  readonly nowMs?: () => number;
  /** How often a full spool, or one on a full disk, looks for room. */
  readonly fullIntervalMs?: number;
}

/** Since the start, but for `segments` and `bytes`, which are what lies in the folder. */
export interface SpoolCounts extends RoomCounts {
  readonly lines: number;
  readonly tornBytes: number;
  readonly failedAppends: number;
}

export interface Spool {
  readonly folder: string;
  /**
   * Appends in order and resolves when all of it is on disk. Rejects = not durable, the source's position must stay; a line
   * may then be on disk all the same, and comes again with the same event id. Waits while the spool is full. Each document is
   * asked for when the one before is printed, so that a whole batch need never be in memory.
   */
  append(documents: Iterable<ProcessStart>, signal?: AbortSignal): Promise<void>;
  /** Called after each append, on which upload wakes up. */
  onAppend(listener: () => void): void;
  counts(): SpoolCounts;
  metrics(): Metrics;
  close(): Promise<void>;
}

/** Opens the spool; makes its folder if need be. Rejects when the folder cannot be written. */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  mkdirSync(options.folder, { recursive: true });
  const recovered = options.recovered ?? recoverSpool(options.folder, options.log);
  const writer = createWriter(options);
  const counts = { lines: 0, failedAppends: 0 };
  const listeners: (() => void)[] = [];
  let last: Promise<void> = Promise.resolve();

  const appendNow = async (documents: Iterable<ProcessStart>, signal?: AbortSignal) => {
    let run: Run | undefined;
    const finish = async (): Promise<void> => {
      const lines = (await run?.finish()) ?? 0;
      run = undefined;
      counts.lines += lines;
      if (lines > 0) for (const listener of listeners) listener();
    };
    try {
      for (const document of documents) {
        // Where namespace or agent changes: a segment, and so a chunk, has one of each.
        if (run !== undefined && !isOfStream(document, run.stream)) await finish();
        if (run === undefined) {
          await writer.waitForRoom(signal);
          run = await writer.begin(streamOf(document));
        }
        run.add(document);
      }
      await finish();
    } catch (error) {
      if (signal?.aborted !== true) counts.failedAppends += 1;
      run?.giveUp();
      throw error;
    }
  };

  const read = (): SpoolCounts => ({
    ...counts,
    ...writer.counts(),
    tornBytes: recovered.tornBytes,
  });
  return {
    folder: options.folder,
    append(documents, signal) {
      const mine = last.then(() => appendNow(documents, signal));
      last = mine.catch(() => undefined);
      return mine;
    },
    onAppend: (listener) => void listeners.push(listener),
    counts: read,
    metrics: () => countsAsMetrics('spool', read()),
    async close() {
      await last;
      await writer.close();
    },
  };
}

const streamOf = (document: ProcessStart): Stream => ({
  namespace: document.data_stream.namespace,
  agentId: document.agent.id,
});

const isSameStream = (a: Stream, b: Stream): boolean =>
  a.namespace === b.namespace && a.agentId === b.agentId;

const isOfStream = (document: ProcessStart, stream: Stream): boolean =>
  document.data_stream.namespace === stream.namespace && document.agent.id === stream.agentId;

/** The local day of a time as it stands in file names. */
function localDay(timeMs: number): string {
  const time = new Date(timeMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${time.getFullYear()}${two(time.getMonth() + 1)}${two(time.getDate())}`;
}

/** Lines of one stream that become durable together. */
interface Run {
  readonly stream: Stream;
  add(document: ProcessStart): void;
  /** Makes them durable; gives their number. Rejects when any byte of them may not be on disk: then giveUp(). */
  finish(): Promise<number>;
  /** Takes them back. */
  giveUp(): void;
}

interface Writer {
  waitForRoom(signal?: AbortSignal): Promise<void>;
  /** Begins a run in the segment of the stream. One at a time. */
  begin(stream: Stream): Promise<Run>;
  counts(): RoomCounts;
  close(): Promise<void>;
}

function createWriter(options: SpoolOptions): Writer {
  const { folder, config, log, nowMs = Date.now } = options;
  const stateFolder = options.stateFolder ?? dirname(folder);
  let open: OpenSegment | undefined;
  // Lines are printed into memory and written some at a time: a write(2) for each would cost more than the printing.
  const buffer = createLineBuffer((bytes) => {
    // What a failed file still holds of this memory is never written: sync() throws, and it is given up.
    if (open !== undefined && open.file.failure === undefined) open.file.write(bytes);
  });
  const print = documentPrinter(buffer.add);
  let path = '';
  const room = createRoom({ ...options, stateFolder });

  const give = async (stream: Stream): Promise<OpenSegment> => {
    const today = localDay(nowMs());
    if (open !== undefined) {
      const usable = open.file.failure === undefined && open.day >= today;
      if (usable && isSameStream(open.stream, stream)) return open;
      await open.file.close();
      open = undefined;
    }
    const checkpoint = readCheckpoint(stateFolder, log);
    open = await openSegment({
      ...{ folder, segmentBytes: config.segment_bytes, checkpoint, stream, today },
    });
    return open;
  };

  return {
    waitForRoom: room.wait,
    async begin(stream) {
      const { file } = await give(stream);
      const before = file.bytes();
      let lines = 0;
      return {
        stream,
        add(document) {
          print(document);
          lines += 1;
        },
        async finish() {
          buffer.flush();
          file.sync();
          if (file.path !== path) syncFolder(folder);
          path = file.path;
          room.add(file.bytes() - before);
          await file.settle();
          return lines;
        },
        giveUp() {
          buffer.clear();
          open = undefined;
          giveUp(file, before, log);
        },
      };
    },
    counts: room.counts,
    async close() {
      await open?.file.close();
      open = undefined;
    },
  };
}

/**
 * After a failed write or fsync nobody knows what is on disk: the file is cut back to what was durable and given up, so that
 * the next append opens it anew (or begins another one, where even that failed).
 */
function giveUp(
  file: { cutBack(bytes: number): void; abandon(): void; readonly path: string },
  durableBytes: number,
  log: Log,
): void {
  try {
    file.cutBack(durableBytes);
  } catch (error) {
    log.warn(
      { err: error, 'file.path': file.path },
      'Spool file cannot be cut back after a failed write; a line of it may come twice.',
    );
  }
  file.abandon();
}
