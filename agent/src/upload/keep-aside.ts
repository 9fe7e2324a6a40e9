/**
 * Takes lines that a collector will never take, puts them into quarantine with their reasons and their places.
 */
import { eachLine } from '@launchbeat/ecs-schemas';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { type QuarantineEntry, quarantine } from '../spool/quarantine.ts';
import type { Chunk, Range } from './next-piece.ts';

/** A line of a chunk, counted from 1, and why it was not taken. */
export interface RejectedLine {
  readonly line: number;
  readonly reason: string;
}

/** Puts entries into quarantine. Throws when they may not be on disk. */
export function keepAside(
  spoolFolder: string,
  entries: readonly QuarantineEntry[],
  log: Log,
): void {
  const { droppedBytes } = quarantine(spoolFolder, entries);
  if (droppedBytes === 0) return;
  log.error(
    { 'launchbeat.quarantine.dropped_bytes': droppedBytes },
    'Quarantine is full; its oldest entries are lost.',
  );
}

/** The place of a range as it stands in the idempotency key. */
export const placeOf = (range: Range): string => `${range.segment}@${range.first}-${range.end - 1}`;

/** One entry for each rejected line of a chunk. */
export function rejectedEntries(
  chunk: Chunk,
  rejected: readonly RejectedLine[],
): QuarantineEntry[] {
  const reasons = new Map(rejected.map((one) => [one.line, one.reason]));
  const entries: QuarantineEntry[] = [];
  let [line, first] = [0, chunk.first];
  for (const bytes of eachLine(chunk.bytes)) {
    line += 1;
    const end = first + bytes.length + 1;
    const reason = reasons.get(line);
    if (reason !== undefined)
      entries.push({ reason, place: placeOf({ ...chunk, first, end }), bytes });
    first = end;
  }
  return entries;
}
