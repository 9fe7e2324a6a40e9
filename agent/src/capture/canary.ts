/**
 * Takes a command, starts it as the canary: a tiny process whose own event 4688 shows whether process starts are logged, and its own
 * command line whether command lines are. Gives how to recognise that event.
 * Keeps: the process does nothing and ends by itself; its mark is random, so that no old event is taken for it.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { win32 } from 'node:path';
import { processEnvironment } from '@launchbeat/ecs-schemas/beat';

/** A canary that was started. */
export interface Canary {
  readonly pid: number;
  /** Last argument of its command line. */
  readonly mark: string;
  /** File name of its program, in lower case. */
  readonly program: string;
  readonly startedAtMs: number;
}

/** What the log said of a canary in one of its events. */
export type CanarySong = 'with_command_line' | 'without_command_line';

/** What every mark of every agent begins with: agents leave each other's canaries out by it (map/canary-start.ts). */
const MARK = 'launchbeat-canary-';

/**
 * The default: a shell that is told a remark. Undefined where there is no Windows. It is started without a console, so that no
 * conhost.exe is started with it.
 */
export function canaryCommand(given: readonly string[]): readonly string[] | undefined {
  if (given.length > 0) return given;
  if (process.platform !== 'win32') return undefined;
  const windows = processEnvironment()['SystemRoot'] ?? 'C:\\Windows';
  return [`${windows}\\System32\\cmd.exe`, '/d', '/c', 'rem'];
}

/** Starts it; gives why not, where it cannot be started. */
export function startCanary(command: readonly string[], nowMs: number): Canary | string {
  const [file = '', ...args] = command;
  const mark = MARK + randomBytes(16).toString('hex');
  const child = spawn(file, [...args, mark], {
    ...{ detached: true, stdio: 'ignore', windowsHide: true },
  });
  child.on('error', () => undefined);
  child.unref();
  if (child.pid === undefined)
    return `"${file}" cannot be started. Look at capture.canary.command.`;
  const program = win32.basename(file).toLowerCase();
  return { pid: child.pid, mark, program, startedAtMs: nowMs };
}

const PID = /<Data Name=['"]NewProcessId['"]>\s*(0x[0-9a-fA-F]{1,16}|\d{1,10})\s*</;
const PROGRAM = /<Data Name=['"]NewProcessName['"]>([^<]{0,1000})</;
const COMMAND_LINE = /<Data Name=['"]CommandLine['"]>\s*[^<\s]/;

/** Whether this event 4688 is the canary's; undefined = it is not. */
export function canarySong(xml: string, canary: Canary): CanarySong | undefined {
  if (xml.includes(canary.mark)) return 'with_command_line';
  if (Number(PID.exec(xml)?.[1] ?? Number.NaN) !== canary.pid) return undefined;
  const program = win32.basename(PROGRAM.exec(xml)?.[1] ?? '').toLowerCase();
  // A process id is soon used again: whose command line is another one is somebody else.
  return program === canary.program && !COMMAND_LINE.test(xml) ? 'without_command_line' : undefined;
}

/** Whether an event 4688 has a command line at all. */
export const hasCommandLine = (xml: string): boolean => COMMAND_LINE.test(xml);
/** Process id of an event 4688; NaN where it is none. */
export const newProcessId = (xml: string): number => Number(PID.exec(xml)?.[1] ?? Number.NaN);
