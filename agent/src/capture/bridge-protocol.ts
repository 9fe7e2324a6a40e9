/**
 * The lines that the bridge writes (windows/bridge.ps1 has the same table), and the words for its exit codes.
 * Keeps: a line that is not of the protocol is reported, never taken for an event.
 */
import { FORWARDED_LOG, type Position } from './captured-event.ts';

/** The version of the protocol that this agent speaks; the bridge's first line is `V <version> …`. */
export const BRIDGE_PROTOCOL = 2;

/** The log and its settings as the bridge saw them; -1 = not known. Times are Unix milliseconds. */
export interface LogInfo {
  readonly oldestId: number;
  readonly newestId: number;
  readonly oldestAtMs: number;
  readonly newestAtMs: number;
  readonly bytes: number;
  readonly bytesMax: number;
  /** EventLogMode of .NET: 0 circular, 1 auto-backup, 2 retain. */
  readonly mode: number;
  readonly full: number;
  /** Memory of the bridge itself. */
  readonly readerBytes: number;
}

/**
 * Everything up to `scannedId` was looked at; the last event was `recordId`. All events before it have been written. The newest
 * record of the log is `newestId`; -1 = the log could not be looked at.
 */
export interface HeartbeatLine {
  readonly kind: 'heartbeat';
  readonly recordId: number;
  readonly scannedId: number;
  readonly newestId: number;
}

/** What the log has of a window of time: process starts from `fromMs` (inclusive) to `toMs` (exclusive), and the first one's id. */
export interface RecountLine {
  readonly kind: 'recount';
  readonly fromMs: number;
  readonly toMs: number;
  readonly starts: number;
  readonly firstId: number;
}

/** One line of the bridge. */
export type BridgeLine =
  | { readonly kind: 'version'; readonly version: number; readonly engine: string }
  | { readonly kind: 'event'; readonly xml: string }
  /** An event that another PC sent here; `recordId` is its place in the log that is read, in its XML stands that PC's own. */
  | { readonly kind: 'forwarded'; readonly recordId: number; readonly xml: string }
  | HeartbeatLine
  /** No position was given: reading starts behind this record. */
  | { readonly kind: 'start'; readonly newest: number }
  | {
      readonly kind: 'recreated';
      readonly scannedId: number;
      readonly oldest: number;
      readonly newest: number;
    }
  | { readonly kind: 'gap'; readonly scannedId: number; readonly oldest: number }
  | { readonly kind: 'info'; readonly info: LogInfo }
  | RecountLine
  /** process-poll: a process that was found, as an event of our own. */
  | { readonly kind: 'polled'; readonly xml: string }
  /** process-poll: every process made before this time has been written. */
  | { readonly kind: 'polled_to'; readonly timeMs: number }
  /** An event that Windows cannot give as XML; the bridge passed it over. */
  | { readonly kind: 'passed_over'; readonly recordId: number; readonly reason: string }
  | { readonly kind: 'warning'; readonly reason: string }
  /** The bridge cannot work here and ends. */
  | { readonly kind: 'refusal'; readonly reason: string }
  | { readonly kind: 'unknown' };

/** Numbers of each kind that has nothing but numbers. */
const NUMBERS: Readonly<Record<string, number>> = { H: 3, S: 1, R: 3, G: 2, I: 9, C: 4, T: 1 };

function numbersOf(body: string, count: number): number[] | undefined {
  const numbers = body
    .split(' ')
    .map((text) => (/^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN));
  return numbers.length === count && numbers.every(Number.isSafeInteger) ? numbers : undefined;
}

function infoOf(numbers: readonly number[]): LogInfo {
  const at = (index: number): number => numbers[index] ?? -1;
  return {
    ...{ oldestId: at(0), newestId: at(1), oldestAtMs: at(2), newestAtMs: at(3) },
    ...{ bytes: at(4), bytesMax: at(5), mode: at(6), full: at(7), readerBytes: at(8) },
  };
}

function numberLine(letter: string, body: string): BridgeLine {
  const numbers = numbersOf(body, NUMBERS[letter] ?? 0);
  if (numbers === undefined) return { kind: 'unknown' };
  const [first = 0, second = 0, third = 0, fourth = 0] = numbers;
  switch (letter) {
    case 'H':
      return { kind: 'heartbeat', recordId: first, scannedId: second, newestId: third };
    case 'S':
      return { kind: 'start', newest: first };
    case 'G':
      return { kind: 'gap', scannedId: first, oldest: second };
    case 'I':
      return { kind: 'info', info: infoOf(numbers) };
    case 'C':
      return { kind: 'recount', fromMs: first, toMs: second, starts: third, firstId: fourth };
    case 'T':
      return { kind: 'polled_to', timeMs: first };
    default:
      return { kind: 'recreated', scannedId: first, oldest: second, newest: third };
  }
}

/** Reads one line, without its LF. */
export function readBridgeLine(line: string): BridgeLine {
  const letter = line.charAt(0);
  const body = line.slice(2);
  if (line.charAt(1) !== ' ') return { kind: 'unknown' };
  if (letter === 'E' || letter === 'P') {
    if (!body.startsWith('<Event')) return { kind: 'unknown' };
    return { kind: letter === 'E' ? 'event' : 'polled', xml: body };
  }
  if (letter === 'F') return forwardedLine(body);
  if (letter in NUMBERS) return numberLine(letter, body);
  if (letter === 'V') {
    const [version = '', ...engine] = body.split(' ');
    return /^\d{1,4}$/.test(version)
      ? { kind: 'version', version: Number(version), engine: engine.join(' ') }
      : { kind: 'unknown' };
  }
  if (letter === 'U') return passedOver(body);
  if (letter === 'W') return { kind: 'warning', reason: warningText(body) };
  if (letter === 'X') return { kind: 'refusal', reason: refusalText(body) };
  return { kind: 'unknown' };
}

