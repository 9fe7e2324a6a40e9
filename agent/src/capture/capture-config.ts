/**
 * `capture:` of launchbeat.yml: where events come from.
 */
import { byteSize, duration, stringList } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';

export const captureConfigSchema = z
  .strictObject({
    /**
     * `security-log`: the live log of this PC. `forwarded-events`: live, what other PCs forward to this one; `security-log` below means
     * it too where nothing else is said. `replay`: events as XML from files. `evtx`: saved logs.
     */
    source: z.enum(['security-log', 'forwarded-events', 'replay', 'evtx']).default('security-log'),
    /**
     * security-log: program and arguments that read the log; the position is added as further arguments.
     * Empty = Windows PowerShell with windows/bridge.ps1 of path.home.
     */
    command: z.array(z.string()).default([]),
    /** security-log: how often the log is looked at. */
    poll_interval: duration('1s').pipe(z.number().min(100).max(60_000)),
    /**
     * security-log: where reading begins at the first start, when there is no position yet. `now`: behind the newest record. `oldest`:
     * at the oldest record that the log has. A duration: so far back.
     */
    start: z
      .union([z.literal('now'), z.literal('oldest'), duration('0').pipe(z.number().positive())], {
        error: 'Expected now, oldest, or a duration such as 24h',
      })
      .default('now'),
    /** Events that happened longer ago than this when they are read are left out and counted; 0 = none. */
    ignore_older: duration('0'),
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
    /**
     * security-log (not forwarded-events): how often what was read is counted again in the log, for the last ten minutes; 0 = never.
     */
    recount_interval: duration('1h'),
    /** security-log: a reader that needs more memory is started again; 0 = no limit. */
    max_memory: byteSize('400MiB'),
    canary: z
      .strictObject({
        /**
         * security-log (not forwarded-events): how often the agent starts a tiny process of its own, to see whether Windows logs it and its command line;
         * 0 = never. Also at the start, and after a change of the audit policy.
         */
        interval: duration('1h'),
        /** security-log: program and arguments of it; its mark is added as the last one. Empty = `cmd.exe /d /c rem` of Windows. */
        command: z.array(z.string()).default([]),
      })
      .prefault({}),
    process_poll: z
      .strictObject({
        /**
         * security-log (not forwarded-events): while Windows audits no process starts, or the log may not be read, look at the processes
         * instead.
         */
        enabled: z.boolean().default(true),
        /** security-log: how often. What lives shorter is mostly missed. */
        interval: duration('2s').pipe(z.number().min(500).max(60_000)),
      })
      .prefault({}),
    /** replay, evtx: files or patterns (`*`, `**`, `?`), read in the order of their names; `-` = standard input (replay). */
    files: stringList(),
    /** evtx: `own` reads the files on any system; `bridge` has Windows read them, through windows/bridge.ps1. */
    evtx_reader: z.enum(['own', 'bridge']).default('own'),
    /** replay, evtx: events per second at most; 0 = as fast as they can be made durable. */
    rate: z.number().nonnegative().default(0),
  })
  .prefault({})
  .refine((capture) => isLiveSource(capture.source) || capture.files.length > 0, {
    path: ['files'],
    message: 'Name at least one file or pattern for this source',
  })
  .refine((capture) => capture.source !== 'evtx' || !capture.files.includes('-'), {
    path: ['files'],
    message: 'Standard input is only read as XML; use source: replay for "-"',
  });

/** Whether a source follows a log of this Windows, through a bridge. */
export function isLiveSource(source: string): boolean {
  return source === 'security-log' || source === 'forwarded-events';
}

export type CaptureConfig = z.infer<typeof captureConfigSchema>;
