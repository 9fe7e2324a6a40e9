/**
 * Runs a server (PostgreSQL, Elasticsearch) in a process group of its own, its output in a file, on a leash.
 * It keeps no handle open: a test process that forgets to stop it still ends, and the server with it.
 */
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { leash } from './leash.ts';
import { signalTarget } from './reaper.ts';
import { unprivileged } from './unprivileged.ts';

const READY_POLL_MS = 25;
const STOP_TIMEOUT_MS = 30_000;
const TAIL_BYTES = 4_000;

export interface BackgroundOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly logFile: string;
  /** The polite stop of this server. */
  readonly stopSignal: NodeJS.Signals;
}

export interface BackgroundServer {
  /** Resolves once `isReady` gives true; throws with the end of the server's log when it dies first or takes over `timeoutMs`. */
  ready(isReady: () => Promise<boolean>, timeoutMs: number): Promise<void>;
  /** Resolves when the whole process group is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** The last bytes of a file as text; empty when there is none. */
export function tail(file: string): string {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const { size } = fstatSync(descriptor);
      const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
      readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
      return bytes.toString('utf8');
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return '';
  }
}

/** Starts the server as the unprivileged user when this process is root. */
export function startBackground(options: BackgroundOptions): BackgroundServer {
  const log = openSync(options.logFile, 'a');
  const child = spawn(options.command, options.args, {
    ...unprivileged(),
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.unref();
  let failure: string | undefined;
  child.on('error', (error) => {
    failure = error.message;
  });
  child.on('exit', (code, signal) => {
    failure = `it ended with ${signal ?? `code ${code}`}`;
  });
  const group = child.pid;
  if (group === undefined) throw new Error(`${options.command} cannot be started`);
  const release = leash({ target: -group, signal: options.stopSignal });

  const waitUntilGone = async (): Promise<void> => {
    const deadlineMs = performance.now() + STOP_TIMEOUT_MS;
    while (signalTarget(-group, 0)) {
      if (performance.now() > deadlineMs) signalTarget(-group, 'SIGKILL');
      await delay(READY_POLL_MS);
    }
    release();
  };
  return {
    async ready(isReady, timeoutMs) {
      const deadlineMs = performance.now() + timeoutMs;
      while (!(await isReady().catch(() => false))) {
        if (performance.now() > deadlineMs) failure ??= `not ready after ${timeoutMs} ms`;
        if (failure !== undefined) {
          signalTarget(-group, 'SIGKILL');
          await waitUntilGone();
          throw new Error(
            `${options.command}: ${failure}; its log ends:\n${tail(options.logFile)}`,
          );
        }
        await delay(READY_POLL_MS);
      }
    },
    async stop(signal = options.stopSignal) {
      signalTarget(-group, signal);
      await waitUntilGone();
    },
  };
}