function forwardedLine(body: string): BridgeLine {
  const blank = body.indexOf(' ');
  const [record, xml] = [body.slice(0, blank), body.slice(blank + 1)];
  if (!/^\d{1,15}$/.test(record) || !xml.startsWith('<Event')) return { kind: 'unknown' };
  return { kind: 'forwarded', recordId: Number(record), xml };
}

function passedOver(body: string): BridgeLine {
  const [, record = '', why = ''] = /^(\d{1,15}) (.*)$/.exec(body) ?? [];
  if (record === '') return { kind: 'unknown' };
  const reason = `Windows cannot give the event of record ${record} (${why}); it is passed over and lost`;
  return { kind: 'passed_over', recordId: Number(record), reason };
}

/** Why a bridge of another version is not read. */
export function otherVersion(version: number): string {
  return `The bridge speaks protocol ${version}, this agent ${BRIDGE_PROTOCOL}. Install agent and windows/bridge.ps1 of one version.`;
}

function warningText(body: string): string {
  return body === 'stale'
    ? 'The log was cleared while it was being read; reading goes on by record id.'
    : `The reader of the Security log met an error and goes on: ${body}.`;
}

const CONSTRAINED =
  'PowerShell runs in Constrained Language mode, in which it cannot read the log. Sign windows/bridge.ps1 with a certificate that the application control policy trusts.';

const NO_BOOKMARK =
  'This Windows does not tell where in its log a forwarded event stands. Import the log as a file instead (docs/windows.md).';

function refusalText(body: string): string {
  if (body === 'bookmark') return NO_BOOKMARK;
  return body === 'clm' ? CONSTRAINED : `The reader of the Security log refuses to work: ${body}.`;
}

const EXIT_WORDS: Readonly<Record<number, string>> = {
  0: 'It ended by itself.',
  1: 'PowerShell could not run the script. Look at the execution policy and at windows/bridge.ps1 in path.home.',
  3: 'It says that this agent is gone.',
  4: 'Its output was closed, or it met a fault outside the reading of the log.',
  5: 'Access to the Security log is denied. Run the agent as LocalSystem, or put its account into Event Log Readers (S-1-5-32-573) and restart it.',
  6: 'This Windows has no Security log that can be opened. Start the Windows Event Log service.',
  7: NO_BOOKMARK,
  8: CONSTRAINED,
  4294770688: 'PowerShell did not understand its arguments. Look at capture.command.',
};

/** Why a bridge ended, in words, from its exit code or signal. */
export function exitText(code: number | null, signal: NodeJS.Signals | null): string {
  if (code === null)
    return `The reader of the Security log was ended by ${signal ?? 'the system'}.`;
  const words = EXIT_WORDS[code >>> 0] ?? 'It broke off.';
  return `The reader of the Security log ended with exit code ${code >>> 0}. ${words}`;
}

/** Exit code of a bridge that may not read the log. */
export const EXIT_ACCESS_DENIED = 5;

/** Where reading begins without a position: behind the newest record, at the oldest, or so many milliseconds back. */
export type LogStart = 'now' | 'oldest' | number;

export interface BridgeSettings {
  readonly pollMs: number;
  readonly heartbeatTimeoutMs: number;
  readonly parentPid: number;
}

function loopArguments(settings: BridgeSettings): string[] {
  // Several heartbeats must fit into the time-out, or a slow moment looks like a hang.
  const heartbeatSeconds = Math.max(
    1,
    Math.min(15, Math.floor(settings.heartbeatTimeoutMs / 4000)),
  );
  return [
    ...['-ParentPid', String(settings.parentPid), '-PollMs', String(settings.pollMs)],
    ...['-HeartbeatSec', String(heartbeatSeconds)],
  ];
}

/** The arguments that tell a bridge where to go on and how. */
export function bridgeArguments(
  position: Position | undefined,
  settings: BridgeSettings & { readonly start: LogStart; readonly recountSeconds: number },
): string[] {
  const { start } = settings;
  // A position before the first event is none: process-poll may have stored one while the log could not be read.
  const from =
    position === undefined || position.recordId < 0
      ? ['-Start', String(start)]
      : ['-AfterRecordId', String(position.recordId), '-ScannedId', String(position.scannedId)];
  return [...from, '-RecountSec', String(settings.recountSeconds), ...loopArguments(settings)];
}

/** The arguments of a bridge that reads what other PCs forwarded. Positions are of that log. */
export function forwardedArguments(
  position: Position | undefined,
  settings: BridgeSettings & { readonly start: LogStart },
): string[] {
  const args = bridgeArguments(position, { ...settings, recountSeconds: 0 });
  return ['-Log', FORWARDED_LOG, ...args];
}

/** The arguments of a bridge that looks at the processes; those made from `sinceMs` on are new. */
export function pollArguments(sinceMs: number, settings: BridgeSettings): string[] {
  return ['-Mode', 'poll', '-SinceMs', String(sinceMs), ...loopArguments(settings)];
}

/** The arguments of a bridge that reads one saved log to its end. */
export function fileArguments(file: string, settings: Omit<BridgeSettings, 'pollMs'>): string[] {
  return ['-Mode', 'file', '-Path', file, ...loopArguments({ ...settings, pollMs: 1000 })];
}
