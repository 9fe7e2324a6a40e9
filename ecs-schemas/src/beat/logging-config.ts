/**
 * `logging:` of a config, with the keys and defaults of Beats (configuration-logging.md of Beats).
 */
import { z } from 'zod';
import { byteSize, duration } from './config-values.ts';

export const loggingConfigSchema = z
  .strictObject({
    /** Least level that is written. */
    level: z.enum(['debug', 'info', 'warning', 'error']).default('info'),
    /** Write to a rolling file. */
    to_files: z.boolean().default(true),
    /** Write to stderr; `-e` does the same. */
    to_stderr: z.boolean().default(false),
    files: z
      .strictObject({
        /** Folder; default path.logs. */
        path: z.string().optional(),
        /** First part of the file name; default the program's name. */
        name: z.string().optional(),
        /** A new file is begun at this size. */
        rotateeverybytes: byteSize('10MiB'),
        /** Files kept besides the one being written. */
        keepfiles: z.int().min(2).max(1024).default(7),
      })
      .prefault({}),
    metrics: z
      .strictObject({
        /** Write the counters that changed to the log. */
        enabled: z.boolean().default(true),
        /** How often. */
        period: duration('30s'),
      })
      .prefault({}),
  })
  .prefault({});

export type LoggingConfig = z.infer<typeof loggingConfigSchema>;
