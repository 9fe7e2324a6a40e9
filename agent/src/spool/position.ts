/**
 * How far the live log has been read, kept in `position.json` of the data folder.
 * Keeps: written only when the events up to it are durable in the spool; lost, it is taken from the spool's last line.
 */
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';
import type { LastLine, RecoverOutcome } from './recover-spool.ts';
import { readStateFile, writeStateFile } from './state-file.ts';

const positionSchema = z.object({
  recordId: z.int().min(-1),
  scannedId: z.int().min(-1),
  timeMs: z.int().nonnegative(),
  polledToMs: z.int().nonnegative().optional(),
  records: z.int().nonnegative().optional(),
  starts: z.int().nonnegative().optional(),
});

type StoredPosition = z.infer<typeof positionSchema>;

export interface PositionFile {
  /** The position to go on from; undefined at the first start. */
  read(recovered: RecoverOutcome): StoredPosition | undefined;
  /** Throws when it may not be on disk. */
  write(position: StoredPosition): void;
}

/** The position as it stands in the file; undefined before the first event, or where the file is broken. */
export function knownPosition(folder: string, log: Log): StoredPosition | undefined {
  return readStateFile(join(folder, 'position.json'), positionSchema, log);
}

/** Opens the position file of a data folder. */
export function openPosition(folder: string, log: Log): PositionFile {
  const file = join(folder, 'position.json');
  return {
    read(recovered) {
      const stored = readStateFile(file, positionSchema, log);
      if (stored !== undefined) return stored;
      const last = recovered.last;
      if (last === undefined || !isOfThisLog(last)) return undefined;
      log.warn(
        { 'winlog.record_id': String(last.recordId) },
        'Position file is missing or broken; reading goes on behind the last line of the spool.',
      );
      return { recordId: last.recordId, scannedId: last.recordId, timeMs: last.timeMs };
    },
    write: (position) => writeStateFile(file, position),
  };
}

/**
 * Whether the line came from this computer's Security log. Imported files have record ids of other logs; going on behind
 * one of those would leave events out.
 */
function isOfThisLog(line: LastLine): boolean {
  const short = (name: string): string => (name.split('.')[0] ?? '').toLowerCase();
  return (
    line.channel === 'Security' &&
    short(line.computer) === short(hostname()) &&
    Number.isSafeInteger(line.recordId) &&
    Number.isSafeInteger(line.timeMs)
  );
}
