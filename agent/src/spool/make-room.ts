/**
 * Takes the spool folder, keeps it within its bounds: deletes what is acknowledged, waits while there is no room, or drops the
 * oldest events where the config says so.
 * Keeps: what is dropped without a receipt is an ERROR with its range, and is counted; the newest segment always stays.
 */
import { rmSync, statfsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { type Checkpoint, readCheckpoint } from './checkpoint.ts';
import { dropAcknowledged } from './drop-acknowledged.ts';
import { pendingFrom } from './inspect-spool.ts';
import { listSegments, type Segment } from './list-segments.ts';
import { lineStartBefore } from './read-range.ts';
import { lastLineOf } from './recover-spool.ts';
import { segmentLines } from './segment-lines.ts';
import type { SpoolConfig } from './spool-config.ts';

const DROP_INTERVAL_MS = 60_000;
const FULL_INTERVAL_MS = 1000;
/** A disk that hovers at the bound must not fill the log with going on and waiting. */
const HYSTERESIS = 0.05;

export interface RoomOptions {
  readonly folder: string;
  readonly stateFolder: string;
  readonly config: SpoolConfig;
  readonly log: Log;
  readonly nowMs?: () => number;
  readonly fullIntervalMs?: number;
}

export interface RoomCounts {
  /** In the folder now. */
  readonly bytes: number;
  readonly segments: number;
  /** Segments that were deleted after their last receipt. */
  readonly dropped: number;
  /** Lines that were deleted without a receipt (`on_full: drop_oldest`). */
  readonly lostLines: number;
}

export interface Room {
  /** Resolves when there is room; rejects when the signal aborts. */
  wait(signal?: AbortSignal): Promise<void>;
  /** Says that so many bytes were written. */
  add(bytes: number): void;
  counts(): RoomCounts;
}

/** Looks at the folder and deletes what is due. */
export function createRoom(options: RoomOptions): Room {
  const { folder, stateFolder, config, log, nowMs = Date.now } = options;
  let [bytes, segments, dropped, lostLines, droppedAtMs] = [0, 0, 0, 0, 0];

  /** Deletes what is acknowledged: after its retention, or while more than `bytesMax` are there. */
  const drop = (bytesMax = config.max_bytes - config.segment_bytes): void => {
    const all = listSegments(folder);
    const kept = dropAcknowledged(all, readCheckpoint(stateFolder, log), {
      beforeMs: nowMs() - config.retention,
      bytesMax,
    });
    dropped += all.length - kept.length;
    droppedAtMs = nowMs();
    bytes = kept.reduce((sum, segment) => sum + segment.size, 0);
    segments = kept.length;
  };
  drop();

  const dropOldest = (): boolean => {
    const all = listSegments(folder);
    const [oldest] = all;
    if (oldest === undefined || all.length < 2) return false;
    const lost = deleteOldest(oldest, readCheckpoint(stateFolder, log), log);
    if (lost === undefined) return false;
    lostLines += lost;
    drop();
    return true;
  };

  /** Why there is no room, as a sentence; undefined = there is. Who waits for the disk goes on a little later than he stopped. */
  const want = (waits = 0): string | undefined => {
    if (bytes >= config.max_bytes) {
      return 'Spool is full of events that the collector has not acknowledged; reading waits. See spool.max_bytes and spool.on_full.';
    }
    const free = freeBytes(folder);
    return free >= config.disk_free_min * (waits > 0 ? 1 + HYSTERESIS : 1)
      ? undefined
      : `Disk of the spool has ${free} bytes left; reading waits until it has spool.disk_free_min (${config.disk_free_min}). Make room: Windows keeps the events only until its log rolls over.`;
  };

  /** Does something about it, or waits for the next look; gives whether it waited. */
  const giveWay = async (reason: string, waits: number, signal?: AbortSignal): Promise<boolean> => {
    signal?.throwIfAborted();
    const full = bytes >= config.max_bytes;
    if (full && config.on_full === 'drop_oldest' && dropOldest()) return false;
    // On a disk that is nearly full acknowledged files are a luxury.
    drop(full ? undefined : 0);
    if (want(waits) === undefined) return false;
    if (waits === 0) log.warn({ 'launchbeat.spool.bytes': bytes, 'file.path': folder }, reason);
    await delay(options.fullIntervalMs ?? FULL_INTERVAL_MS, undefined, { signal });
    drop(full ? undefined : 0);
    return true;
  };

  return {
    async wait(signal) {
      if (bytes >= config.max_bytes || nowMs() - droppedAtMs >= DROP_INTERVAL_MS) drop();
      let waits = 0;
      for (let reason = want(); reason !== undefined; reason = want(waits)) {
        if (await giveWay(reason, waits, signal)) waits += 1;
      }
      if (waits > 0) log.info({}, 'Spool has room again; reading goes on.');
    },
    add(more) {
      bytes += more;
    },
    counts: () => ({ bytes, segments, dropped, lostLines }),
  };
}

/** Bytes that this account may still write on the disk of a folder; endless where the system does not say. */
function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Deletes the oldest segment, whatever it holds; gives the lines that are lost, undefined where it cannot be deleted. */
function deleteOldest(
  oldest: Segment,
  checkpoint: Checkpoint | undefined,
  log: Log,
): number | undefined {
  let lines = 0;
  let first = '';
  for (const line of segmentLines(oldest, pendingFrom(oldest, checkpoint))) {
    if (lines === 0) first = line.bytes.toString('utf8');
    lines += 1;
  }
  const last = lastLineOf(oldest.path, lineStartBefore(oldest.path, oldest.size));
  try {
    rmSync(oldest.path);
  } catch (error) {
    log.error(
      { err: error, 'file.path': oldest.path },
      'Spool is full and its oldest file cannot be deleted; reading waits.',
    );
    return undefined;
  }
  const from = recordIdOf(first);
  log.error(
    {
      'file.path': oldest.path,
      'launchbeat.spool.lost_lines': lines,
      'launchbeat.gap.from': from,
      'launchbeat.gap.to': last?.recordId,
    },
    `Events are lost: the spool is full, and ${oldest.name} was deleted with ${lines} events that the collector never had (records ${from} to ${last?.recordId}). See spool.max_bytes and spool.on_full.`,
  );
  return lines;
}

function recordIdOf(line: string): number | undefined {
  try {
    const { winlog } = JSON.parse(line) as { winlog?: { record_id?: unknown } };
    return Number(winlog?.record_id);
  } catch {
    return undefined;
  }
}
