/**
 * Takes the segments and the checkpoint, deletes what is acknowledged and no longer wanted.
 * Keeps: a segment with a line that has no receipt is never deleted, nor is the newest one, which holds the highest number.
 */
import { rmSync } from 'node:fs';
import type { Checkpoint } from './checkpoint.ts';
import type { Segment } from './list-segments.ts';

export interface DropRules {
  /** Acknowledged segments that were last written before this time (Unix milliseconds) go. */
  readonly beforeMs: number;
  /** While all segments together are larger than this, acknowledged ones go too, the oldest first. */
  readonly bytesMax: number;
}

/** Deletes; gives the segments that stay. A file that another program holds stays until the next time. */
export function dropAcknowledged(
  segments: readonly Segment[],
  checkpoint: Checkpoint | undefined,
  rules: DropRules,
): Segment[] {
  let total = segments.reduce((sum, segment) => sum + segment.size, 0);
  const newest = segments.at(-1);
  return segments.filter((segment) => {
    const acknowledged = checkpoint !== undefined && segment.number < checkpoint.number;
    if (!acknowledged || segment === newest) return true;
    if (segment.changedMs >= rules.beforeMs && total <= rules.bytesMax) return true;
    try {
      rmSync(segment.path, { force: true });
    } catch {
      return true;
    }
    total -= segment.size;
    return false;
  });
}
