/**
 * Tables of Windows' own numbers and names: keywords, opcodes, tasks, pids, executable paths.
 * Source: Winlogbeat's default metadata (winlogbeat/sys/winevent), Microsoft's page on event 4688.
 */

/** The provider of event 4688. */
export const SECURITY_AUDITING = {
  name: 'Microsoft-Windows-Security-Auditing',
  guid: '{54849625-5478-4994-a5ba-3e3b0328c30d}',
} as const;

/** The provider of what process-poll finds, ours; windows/bridge.ps1 writes the same. */
export const PROCESS_POLL = {
  name: 'Launchbeat-ProcessPoll',
  guid: '{8a1f6b57-2c4e-4a5d-9b0e-5f0c1d2e3a47}',
} as const;

/** Event id of a process start. */
export const PROCESS_START_CODE = '4688';

const AUDIT_FAILURE = 1n << 52n;
const AUDIT_SUCCESS = 1n << 53n;

const KEYWORDS: readonly (readonly [bigint, string])[] = [
  [1n << 48n, 'Response Time'],
  [1n << 50n, 'WDI Diag'],
  [1n << 51n, 'SQM'],
  [AUDIT_FAILURE, 'Audit Failure'],
  [AUDIT_SUCCESS, 'Audit Success'],
  [1n << 54n, 'Correlation Hint'],
  [1n << 55n, 'Classic'],
];

/** What the keyword bits say. */
export interface Keywords {
  readonly names: readonly string[];
  readonly outcome: 'success' | 'failure' | undefined;
}

let lastText = '';
let lastKeywords: Keywords = { names: [], outcome: undefined };

/**
 * Reads `System/Keywords` (hex, 64 bits). The outcome comes from the bits, failure first, never from a text.
 * Nearly every event has the same text, so the last one is remembered.
 */
export function readKeywords(text: string): Keywords {
  if (text !== lastText) {
    lastKeywords = keywordsOf(text);
    lastText = text;
  }
  return lastKeywords;
}

function keywordsOf(text: string): Keywords {
  if (!/^0x[0-9a-f]{1,16}$/i.test(text)) return { names: [], outcome: undefined };
  const bits = BigInt(text);
  const names = KEYWORDS.filter(([bit]) => (bits & bit) !== 0n).map(([, name]) => name);
  if ((bits & AUDIT_FAILURE) !== 0n) return { names, outcome: 'failure' };
  return { names, outcome: (bits & AUDIT_SUCCESS) === 0n ? undefined : 'success' };
}

const OPCODES = [
  'Info',
  'Start',
  'Stop',
  'DCStart',
  'DCStop',
  'Extension',
  'Reply',
  'Resume',
  'Suspend',
  'Send',
];

/** Name of `System/Opcode`, undefined for one without a name. */
export function opcodeName(text: string): string | undefined {
  return /^\d$/.test(text) ? OPCODES[Number(text)] : undefined;
}

/** Name of `System/Task` as the provider's English metadata has it, undefined for any other. */
export function taskName(text: string): string | undefined {
  return text === '13312' ? 'Process Creation' : undefined;
}

const DIGITS = '0123456789abcdef';
/** What a digit stands for, by its code; 16 and more: none. */
const DIGIT_OF_CODE = Uint8Array.from({ length: 128 }, (_, code) => {
  const digit = DIGITS.indexOf(String.fromCharCode(code).toLowerCase());
  return digit === -1 ? DIGITS.length : digit;
});
const DIGITS_MAX = 16;

/** The digits from `at` on; undefined where there are none, too many, or others. */
function numberAt(text: string, at: number, radix: 10 | 16): number | undefined {
  if (text.length === at || text.length - at > DIGITS_MAX) return undefined;
  let value = 0;
  for (let place = at; place < text.length; place += 1) {
    const digit = DIGIT_OF_CODE[text.charCodeAt(place)] ?? radix;
    if (digit >= radix) return undefined;
    value = value * radix + digit;
  }
  return Number.isSafeInteger(value) ? value : undefined;
}

/**
 * A number as Windows prints it, `0x1f40` or `8000`; undefined for any other text. A leading 0 is not taken: it may mean octal.
 * Read digit by digit, since each event has nine of them: a regular expression took several times as long.
 */
export function windowsNumber(text: string): number | undefined {
  if (text.charAt(0) !== '0' || text.length === 1) return numberAt(text, 0, 10);
  return text.charAt(1).toLowerCase() === 'x' ? numberAt(text, 2, 16) : undefined;
}

/** The text after the last backslash; the whole text where there is none (`Registry`). */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('\\') + 1);
}

/** The folder of a path without the last backslash; undefined where there is none. */
export function folderOf(path: string): string | undefined {
  const end = path.lastIndexOf('\\');
  return end <= 0 ? undefined : path.slice(0, end);
}

const ASCII = /^[\0-\x7f]*$/;

/** Folds a name or path for comparison: Windows compares them without case, in every script. */
export function fold(text: string): string {
  // Most paths are ASCII, which has one form only: asking for it would cost more than all else here.
  return ASCII.test(text) ? text.toLowerCase() : text.normalize('NFC').toLowerCase();
}
