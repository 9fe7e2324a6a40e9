/**
 * Takes how the live log stands, gives it as check-ins tell it: on the wire times are ISO 8601, and what is not known is absent.
 */
import { type LogStanding, recordsBehind } from './capture/log-standing.ts';

const iso = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString();

/** How far the last shipped event lies behind the newest record of the log, in milliseconds; undefined = not known. */
export function logLagMs(log: LogStanding, spoolLagMs: number): number | undefined {
  const behind = recordsBehind(log);
  if (behind === undefined) return undefined;
  // All is read: what is left waits in the spool.
  if (behind === 0) return spoolLagMs;
  const { newestAtMs, lastStartAtMs } = log;
  if (newestAtMs === undefined || lastStartAtMs === undefined) return undefined;
  return Math.max(spoolLagMs, newestAtMs - lastStartAtMs);
}

/** `auditing` and `log` of a check-in. */
export function logReport(log: LogStanding, spoolLagMs: number): object {
  return {
    auditing: { process_creation: log.processCreation, command_line: log.commandLine },
    log: {
      at: iso(log.atMs),
      ...{ readable: log.readable, polling: log.polling, mode: log.mode, full: log.full },
      ...{ bytes: log.bytes, bytes_max: log.bytesMax, reader_bytes: log.readerBytes },
      ...{ oldest_at: iso(log.oldestAtMs), newest_at: iso(log.newestAtMs) },
      records_behind: recordsBehind(log),
      lag_ms: logLagMs(log, spoolLagMs),
    },
  };
}
