/**
 * `capture:` of launchbeat.yml: where events come from.
 */
import { duration, stringList } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';

export const captureConfigSchema = z
  .strictObject({
    /** `security-log`: the live log of this PC. `replay`: events as XML from files. `evtx`: saved logs. */
    source: z.enum(['security-log', 'replay', 'evtx']).default('security-log'),
    /**
     * security-log: program and arguments that read the log; the position is added as further arguments.
     * Empty = Windows PowerShell with windows/bridge.ps1 of path.home.
     */
    command: z.array(z.string()).default([]),
    /** security-log: how often the log is looked at. */
    poll_interval: duration('1s').pipe(z.number().min(100).max(60_000)),
    /** Events that are made durable at a time. */
    batch_size: z.int().min(1).max(10_000).default(500),
    /** security-log: a reader that says nothing for so long is ended and started again. */
    heartbeat_timeout: duration('60s').pipe(z.number().min(1000)),
    restart: z
      .strictObject({
        backoff: z
          .strictObject({
            /** security-log: wait before the first restart of the reader; doubled each time. */
            init: duration('1s'),
            /** security-log: longest wait before a restart. */
            max: duration('60s'),
          })
          .prefault({}),
      })
      .prefault({}),
    /** replay, evtx: files or patterns (`*`, `**`, `?`), read in the order of their names; `-` = standard input (replay). */
    files: stringList(),
    /** replay, evtx: events per second at most; 0 = as fast as they can be made durable. */
    rate: z.number().nonnegative().default(0),
  })
  .prefault({})
  .refine((capture) => capture.source === 'security-log' || capture.files.length > 0, {
    path: ['files'],
    message: 'Name at least one file or pattern for this source',
  })
  .refine((capture) => capture.source !== 'evtx' || !capture.files.includes('-'), {
    path: ['files'],
    message: 'Standard input is only read as XML; use source: replay for "-"',
  });

export type CaptureConfig = z.infer<typeof captureConfigSchema>;
