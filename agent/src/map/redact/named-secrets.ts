/**
 * Secrets that a name announces: `password=`, `--token X`, `/pass:X`, `Pwd=X;`, `"api_key": "X"`, in any program's words.
 * Keeps: every character is read a bounded number of times; a name that is a part of another word (PublicKeyToken) is none.
 */
import type { SecretSpan } from './secret-span.ts';
import { isPlaceholder, looksLikeOption, type ValuePlace, valueAt } from './secret-value.ts';

/** What is known of the text. */
export interface TextContext {
  /** `$name` is a variable there, not a value. */
  readonly inPowerShell: boolean;
}

const KEY_NAMES =
  '(?:account|access|secret|shared|shared[_-]?access|private|encryption|signing|master|api|auth|subscription|storage|license)[_-]?key';
/** Order matters: the longer of two that begin alike stands first. */
const NAMES = [
  'password',
  'passwd',
  'passphrase',
  'passwort',
  'passcode',
  'пароль',
  '(?:store|key)pass',
  '(?<![a-z])pass',
  'pwd',
  '(?<![a-z0-9])pw',
  'secret(?:[_-]?access[_-]?key|[_-]?value)?',
  'token',
  '(?<![a-z0-9])_auth',
  'токен',
  KEY_NAMES,
  'pfx[_-]?pass',
];
/** The name, what may stand between (quotes of JSON), and `=`, `:` or blanks. */
const NAMED = new RegExp(
  `(${NAMES.join('|')})\\d{0,2}(?:\\\\{0,3}(?:""|["'\`])?\\s*([:=])=?\\s*|["']?(\\s)\\s*)`,
  'gi',
);
const HAS_NAME = /pass|pwd|pw|secret|token|key|_auth|пароль|токен/i;
/** What stands before "token" in names of things that are no secret. */
const OTHER_TOKENS =
  /(?:publickey|public-key-|pipe-?|channel-?|page-?|continuation-?|next-?|cancellation)$/i;
const OPTION_START = /(?:^|[\s"'`(,;&|])(?:--?|\/|\+)[\w.:-]{0,60}$/;
const BEFORE_UNITS = 64;

function kindOf(name: string): string {
  if (/token$|токен$/i.test(name)) return 'token';
  if (/key$/i.test(name)) return 'key';
  return /^secret/i.test(name) ? 'secret' : 'password';
}

/** A folder, not longer than folders are. */
const isPath = (value: string): boolean =>
  value.length <= 260 && /^(?:[A-Za-z]:[\\/]|\/|\\\\|\.{1,2}[\\/])/.test(value);

interface Named {
  readonly name: string;
  /** `=`, `:` or '' for blanks. */
  readonly separator: string;
  readonly before: string;
  /** The name itself stood in quotes, as in JSON. */
  readonly isNameQuoted: boolean;
  /** Where the value may begin. */
  readonly at: number;
}

/** Whether the name counts here. */
function counts({ name, separator, before }: Named): boolean {
  if (/^token$/i.test(name) && OTHER_TOKENS.test(before)) return false;
  return separator !== '' || OPTION_START.test(before);
}

/** A quote right before the option or the name: "--password=a b", 'PASSWORD=a b'. */
const QUOTED_WHOLE = /(["'])(?:--?|\/|\+)?[\w.-]{0,60}$/;

function placeOf({ separator, before, isNameQuoted }: Named): ValuePlace {
  if (separator === '') return 'argument';
  const quote = isNameQuoted ? undefined : QUOTED_WHOLE.exec(before)?.[1];
  if (quote !== undefined) return quote === '"' ? 'in_quotes' : 'in_apostrophes';
  if (separator === ':') return 'argument';
  if (/;\s*[\w ]{0,40}$/.test(before)) return 'in_quotes';
  return /[?&][\w.%-]{0,60}$/.test(before) ? 'query' : 'pair';
}

function spanOf(text: string, named: Named, context: TextContext): SecretSpan | undefined {
  const { name, separator, at } = named;
  const { start, end, quoted } = valueAt(text, at, placeOf(named));
  const value = text.slice(start, end);
  const isGlued = text[at - 1] === '=' || text[at - 1] === ':';
  if (!quoted && !isGlued && looksLikeOption(value)) return undefined;
  if (isPlaceholder(value, context.inPowerShell, quoted)) return undefined;
  // PWD is the working folder in a Unix shell's environment.
  if (/^pwd$/i.test(name) && separator === '=' && isPath(value)) return undefined;
  // The first or second run of a video encoder.
  if (/^pass$/i.test(name) && separator === '' && /^[1-3]$/.test(value)) return undefined;
  return { start, end, kind: kindOf(name) };
}

/** Finds every value that its name gives away. */
export function namedSecrets(text: string, context: TextContext): SecretSpan[] {
  if (!HAS_NAME.test(text)) return [];
  const spans: SecretSpan[] = [];
  NAMED.lastIndex = 0;
  for (let match = NAMED.exec(text); match !== null; match = NAMED.exec(text)) {
    const named: Named = {
      name: match[1] ?? '',
      separator: match[2] ?? '',
      before: text.slice(Math.max(0, match.index - BEFORE_UNITS), match.index),
      isNameQuoted: /^[^:=\s]*["'`]/.test(match[0].slice((match[1] ?? '').length)),
      at: match.index + match[0].length,
    };
    const span = counts(named) ? spanOf(text, named, context) : undefined;
    if (span !== undefined) {
      spans.push(span);
      NAMED.lastIndex = span.end;
    } else if (named.separator === '') {
      // Blanks may be followed by the name that counts.
      NAMED.lastIndex = named.at - 1;
    }
  }
  return spans;
}
