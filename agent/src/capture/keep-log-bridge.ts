/**
 * Takes the command of a bridge to a live log and where reading begins, gives the log's batches, for ever.
 * Keeps: each bridge goes on behind the last batch that was taken; one that was denied the log tells the watch.
 */
import type { AuditWatch } from './audit-watch.ts';
import { EXIT_ACCESS_DENIED } from './bridge-protocol.ts';
import { createBridgeReading, type ReadingContext } from './bridge-reading.ts';
import type { CaptureBatch, Position } from './captured-event.ts';
import { type KeepOptions, keepBridge } from './keep-bridge.ts';

export interface LogBridgeOptions
  extends Pick<
    KeepOptions,
    'heartbeatTimeoutMs' | 'backoffInitMs' | 'backoffMaxMs' | 'startTimeoutMs'
  > {
  /** Program and arguments, to which those of the position are added. */
  readonly command: readonly string[];
}

export interface LogToRead {
  readonly from: Position | undefined;
  readonly context: ReadingContext;
  readonly watch: AuditWatch;
  /** What a bridge is told that goes on behind a position. */
  readonly argumentsOf: (position: Position | undefined) => readonly string[];
}

/** Reads a live log until the signal. */
export function keepLogBridge(
  options: LogBridgeOptions,
  { from, context, watch, argumentsOf }: LogToRead,
  signal: AbortSignal,
): AsyncGenerator<CaptureBatch, void> {
  let position = from;
  return keepBridge(
    {
      ...options,
      command: () => [...options.command, ...argumentsOf(position)],
      reading: () => createBridgeReading(position, context),
      taken: (batch) => {
        position = batch.position ?? position;
      },
      ended: ({ code }) => {
        if (code === EXIT_ACCESS_DENIED) watch.denied();
      },
    },
    signal,
  );
}
