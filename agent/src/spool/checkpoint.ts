/**
 * How far the spool has been shipped: the segment and offset up to which every line has its receipt (or is quarantined),
 * and the chunk that may be on its way. Kept in `checkpoint.json` of the data folder.
 * Keeps: written after a receipt, never before; a checkpoint that is lost or old means lines are sent again, not lost.
 */
import { join } from 'node:path';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';
import { readStateFile, writeStateFile } from './state-file.ts';

const checkpointSchema = z.object({
  /** Name of the segment. */
  segment: z.string().min(1),
  /** Its number; every segment with a lower one is acknowledged whole. */
  number: z.int().nonnegative(),
  /** Bytes of the segment, from its start, that are acknowledged. */
  offset: z.int().nonnegative(),
  /** The chunk that begins at `offset` and was about to be sent: it is sent again with the same bytes under the same key. */
  pending: z
    .object({
      /** Offset behind its last byte. */
      end: z.int().positive(),
      /** What compressed it, e.g. `zstd 1.5.7`; another one would make other bytes. */
      sentAs: z.string(),
    })
    .optional(),
  /**
   * Lines up to this place were sent before and go out once more, under keys of their own: cut or compressed in another way
   * they would be other bytes under the keys of their first time, which a collector refuses.
   */
  resend: z.object({ number: z.int().nonnegative(), offset: z.int().nonnegative() }).optional(),
});

export type Checkpoint = z.infer<typeof checkpointSchema>;

/** A place in the spool: a segment's number and an offset in it. */
export type Place = Pick<Checkpoint, 'number' | 'offset'>;

/** Whether place `a` comes before place `b`. */
export function isBefore(a: Place, b: Place): boolean {
  return a.number < b.number || (a.number === b.number && a.offset < b.offset);
}

/** Up to where bytes may have been sent at any time: what stands there must never change. */
export function sentUpTo(checkpoint: Checkpoint): Place {
  const { number, offset, pending, resend } = checkpoint;
  const now = { number, offset: pending?.end ?? offset };
  return resend !== undefined && isBefore(now, resend) ? resend : now;
}

const fileOf = (stateFolder: string): string => join(stateFolder, 'checkpoint.json');

/** Reads the checkpoint; undefined when nothing was ever sent, or when no whole one is left. */
export function readCheckpoint(stateFolder: string, log: Log): Checkpoint | undefined {
  return readStateFile(fileOf(stateFolder), checkpointSchema, log);
}

/** Stores the checkpoint. Throws when it may not be on disk. */
export function writeCheckpoint(stateFolder: string, checkpoint: Checkpoint): void {
  writeStateFile(fileOf(stateFolder), checkpoint);
}
