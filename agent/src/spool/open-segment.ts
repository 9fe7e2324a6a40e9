/**
 * Takes the spool folder, opens the segment that the next event goes to: the newest one, or a new one.
 * Keeps: numbers only rise and are never used twice, also when files were deleted; bytes are never written where other bytes
 * may have been sent from (the idempotency key of a chunk names its bytes by their place); a segment has one namespace and
 * one agent.
 */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { type NdjsonFile, openNdjsonFile, syncFolder } from '@launchbeat/ecs-schemas/beat';
import { type Checkpoint, sentUpTo } from './checkpoint.ts';
import { highestNumber, listSegments, type Segment, segmentBase } from './list-segments.ts';
import { lineStartBefore } from './read-range.ts';
import { lastLineOf } from './recover-spool.ts';

/** What all lines of one segment have in common. */
export interface Stream {
  readonly namespace: string;
  readonly agentId: string;
}

export interface SegmentPlace {
  readonly folder: string;
  readonly segmentBytes: number;
  readonly checkpoint: Checkpoint | undefined;
  readonly stream: Stream;
  /** Local day, `YYYYMMDD`. */
  readonly today: string;
}

export interface OpenSegment {
  readonly file: NdjsonFile;
  readonly day: string;
  readonly stream: Stream;
}

/** Opens the segment for the next event. Throws when the disk refuses. */
export async function openSegment(place: SegmentPlace): Promise<OpenSegment> {
  const { folder, segmentBytes, stream } = place;
  const newest = listSegments(folder).at(-1);
  const go = newest !== undefined && canGoOn(newest, place);
  const day = go ? newest.day : place.today;
  const path = go ? newest.path : beginSegment(place);
  const file = await openNdjsonFile({
    folder,
    name: segmentBase(day),
    rollBytes: segmentBytes,
    daily: false,
    bufferBytesMax: 0,
  });
  if (file.path !== path) {
    await file.close();
    throw new Error(
      `${folder} holds a file that is not of the spool and whose name ends with a number and .ndjson (${file.path} would be written instead of ${path}). Move it away.`,
    );
  }
  return { file, day, stream };
}

/**
 * Makes the empty file of the next number. pino-roll goes on with the highest number that it finds in the folder, so that
 * it opens this one; its own count would begin at 1 again once the files of a day are deleted.
 */
function beginSegment(place: SegmentPlace): string {
  const { folder, today, checkpoint } = place;
  const sent = checkpoint === undefined ? undefined : sentUpTo(checkpoint);
  const number = Math.max(highestNumber(folder), sent?.number ?? 0) + 1;
  const path = join(folder, `${segmentBase(today)}.${number}.ndjson`);
  closeSync(openSync(path, 'wx', 0o600));
  syncFolder(folder);
  return path;
}

function canGoOn(newest: Segment, place: SegmentPlace): boolean {
  const { checkpoint, stream } = place;
  if (newest.number !== highestNumber(place.folder)) return false;
  if (newest.day < place.today || newest.size >= place.segmentBytes) return false;
  if (checkpoint !== undefined) {
    const sent = sentUpTo(checkpoint);
    if (newest.number < sent.number) return false;
    if (newest.number === sent.number && sent.offset > newest.size) return false;
    if (newest.number === checkpoint.number && newest.name !== checkpoint.segment) return false;
  }
  if (newest.size === 0) return true;
  if (lineStartBefore(newest.path, newest.size) !== newest.size) return false;
  const last = lastLineOf(newest.path, newest.size);
  return last?.namespace === stream.namespace && last.agentId === stream.agentId;
}
