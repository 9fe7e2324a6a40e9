/**
 * `spool:` of launchbeat.yml: where events wait on disk until the collector has acknowledged them, and how much room they may take.
 */
import { byteSize, duration } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';

const MIB = 1024 * 1024;

export const spoolConfigSchema = z
  .strictObject({
    /** Folder of the spool files; default `path.data/spool`. */
    path: z.string().min(1).optional(),
    /** A new file is begun at this size. */
    segment_bytes: byteSize('16MiB').refine(
      (bytes) => bytes >= MIB && bytes <= 1024 * MIB,
      'Expected a size from 1MiB to 1GiB',
    ),
    /** All files together; when they are full of events without a receipt, `on_full` says what happens. */
    max_bytes: byteSize('1GiB').refine((bytes) => bytes >= 4 * MIB, 'Expected at least 4MiB'),
    /** What happens then: `block` = reading waits; `drop_oldest` = the oldest file goes with its events, counted as lost. */
    on_full: z.enum(['block', 'drop_oldest']).default('block'),
    /** While the disk has less than this left, reading waits; 0 = never. */
    disk_free_min: byteSize('200MiB'),
    /** How long acknowledged files are kept; they go earlier when the room is needed. */
    retention: duration('24h'),
  })
  .refine((spool) => spool.max_bytes >= 2 * spool.segment_bytes, {
    path: ['max_bytes'],
    message:
      'Expected at least twice spool.segment_bytes, or the newest file alone fills the spool',
  })
  .prefault({});

export type SpoolConfig = z.infer<typeof spoolConfigSchema>;
