/**
 * How far the live log has been read, kept in `position.json` of the data folder.
 * Keeps: written only when the events up to it are durable in the spool; lost, it is taken from the spool's last line, or, where that
 * cannot be, everything that the log still has is read again.
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
  /** Absent = the Security log of this PC. */
  log: z.literal('ForwardedEvents').optional(),
  polledToMs: z.int().nonnegative().optional(),
  records: z.int().nonnegative().optional(),
  starts: z.int().nonnegative().optional(),
});

type StoredPosition = z.infer<typeof positionSchema>;

export interface PositionFile {
  /** The position to go on from; undefined at the first start. `source` is `capture.source`; default security-log. */
  read(recovered: RecoverOutcome, source?: string): StoredPosition | undefined;
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
    read(recovered, source) {
      const stored = readStateFile(file, positionSchema, log);
      if (stored !== undefined) return stored;
      const last = recovered.last;
      if (source === 'forwarded-events') return beforeForwarded(last, log);
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

/** Lines of forwarded events say nothing of their places in the log; read twice, an event is still one. */
function beforeForwarded(last: LastLine | undefined, log: Log): StoredPosition | undefined {
  if (last === undefined) return undefined;
  log.warn(
    {},
    'Position file is missing or broken; the ForwardedEvents log is read again from its oldest record.',
  );
  const timeMs = Number.isSafeInteger(last.timeMs) ? last.timeMs : 0;
  return { recordId: -1, scannedId: -1, timeMs, log: 'ForwardedEvents' };
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
