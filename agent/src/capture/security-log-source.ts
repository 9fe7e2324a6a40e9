/**
 * Takes the command of the bridge, gives the live Security log in batches, for ever.
 * Keeps: a bridge that ends, hangs or babbles is started again where the last batch stopped, with back-off; losses come as facts;
 * a bridge is read no faster than its batches are taken, and ends with the iteration.
 */
import { pause } from '@launchbeat/ecs-schemas/beat';
import type { BoundedLine } from './bounded-lines.ts';
import { type Bridge, startBridge } from './bridge-process.ts';
import { bridgeArguments } from './bridge-protocol.ts';
import { createBridgeReading } from './bridge-reading.ts';
import type { CaptureBatch, Position, Source } from './captured-event.ts';

export interface SecurityLogOptions {
  /** Program and arguments, to which the position is added. */
  readonly command: readonly string[];
  readonly pollMs: number;
  readonly batchSize: number;
  readonly heartbeatTimeoutMs: number;
  readonly backoffInitMs: number;
  readonly backoffMaxMs: number;
  /** Time for the first line: the first PowerShell after an update may take a minute to start. */
  readonly startTimeoutMs?: number;
}

const START_TIMEOUT_MS = 90_000;

type Ended = { readonly ended: string };

const isEnd = (answer: readonly unknown[] | Ended): answer is Ended => !Array.isArray(answer);

/** The lines of one bridge; gives the reason of its end at last. */
async function* linesOf(
  bridge: Bridge,
  options: SecurityLogOptions,
): AsyncGenerator<BoundedLine, string> {
  let silenceMs = Math.max(options.startTimeoutMs ?? START_TIMEOUT_MS, options.heartbeatTimeoutMs);
  for (;;) {
    const lines = await bridge.next(silenceMs);
    if (isEnd(lines)) return lines.ended;
    silenceMs = options.heartbeatTimeoutMs;
    yield* lines;
  }
}

/** The batches of one bridge; gives the reason of its end at last. */
async function* readBridge(
  bridge: Bridge,
  from: Position | undefined,
  options: SecurityLogOptions,
): AsyncGenerator<CaptureBatch, string> {
  const reading = createBridgeReading(from, options.batchSize);
  const lines = linesOf(bridge, options);
  let line = await lines.next();
  while (line.done !== true && reading.refusal() === undefined) {
    const batch = reading.take(line.value);
    if (batch !== undefined) yield batch;
    if (reading.refusal() === undefined) line = await lines.next();
  }
  // Events since the last heartbeat are whole and in order: they count.
  const last = reading.flush();
  if (last !== undefined) yield last;
  return reading.refusal() ?? (line.done === true ? line.value : '');
}

/** Where the source stands: moved only when a batch was taken. */
interface Standing {
  position: Position | undefined;
  delayMs: number;
}

/** Runs one bridge to its end; gives the reason. */
async function* runBridge(
  standing: Standing,
  options: SecurityLogOptions,
  signal: AbortSignal,
): AsyncGenerator<CaptureBatch, string> {
  const settings = { ...options, parentPid: process.pid };
  const bridge = startBridge([...options.command, ...bridgeArguments(standing.position, settings)]);
  const stop = (): void => void bridge.close();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const reading = readBridge(bridge, standing.position, options);
    let step = await reading.next();
    while (step.done !== true) {
      yield step.value;
      if (step.value.position !== undefined) {
        standing.position = step.value.position;
        // It reads: the next trouble is a new one.
        standing.delayMs = options.backoffInitMs;
      }
      step = await reading.next();
    }
    return step.value;
  } finally {
    signal.removeEventListener('abort', stop);
    await bridge.close();
  }
}

/** Makes the source of the live log. */
export function createSecurityLogSource(options: SecurityLogOptions): Source {
  async function* batches(
    from: Position | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<CaptureBatch, void> {
    const standing: Standing = { position: from, delayMs: options.backoffInitMs };
    while (!signal.aborted) {
      const reason = yield* runBridge(standing, options, signal);
      if (signal.aborted) return;
      const { delayMs } = standing;
      standing.delayMs = Math.min(options.backoffMaxMs, Math.max(1, delayMs * 2));
      yield { events: [], facts: [{ kind: 'restart', reason, delayMs }] };
      await pause(delayMs, signal);
    }
  }
  return { name: 'security-log', batches };
}
