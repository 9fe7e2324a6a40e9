/**
 * How the live log stands, as the reader last saw it: what check-ins, `doctor` and `status` tell of it.
 * Keeps: a part that is not known is absent, never a guess.
 */
import { z } from 'zod';

/** How Windows treats a full log. */
export const LOG_MODES = ['overwrite', 'archive', 'keep'] as const;

const time = z.int().nonnegative();

export const logStandingSchema = z.object({
  /** When this was found out, in Unix milliseconds. */
  atMs: time,
  /** Whether the log can be read: false = access is denied. */
  readable: z.boolean().optional(),
  /** Whether process starts are written to the log, by the canary or by an event that came. */
  processCreation: z.boolean().optional(),
  /** Whether their command lines are, by the canary's own. */
  commandLine: z.boolean().optional(),
  /** When the two above were last tried, in Unix milliseconds. */
  auditedAtMs: time.optional(),
  /** process-poll runs in place of the log. */
  polling: z.boolean().optional(),
  /** Size of the log's file and the size that it may have. */
  bytes: z.int().nonnegative().optional(),
  bytesMax: z.int().nonnegative().optional(),
  mode: z.enum(LOG_MODES).optional(),
  full: z.boolean().optional(),
  /** Times of the oldest and of the newest record, in Unix milliseconds. */
  oldestAtMs: time.optional(),
  newestAtMs: time.optional(),
  oldestId: z.int().optional(),
  newestId: z.int().optional(),
  /** Every record up to this one was looked at. */
  scannedId: z.int().optional(),
  /** Time of the last process start that was read from the log, in Unix milliseconds. */
  lastStartAtMs: time.optional(),
  /** Memory of the reader's process. */
  readerBytes: z.int().nonnegative().optional(),
});

/** What is known of the log. Every part but the time may be missing. */
export type LogStanding = z.infer<typeof logStandingSchema>;

/** Records that the log has and that were not looked at yet; undefined = not known. */
export function recordsBehind({ newestId, scannedId }: LogStanding): number | undefined {
  return newestId === undefined || scannedId === undefined
    ? undefined
    : Math.max(0, newestId - scannedId);
}
