/**
 * Takes the checkpoint of the data folder, moves it on: in memory at once, on disk with store().
 * Keeps: what a chunk's receipt moved and what the next chunk plans go to disk in one write.
 */
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { type Checkpoint, isBefore, readCheckpoint, writeCheckpoint } from '../spool/checkpoint.ts';
import type { Range } from './next-piece.ts';

export interface Cursor {
  /** Undefined before the first segment. */
  at(): Checkpoint | undefined;
  /** What is sent once more stays so until the place is reached up to which it was sent before. */
  moveTo(to: Omit<Checkpoint, 'resend'>): void;
  /** Past a range that is done with. */
  moveBehind(range: Range): void;
  /** Puts it on disk if it is not there yet. Throws when the disk refuses; then it is tried again at the next call. */
  store(): void;
}

/** Reads the checkpoint. */
export function openCursor(stateFolder: string, log: Log): Cursor {
  let at = readCheckpoint(stateFolder, log);
  let stored = true;
  const moveTo = (to: Omit<Checkpoint, 'resend'>): void => {
    const resend = at?.resend;
    at = resend !== undefined && isBefore(to, resend) ? { ...to, resend } : to;
    stored = false;
  };
  return {
    at: () => at,
    moveTo,
    moveBehind: (range) =>
      moveTo({ segment: range.segment, number: range.number, offset: range.end }),
    store() {
      if (at !== undefined && !stored) writeCheckpoint(stateFolder, at);
      stored = true;
    },
  };
}
