/**
 * Takes the command of the bridge, gives the live Security log in batches, for ever.
 * Keeps: a bridge that ends, hangs or babbles is started again where the last batch stopped, with back-off; losses come as facts;
 * a bridge is read no faster than its batches are taken, and ends with the iteration.
 */
import { uptime } from 'node:os';
import type { AuditWatch } from './audit-watch.ts';
import { bridgeArguments, type LogStart } from './bridge-protocol.ts';
import type { ReadingContext } from './bridge-reading.ts';
import type { CaptureBatch, Position } from './captured-event.ts';
import { keepLogBridge } from './keep-log-bridge.ts';
import { createLogEvents } from './log-events.ts';
import { createRecount } from './recount.ts';

export interface SecurityLogOptions {
  /** Program and arguments, to which the position is added. */
  readonly command: readonly string[];
  readonly pollMs: number;
  readonly batchSize: number;
  readonly heartbeatTimeoutMs: number;
  readonly backoffInitMs: number;
  readonly backoffMaxMs: number;
  readonly startTimeoutMs?: number;
  /** Where to begin without a position; default now. */
  readonly start?: LogStart;
  /** How often the bridge counts again what the log has of the last minutes; 0 = never (default). */
  readonly recountMs?: number;
  /** A bridge that needs more memory is begun anew; 0 = no limit (default). */
  readonly readerBytesMax?: number;
  /** When Windows was started, in Unix milliseconds; for tests. */
  readonly bootedAtMs?: number;
}

/** Reads the live log; what it finds out about auditing goes to the watch. */
export async function* securityLogBatches(
  options: SecurityLogOptions,
  watch: AuditWatch,
  from: Position | undefined,
  signal: AbortSignal,
): AsyncGenerator<CaptureBatch, void> {
  const { start = 'now', recountMs = 0, readerBytesMax = 0 } = options;
  const bootedAtMs = options.bootedAtMs ?? Date.now() - uptime() * 1000;
  // What happened before the first start of all was never to be read.
  const wholeFromMs = from === undefined || from.recordId < 0 ? Date.now() : from.timeMs;
  const context: ReadingContext = {
    ...{ batchSize: options.batchSize, watch, readerBytesMax, now: Date.now, doubt: {} },
    logEvents: createLogEvents({ bootedAtMs }),
    recount: createRecount(wholeFromMs),
  };
  const settings = {
    ...{ pollMs: options.pollMs, heartbeatTimeoutMs: options.heartbeatTimeoutMs },
    ...{ parentPid: process.pid, start, recountSeconds: Math.round(recountMs / 1000) },
  };
  const argumentsOf = (position: Position | undefined): readonly string[] =>
    bridgeArguments(position, settings);
  yield* keepLogBridge(options, { from, context, watch, argumentsOf }, signal);
}
