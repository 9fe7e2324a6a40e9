/**
 * Takes how to start a bridge and how to read its lines, keeps one running: gives its batches for ever.
 * Keeps: a bridge that ends, hangs or babbles is started again with back-off, from where the last batch stopped; a bridge is read no
 * faster than its batches are taken, and ends with the iteration.
 */
import { pause } from '@launchbeat/ecs-schemas/beat';
import type { BoundedLine } from './bounded-lines.ts';
import { type Bridge, type BridgeEnd, startBridge } from './bridge-process.ts';
import type { CaptureBatch } from './captured-event.ts';

export interface KeepOptions {
  readonly heartbeatTimeoutMs: number;
  readonly backoffInitMs: number;
  readonly backoffMaxMs: number;
  /** Time for the first line: the first PowerShell after an update may take a minute to start. */
  readonly startTimeoutMs?: number;
  /** Program and arguments of the next bridge. */
  readonly command: () => readonly string[];
  /** The reading of the next bridge. */
  readonly reading: () => LineReading;
  /** A batch was taken: the next bridge goes on behind it. */
  readonly taken: (batch: CaptureBatch) => void;
  /** A bridge ended; told before the fact that says so. */
  readonly ended?: (end: BridgeEnd) => void;
}

/** What makes batches of lines. */
export interface LineReading {
  take(line: BoundedLine): CaptureBatch | undefined;
  flush(): CaptureBatch | undefined;
  /** Why this bridge is not to be read any further; undefined = it is. */
  refusal(): string | undefined;
}

const START_TIMEOUT_MS = 90_000;

const isEnd = (answer: readonly unknown[] | BridgeEnd): answer is BridgeEnd =>
  !Array.isArray(answer);

/** The lines of one bridge; gives its end at last. */
async function* linesOf(
  bridge: Bridge,
  options: KeepOptions,
): AsyncGenerator<BoundedLine, BridgeEnd> {
  let silenceMs = Math.max(options.startTimeoutMs ?? START_TIMEOUT_MS, options.heartbeatTimeoutMs);
  for (;;) {
    const lines = await bridge.next(silenceMs);
    if (isEnd(lines)) return lines;
    silenceMs = options.heartbeatTimeoutMs;
    yield* lines;
  }
}

/** The batches of one bridge; gives its end at last. */
async function* readBridge(
  bridge: Bridge,
  options: KeepOptions,
): AsyncGenerator<CaptureBatch, BridgeEnd> {
  const reading = options.reading();
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
  const refusal = reading.refusal();
  if (refusal !== undefined) return { ended: refusal };
  return line.done === true ? line.value : { ended: '' };
}

/** Runs one bridge to its end; gives it. `moved` is called when a batch was taken. */
async function* runBridge(
  options: KeepOptions,
  moved: () => void,
  signal: AbortSignal,
): AsyncGenerator<CaptureBatch, BridgeEnd> {
  const bridge = startBridge(options.command());
  const stop = (): void => void bridge.close();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const reading = readBridge(bridge, options);
    let step = await reading.next();
    while (step.done !== true) {
      yield step.value;
      options.taken(step.value);
      // It reads: the next trouble is a new one.
      if (step.value.position !== undefined) moved();
      step = await reading.next();
    }
    return step.value;
  } finally {
    signal.removeEventListener('abort', stop);
    await bridge.close();
  }
}

/** Keeps a bridge running until the signal. */
export async function* keepBridge(
  options: KeepOptions,
  signal: AbortSignal,
): AsyncGenerator<CaptureBatch, void> {
  let nextDelayMs = options.backoffInitMs;
  const moved = (): void => {
    nextDelayMs = options.backoffInitMs;
  };
  while (!signal.aborted) {
    const end = yield* runBridge(options, moved, signal);
    if (signal.aborted) return;
    options.ended?.(end);
    const delayMs = nextDelayMs;
    nextDelayMs = Math.min(options.backoffMaxMs, Math.max(1, delayMs * 2));
    yield { events: [], facts: [{ kind: 'restart', reason: end.ended, delayMs }] };
    await pause(delayMs, signal);
  }
}
