/**
 * Secrets that the words around them give away, in any program's command line: URLs, HTTP headers, PowerShell's ways to make
 * a credential of a text.
 * Keeps: every character is read a bounded number of times.
 */
import type { SecretSpan } from './secret-span.ts';
import { isPlaceholder, valueAt } from './secret-value.ts';

interface TextRule {
  readonly kind: string;
  /** One of these must be in the lower-cased text, else the rule is not tried. */
  readonly needs: readonly string[];
  readonly pattern: RegExp;
  /** Where the secret of a match stands. Without it: group 2, behind group 1. */
  readonly range?: (
    text: string,
    match: RegExpExecArray,
  ) => Pick<SecretSpan, 'start' | 'end'> | undefined;
}

const behind = (match: RegExpExecArray): number => match.index + match[0].length;

function quotedOrBare(text: string, match: RegExpExecArray) {
  const range = valueAt(text, behind(match));
  const value = text.slice(range.start, range.end);
  if (!range.quoted && /^[-$(]/.test(value)) return undefined;
  return isPlaceholder(value, true, range.quoted) ? undefined : range;
}

/** A header's value: one word after a scheme of one word, else all up to the quote or the line's end. */
function headerValue(text: string, match: RegExpExecArray) {
  const start = behind(match);
  const stop = match[1] === undefined ? /["'\r\n]/g : /["'\s]/g;
  stop.lastIndex = start;
  const end = stop.exec(text)?.index ?? text.length;
  return isPlaceholder(text.slice(start, end), true, false) ? undefined : { start, end };
}

/** "Basic" is a word of English too: what follows must be base64 of `user:password`. */
function basicCredentials(_: string, match: RegExpExecArray) {
  const blob = match[2] ?? '';
  const decoded = Buffer.from(blob.slice(0, 4096), 'base64').toString('latin1');
  if (!/^[\x20-\x7e\x80-\xff]*:[\x20-\x7e\x80-\xff]*$/.test(decoded)) return undefined;
  const start = match.index + (match[1] ?? '').length;
  return { start, end: start + blob.length };
}

const RULES: readonly TextRule[] = [
  {
    kind: 'url',
    needs: ['://'],
    pattern: /(:\/\/[^\s/@:"'<>]{0,256}:)([^\s/"'<>]{1,512})@/g,
  },
  // A token as the user of a URL.
  { kind: 'url', needs: ['://'], pattern: /(:\/\/)([A-Za-z0-9_-]{20,256})@/g },
  {
    kind: 'url',
    needs: ['?', '&'],
    pattern:
      /([?&](?:sig|signature|x-amz-signature|x-goog-signature|x-amz-security-token|auth|apikey|code_verifier)=)([^\s&#"'<>]{4,})/gi,
  },
  {
    kind: 'authorization',
    needs: ['authorization'],
    pattern:
      /authorization[\\"'`]{0,4}\s*[:=,]\s*[\\"'`@{]{0,4}\s*(?:(basic|bearer|token|apikey|negotiate|ntlm|bot|splunk)\s+)?/gi,
    range: headerValue,
  },
  {
    kind: 'authorization',
    needs: ['bearer'],
    pattern: /((?<![A-Za-z])bearer\s+)([A-Za-z0-9+/=._~-]{16,})/gi,
  },
  {
    kind: 'authorization',
    needs: ['basic'],
    pattern: /((?<![A-Za-z])basic\s+)([A-Za-z0-9+/=_-]{8,})/gi,
    range: basicCredentials,
  },
  {
    kind: 'cookie',
    needs: ['cookie'],
    pattern: /(?<![A-Za-z])(?:set-)?cookie["']?\s*[:=]\s*["']?/gi,
    range: headerValue,
  },
  {
    kind: 'password',
    needs: ['networkcredential', 'netcredential'],
    // New-Object … ('u','SECRET'), [Net.NetworkCredential]::new('u','SECRET'), -ArgumentList $u,'SECRET'
    pattern:
      /net(?:work)?credential\]?(?:::new)?\s*(?:-arg[a-z]{0,12}\s+)?@?\(?\s*(?:\\?"[^"]{0,256}"|'[^']{0,256}'|\$[\w.:]{1,64})\s*,\s*/gi,
    range: quotedOrBare,
  },
  {
    kind: 'password',
    needs: ['convertto-securestring'],
    pattern: /convertto-securestring\s+(?:-(?:asplaintext|force|string)\s+){0,4}/gi,
    range: quotedOrBare,
  },
  {
    kind: 'password',
    needs: ['convertto-securestring'],
    pattern: /((?<!['"])['"])([^'"|]{1,256})['"]\s{0,16}\|\s{0,16}convertto-securestring/gi,
  },
  {
    kind: 'url',
    needs: ['jdbc:oracle'],
    pattern: /(jdbc:oracle:[a-z0-9]{1,8}:[^\s/@:"']{1,64}\/)([^\s@"']{1,256})@/gi,
  },
  {
    kind: 'password',
    needs: ['auth='],
    pattern: /(?<![A-Za-z])auth\s?=\s?\(\s{0,4}(?:\\?"[^"]{0,256}"|'[^']{0,256}')\s{0,4},\s{0,4}/g,
    range: quotedOrBare,
  },
  // Hashes that log on like a password do.
  {
    kind: 'hash',
    needs: ['/ntlm:', '/rc4:', '/aes'],
    pattern: /(\/(?:ntlm|rc4|aes128|aes256):)([0-9a-f]{16,64})(?![0-9a-z])/gi,
  },
  // What is piped into a program that reads its password.
  {
    kind: 'password',
    needs: ['echo'],
    pattern:
      /((?<![A-Za-z])echo[ .(]\s{0,16})([^|&<>\r\n]{1,256}?)\s{0,16}\|[^|&\r\n]{0,256}(?:--password-stdin|--passphrase-fd|sudo\s+-S|chpasswd)/gi,
  },
  // AnyDesk and RustDesk take a password from standard input.
  {
    kind: 'password',
    needs: ['-password'],
    pattern:
      /((?<![A-Za-z])echo[ .(]\s{0,16})([^|&<>\r\n]{1,256}?)\s{0,16}\|[^|&\r\n]{0,256}--(?:set|with)-password/gi,
  },
];

function rangeOf(rule: TextRule, text: string, match: RegExpExecArray) {
  if (rule.range !== undefined) return rule.range(text, match);
  const start = match.index + (match[1] ?? '').length;
  return { start, end: start + (match[2] ?? '').length };
}

/** Finds every secret that its surroundings give away. */
export function textSecrets(text: string, lowerCase: string): SecretSpan[] {
  const spans: SecretSpan[] = [];
  for (const rule of RULES) {
    if (!rule.needs.some((part) => lowerCase.includes(part))) continue;
    const { pattern } = rule;
    pattern.lastIndex = 0;
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
      const range = rangeOf(rule, text, match);
      if (range === undefined || range.end <= range.start) continue;
      spans.push({ start: range.start, end: range.end, kind: rule.kind });
      pattern.lastIndex = Math.max(pattern.lastIndex, range.end);
    }
  }
  return spans;
}
