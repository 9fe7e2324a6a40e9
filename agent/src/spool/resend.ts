/**
 * Takes the name of a segment, moves the checkpoint back to its start: it and all behind it are sent once more.
 * Keeps: nothing is doubled in a store, since every event keeps its id. Call it only while no agent holds the folder.
 */
import { join } from 'node:path';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { isBefore, readCheckpoint, sentUpTo, writeCheckpoint } from './checkpoint.ts';
import { listSegments } from './list-segments.ts';

export interface ResendOptions {
  readonly spoolFolder: string;
  readonly stateFolder: string;
  /** Undefined = the oldest that is there. */
  readonly segment?: string | undefined;
  readonly log: Log;
}

export type ResendOutcome =
  | { readonly outcome: 'done'; readonly segment: string; readonly bytes: number }
  /** There is nothing to send again. */
  | { readonly outcome: 'refused'; readonly reason: string };

/** Moves the checkpoint back. Throws when it cannot be written. */
export function resend(options: ResendOptions): ResendOutcome {
  const { spoolFolder, stateFolder, log } = options;
  const segments = listSegments(spoolFolder);
  const index =
    options.segment === undefined ? 0 : segments.findIndex((one) => one.name === options.segment);
  const start = segments[index];
  if (start === undefined) {
    const reason =
      options.segment === undefined
        ? `${spoolFolder} holds no segment.`
        : `${join(spoolFolder, options.segment)} is not there; \`spool ls\` shows what is.`;
    return { outcome: 'refused', reason };
  }
  const checkpoint = readCheckpoint(stateFolder, log);
  const to = { segment: start.name, number: start.number, offset: 0 };
  if (checkpoint === undefined || !isBefore(to, checkpoint)) {
    return {
      outcome: 'refused',
      reason: `${start.name} has not been sent yet; the agent does that by itself.`,
    };
  }
  writeCheckpoint(stateFolder, { ...to, resend: sentUpTo(checkpoint) });
  const again = segments
    .slice(index)
    .filter((one) => one.number <= checkpoint.number)
    .reduce(
      (sum, one) => sum + (one.number === checkpoint.number ? checkpoint.offset : one.size),
      0,
    );
  return { outcome: 'done', segment: start.name, bytes: again };
}
