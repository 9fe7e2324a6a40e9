/**
 * Takes a text and the place behind an option or a `=`, gives where the value there stands, without its quotes.
 * Keeps: one look at each character; an unclosed quote reaches to the end, so that a torn line shows no half secret.
 */

export interface ValueRange {
  readonly start: number;
  /** Exclusive; equal to `start` for an empty value. */
  readonly end: number;
  /** Whether it stood in quotes. */
  readonly quoted: boolean;
}

const OPENING = /\\*"|'/y;
/** What ends a value in apostrophes: not the one in O'Brien. */
const AFTER_APOSTROPHE = /[\s"';,)}\]&|]/;
/** The `;` that ends a value of a connection string: the next pair, a quote or nothing follows. */
const NEXT_PAIR = ';(?=\\s*(?:$|["\'\\s]|[A-Za-z][\\w .-]{0,40}=))';

/** What ends a value without quotes, by where it stands. */
const ENDS = {
  argument: /[\s"]/g,
  /** `a=value`, maybe one of several pairs. */
  pair: new RegExp(`[\\s"]|${NEXT_PAIR}`, 'g'),
  /** In a quoted argument, or behind another pair: there values may hold blanks. */
  in_quotes: new RegExp(`["\\r\\n]|${NEXT_PAIR}`, 'g'),
  /** In an argument that is quoted as a whole by apostrophes. */
  in_apostrophes: new RegExp(`'(?=$|[\\s"',;)}\\]&|])|[\\r\\n]|${NEXT_PAIR}`, 'g'),
  /** The query of a URL. */
  query: /[\s"&#]/g,
} as const;

export type ValuePlace = keyof typeof ENDS;

function closingApostrophe(text: string, from: number): number {
  let at = text.indexOf("'", from);
  while (at !== -1 && at + 1 < text.length && !AFTER_APOSTROPHE.test(text.charAt(at + 1))) {
    at = text.indexOf("'", at + 1);
  }
  return at;
}

function quotedValue(text: string, at: number, opening: string): ValueRange {
  const start = at + opening.length;
  // Doubled quotes, as in a quoted argument of VBScript or cmd: ""value"".
  if (opening === '"' && text[start] === '"') {
    const next = text[start + 1];
    if (next === undefined || /[\s,;)}\]]/.test(next)) return { start, end: start, quoted: true };
    const end = text.indexOf('""', start + 1);
    return { start: start + 1, end: end === -1 ? text.length : end, quoted: true };
  }
  const end = opening === "'" ? closingApostrophe(text, start) : text.indexOf(opening, start);
  return { start, end: end === -1 ? text.length : end, quoted: true };
}

function bareEnd(text: string, at: number, place: ValuePlace): number {
  const stop = ENDS[place];
  stop.lastIndex = at;
  const end = stop.exec(text)?.index ?? text.length;
  // An apostrophe that closes what was opened before the name: 'Server=a;Pwd=b'.
  const last = end - 1;
  return last > at && text[last] === "'" ? last : end;
}

/** The value at `at`: in quotes of any kind, or up to what ends a value at such a place. */
export function valueAt(text: string, at: number, place: ValuePlace = 'argument'): ValueRange {
  OPENING.lastIndex = at;
  const opening = OPENING.exec(text)?.[0];
  if (opening !== undefined) return quotedValue(text, at, opening);
  return { start: at, end: bareEnd(text, at, place), quoted: false };
}

/** Longer values are no placeholders. */
const PLACEHOLDER_UNITS_MAX = 256;
const PLACEHOLDER =
  /^(?:true|false|yes|no|on|off|null|none|prompt|ask|stdin|env|\*+|-|\?|%[^%\s]+%|\$\(.*|\$\{.*|\$env:\w+|\{\{.*|\{\d+\}|<[\p{L} _-]*>|\[[a-z ]*redacted[a-z ]*\])$/iu;
const VARIABLE = /^[$@][A-Za-z_]\w*[).;,\]}]*$/;
const EXPRESSION = /^(?:\(|\[|[A-Z][a-z]+-[A-Z][A-Za-z]+)/;

/** Whether a value is no secret: empty, a switch, a mask, or a variable that holds it. */
export function isPlaceholder(value: string, inPowerShell: boolean, quoted: boolean): boolean {
  if (value.length > PLACEHOLDER_UNITS_MAX) return false;
  if (value === '' || PLACEHOLDER.test(value)) return true;
  if (quoted || !inPowerShell) return false;
  return VARIABLE.test(value) || EXPRESSION.test(value);
}

/** Whether an argument looks like the next option rather than a value. */
export function looksLikeOption(text: string): boolean {
  return /^(?:--?[A-Za-z][\w-]{0,40}(?:[=:].*)?|\/[A-Za-z?][\w-]{0,24}(?::.*)?)$/.test(
    text.length > 128 ? text.slice(0, 128) : text,
  );
}
