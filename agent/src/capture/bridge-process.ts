/**
 * Takes a command, runs it as the bridge, gives its output lines as they come.
 * Keeps: its output is read only while somebody asks for it, so a slow consumer stops the bridge; silence past the time-out,
 * a broken pipe and the end all come as the reason why it ended; the child never outlives `close()`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { type BoundedLine, createLineSplitter } from './bounded-lines.ts';
import { exitText } from './bridge-protocol.ts';
import { EVENT_UNITS_MAX } from './captured-event.ts';

/** Why a bridge gives no more lines. */
export interface BridgeEnd {
  /** One sentence or two, for people. */
  readonly ended: string;
  /** Its exit code, where it ended by itself. */
  readonly code?: number | undefined;
}

/** A running bridge. */
export interface Bridge {
  /** The next lines that came, at least one; or why no more will come (close it then). */
  next(silenceMs: number): Promise<readonly BoundedLine[] | BridgeEnd>;
  /** Ends the process, waits for it. */
  close(): Promise<void>;
}

/** `E ` and an event of EVENT_UNITS_MAX units in UTF-8. */
const LINE_BYTES_MAX = 3 * EVENT_UNITS_MAX + 2;
const STDERR_UNITS_MAX = 500;
const EXIT_WAIT_MS = 5000;

/** Keeps the beginning of what a process says on stderr; PowerShell may wrap it in XML, so it is opaque. */
function watchStderr(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (piece: string) => {
    if (text.length < STDERR_UNITS_MAX) text = (text + piece).slice(0, STDERR_UNITS_MAX);
  });
  return () => text.replace(/\s+/g, ' ').trim();
}

/** Waits for the end of a process, kills it after a while. */
async function exitOf(child: ChildProcess, waitMs: number): Promise<BridgeEnd> {
  if (child.exitCode === null && child.signalCode === null) {
    const timer = setTimeout(() => child.kill('SIGKILL'), waitMs);
    await once(child, 'exit');
    clearTimeout(timer);
  }
  const ended = exitText(child.exitCode, child.signalCode);
  return { ended, code: child.exitCode ?? undefined };
}

/** Starts the bridge. A command that cannot be started is a bridge that has ended. */
export function startBridge(command: readonly string[]): Bridge {
  const [file = '', ...args] = command;
  // stdin is not given: a read that hangs on it would hang whatever inherits it.
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
  let startError: Error | undefined;
  child.on('error', (error) => {
    startError = error;
  });
  const stderr = watchStderr(child.stderr);
  const splitter = createLineSplitter(LINE_BYTES_MAX);
  const pieces = child.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;

  async function ended(): Promise<BridgeEnd> {
    if (startError !== undefined || child.pid === undefined) {
      const code = (startError as NodeJS.ErrnoException | undefined)?.code ?? 'unknown error';
      return { ended: `"${file}" cannot be started (${code}). Look at capture.command.` };
    }
    const end = await exitOf(child, EXIT_WAIT_MS);
    return stderr() === '' ? end : { ...end, ended: `${end.ended} It said: ${stderr()}` };
  }

  return {
    async next(silenceMs) {
      for (;;) {
        const piece = await within(pieces.next(), silenceMs);
        if (piece === 'silence') {
          return {
            ended: `The reader of the Security log said nothing for ${silenceMs / 1000} s and was ended.`,
          };
        }
        if (piece === 'broken' || piece.done === true) return ended();
        const lines = splitter.push(piece.value);
        if (lines.length > 0) return lines;
      }
    },
    async close() {
      child.stdout.destroy();
      if (child.pid === undefined) return;
      child.kill('SIGKILL');
      await exitOf(child, EXIT_WAIT_MS);
    },
  };
}

async function within<Value>(
  promise: Promise<Value>,
  milliseconds: number,
): Promise<Value | 'silence' | 'broken'> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<'silence'>((resolve) => {
    timer = setTimeout(resolve, milliseconds, 'silence');
  });
  try {
    return await Promise.race([promise.catch(() => 'broken' as const), silence]);
  } finally {
    clearTimeout(timer);
  }
}
