/**
 * Takes the spool folder and the checkpoint, gives how much waits for the collector, and since when. It only reads.
 */
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';
import { readCheckpoint } from '../spool/checkpoint.ts';
import { pendingFrom } from '../spool/inspect-spool.ts';
import { listSegments, type Segment } from '../spool/list-segments.ts';
import { segmentLines } from '../spool/segment-lines.ts';

export interface SpoolStanding {
  readonly pendingBytes: number;
  readonly bytes: number;
  readonly segments: number;
  /** Since when the oldest event without a receipt waits: age of its reading, not of the event; 0 = none does. */
  readonly lagMs: number;
}

const lineSchema = z.object({ event: z.object({ created: z.iso.datetime() }) });

/** How the spool stands. Throws when its folder cannot be read. */
export function spoolStanding(folder: string, stateFolder: string, nowMs: number): SpoolStanding {
  const checkpoint = readCheckpoint(stateFolder, SILENT_LOG);
  const segments = listSegments(folder);
  const waiting = segments.map((segment) => ({ segment, from: pendingFrom(segment, checkpoint) }));
  const first = waiting.find(({ segment, from }) => from < segment.size);
  const createdMs = first === undefined ? undefined : createdAtMs(first.segment, first.from);
  return {
    pendingBytes: waiting.reduce((sum, { segment, from }) => sum + segment.size - from, 0),
    bytes: segments.reduce((sum, segment) => sum + segment.size, 0),
    segments: segments.length,
    lagMs: createdMs === undefined ? 0 : Math.max(0, Math.round(nowMs - createdMs)),
  };
}

/** When the line at `from` was read from its source; undefined where it does not say so. */
function createdAtMs(segment: Segment, from: number): number | undefined {
  for (const line of segmentLines(segment, from)) {
    if (line.fault !== undefined) return undefined;
    try {
      return Date.parse(lineSchema.parse(JSON.parse(line.bytes.toString('utf8'))).event.created);
    } catch {
      return undefined;
    }
  }
  return undefined;
}
