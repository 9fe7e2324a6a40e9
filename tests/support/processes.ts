/**
 * Runs programs for tests: starts them, keeps the end of what they print, waits for a line or for their end, signals them.
 * Each stands in a process group of its own, on a leash: it ends with the test process, with whatever it started itself.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { leash } from './leash.ts';
import { signalTarget } from './reaper.ts';

/** What is kept of each stream: its end. */
const OUTPUT_UNITS_MAX = 8 * 1024 * 1024;
const LINE_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 20_000;
/** After its exit a program's output is waited for this long: a process that it started may hold the pipe. */
const DRAIN_TIMEOUT_MS = 2_000;

export interface ProgramOptions {
  readonly cwd?: string;
  /** Added to this process's environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Written to its standard input, which is then closed. Without it, it stays open: write to `stdin`. */
  readonly input?: string | Uint8Array;
  /** The test after which the program is killed if it still runs. */
  readonly t?: Pick<TestContext, 'after'>;
}

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Program {
  readonly pid: number;
  readonly stdin: Writable;
  readonly exited: Promise<ProgramEnd>;
  /** What it printed so far; of more than 8 Mi units the end. */
  stdout(): string;
  stderr(): string;
  /** The first line of either stream that matches, be it printed already or yet to come. Throws when the program ends first. */
  waitForLine(pattern: RegExp, options?: { readonly timeoutMs?: number }): Promise<string>;
  /** Signals the program alone, as a user or a crash (SIGKILL) does; false when it has ended already. */
  signal(signal: NodeJS.Signals): boolean;
  /** Signals it (SIGTERM by default), waits for its end, kills its whole group if it takes over 20 s. */
  stop(signal?: NodeJS.Signals): Promise<ProgramEnd>;
}

interface Output {
  text: string;
}

function collect(stream: Readable, onText: () => void): Output {
  const output: Output = { text: '' };
  stream.setEncoding('utf8').on('data', (text: string) => {
    output.text = (output.text + text).slice(-OUTPUT_UNITS_MAX);
    onText();
  });
  return output;
}

const matchingLine = (text: string, pattern: RegExp): string | undefined =>
  text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .find((line) => line.search(pattern) >= 0);

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Resolves when the program has exited and its output was read, as far as it comes. */
async function endOf(child: Child): Promise<ProgramEnd> {
  const closed = new Promise<void>((resolve) => {
    child.on('close', () => resolve());
  });
  const end = await new Promise<ProgramEnd>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve({ code, signal }));
  });
  const timeout = new AbortController();
  await Promise.race([
    closed,
    delay(DRAIN_TIMEOUT_MS, undefined, { signal: timeout.signal }).catch(() => {}),
  ]);
  timeout.abort();
  return end;
}

/** Starts a program; a script of this repository is `startProgram(process.execPath, [script, ...args])`. */
export function startProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Program {
  // NODE_TEST_CONTEXT would make a Node program report to the test runner.
  const env = { ...process.env, NODE_TEST_CONTEXT: undefined, ...options.env };
  const child: Child = spawn(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const listeners = new Set<() => void>();
  const onText = (): void => {
    for (const listener of listeners) listener();
  };
  const stdout = collect(child.stdout, onText);
  const stderr = collect(child.stderr, onText);
  child.stdin.on('error', () => {}); // it may end without reading all
  if (options.input !== undefined) child.stdin.end(options.input);

  const group = child.pid;
  const release = group === undefined ? () => {} : leash({ target: -group, signal: 'SIGKILL' });
  const exited = endOf(child).finally(() => {
    // What the program left behind stays on the leash.
    if (group === undefined || !signalTarget(-group, 0)) release();
  });
  exited.catch(() => {}); // a command that does not exist: seen by whoever awaits it
  const running = (): boolean => child.exitCode === null && child.signalCode === null;

  const program: Program = {
    pid: group ?? -1,
    stdin: child.stdin,
    exited,
    stdout: () => stdout.text,
    stderr: () => stderr.text,
    waitForLine(pattern, { timeoutMs = LINE_TIMEOUT_MS } = {}) {
      const find = () => matchingLine(stdout.text, pattern) ?? matchingLine(stderr.text, pattern);
      const said = () => `${[command, ...args].join(' ')} printed:\n${stdout.text}${stderr.text}`;
      return new Promise<string>((resolve, reject) => {
        const settle = (act: () => void): void => {
          clearTimeout(timer);
          listeners.delete(look);
          act();
        };
        const look = (): void => {
          const line = find();
          if (line !== undefined) settle(() => resolve(line));
        };
        const timer = setTimeout(
          () =>
            settle(() => reject(new Error(`no line ${pattern} after ${timeoutMs} ms; ${said()}`))),
          timeoutMs,
        );
        listeners.add(look);
        exited.then(
          () => {
            look();
            settle(() => reject(new Error(`it ended without a line ${pattern}; ${said()}`)));
          },
          (error: unknown) => settle(() => reject(error)),
        );
        look();
      });
    },
    signal: (signal) => running() && child.kill(signal),
    async stop(signal = 'SIGTERM') {
      if (running()) child.kill(signal);
      const timer = setTimeout(() => group && signalTarget(-group, 'SIGKILL'), STOP_TIMEOUT_MS);
      return await exited.finally(() => clearTimeout(timer));
    },
  };
  options.t?.after(async () => {
    if (group !== undefined) signalTarget(-group, 'SIGKILL');
    await exited.catch(() => {});
  });
  return program;
}

/** Runs a program to its end and gives what it printed. Its standard input is empty unless `input` is given. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramEnd & { readonly stdout: string; readonly stderr: string }> {
  const program = startProgram(command, args, { input: '', ...options });
  const end = await program.exited;
  return { ...end, stdout: program.stdout(), stderr: program.stderr() };
}
