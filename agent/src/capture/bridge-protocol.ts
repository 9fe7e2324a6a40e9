/**
 * The lines that the bridge writes (windows/bridge.ps1 has the same table), and the words for its exit codes.
 * Keeps: a line that is not of the protocol is reported, never taken for an event.
 */
import type { Position } from './captured-event.ts';

/** The version of the protocol that this agent speaks; the bridge's first line is `V <version> …`. */
export const BRIDGE_PROTOCOL = 1;

/** One line of the bridge. */
export type BridgeLine =
  | { readonly kind: 'version'; readonly version: number; readonly engine: string }
  | { readonly kind: 'event'; readonly xml: string }
  /** Everything up to `scannedId` was looked at; the last event was `recordId`. All events before it have been written. */
  | { readonly kind: 'heartbeat'; readonly recordId: number; readonly scannedId: number }
  /** No position was given: reading starts behind the newest record. */
  | { readonly kind: 'start'; readonly newest: number }
  | {
      readonly kind: 'recreated';
      readonly scannedId: number;
      readonly oldest: number;
      readonly newest: number;
    }
  | { readonly kind: 'gap'; readonly scannedId: number; readonly oldest: number }
  | { readonly kind: 'warning'; readonly reason: string }
  /** The bridge cannot work here and ends. */
  | { readonly kind: 'refusal'; readonly reason: string }
  | { readonly kind: 'unknown' };

/** Numbers of each kind that has nothing but numbers. */
const NUMBERS: Readonly<Record<string, number>> = { H: 2, S: 1, R: 3, G: 2 };

function numbersOf(body: string, count: number): number[] | undefined {
  const numbers = body
    .split(' ')
    .map((text) => (/^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN));
  return numbers.length === count && numbers.every(Number.isSafeInteger) ? numbers : undefined;
}

function numberLine(letter: string, body: string): BridgeLine {
  const numbers = numbersOf(body, NUMBERS[letter] ?? 0);
  if (numbers === undefined) return { kind: 'unknown' };
  const [first = 0, second = 0, third = 0] = numbers;
  if (letter === 'H') return { kind: 'heartbeat', recordId: first, scannedId: second };
  if (letter === 'S') return { kind: 'start', newest: first };
  if (letter === 'G') return { kind: 'gap', scannedId: first, oldest: second };
  return { kind: 'recreated', scannedId: first, oldest: second, newest: third };
}

/** Reads one line, without its LF. */
export function readBridgeLine(line: string): BridgeLine {
  const letter = line.charAt(0);
  const body = line.slice(2);
  if (line.charAt(1) !== ' ') return { kind: 'unknown' };
  if (letter === 'E')
    return body.startsWith('<Event') ? { kind: 'event', xml: body } : { kind: 'unknown' };
  if (letter in NUMBERS) return numberLine(letter, body);
  if (letter === 'V') {
    const [version = '', ...engine] = body.split(' ');
    return /^\d{1,4}$/.test(version)
      ? { kind: 'version', version: Number(version), engine: engine.join(' ') }
      : { kind: 'unknown' };
  }
  if (letter === 'W') return { kind: 'warning', reason: warningText(body) };
  if (letter === 'X') return { kind: 'refusal', reason: refusalText(body) };
  return { kind: 'unknown' };
}

function warningText(body: string): string {
  return body === 'stale'
    ? 'The log was cleared while it was being read; reading goes on by record id.'
    : `The reader of the Security log met an error and goes on: ${body}.`;
}

const CONSTRAINED =
  'PowerShell runs in Constrained Language mode, in which it cannot read the log. Sign windows/bridge.ps1 with a certificate that the application control policy trusts.';

function refusalText(body: string): string {
  return body === 'clm' ? CONSTRAINED : `The reader of the Security log refuses to work: ${body}.`;
}

const EXIT_WORDS: Readonly<Record<number, string>> = {
  0: 'It ended by itself.',
  1: 'PowerShell could not run the script. Look at the execution policy and at windows/bridge.ps1 in path.home.',
  3: 'It says that this agent is gone.',
  4: 'Its output was closed, or it met a fault outside the reading of the log.',
  5: 'Access to the Security log is denied. Run the agent as LocalSystem, or put its account into Event Log Readers (S-1-5-32-573) and restart it.',
  6: 'This Windows has no Security log that can be opened. Start the Windows Event Log service.',
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

/** The arguments that tell a bridge where to go on and how. Without a position it starts behind the newest record. */
export function bridgeArguments(
  position: Position | undefined,
  settings: {
    readonly pollMs: number;
    readonly heartbeatTimeoutMs: number;
    readonly parentPid: number;
  },
): string[] {
  // Several heartbeats must fit into the time-out, or a slow moment looks like a hang.
  const heartbeatSeconds = Math.max(
    1,
    Math.min(15, Math.floor(settings.heartbeatTimeoutMs / 4000)),
  );
  return [
    ...(position === undefined
      ? []
      : ['-AfterRecordId', String(position.recordId), '-ScannedId', String(position.scannedId)]),
    '-ParentPid',
    String(settings.parentPid),
    '-PollMs',
    String(settings.pollMs),
    '-HeartbeatSec',
    String(heartbeatSeconds),
  ];
}
