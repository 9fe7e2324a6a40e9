/**
 * Takes a command line, gives its arguments with their places, for rules that look at one argument after the other.
 * Keeps: quotes of both kinds hold an argument together; what stands within a quoted argument can be looked at again.
 */

export interface Argument {
  /** Place of the content in the text, without the quotes around it. */
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly text: string;
  /** Quotes stood around the whole. */
  readonly quoted: boolean;
}

export interface Arguments {
  readonly list: readonly Argument[];
  /** A quote closed in the middle of a word: quotes within quotes, whose borders are anybody's guess. */
  readonly isNested: boolean;
}

const SPACE = /\s/;
/** What may stand before an apostrophe that is a quote; '' = the beginning. */
const OPENS_APOSTROPHE = /^[\s=:(,]?$/;
const AFTER_QUOTE = /[\s",;:)}\]&|=<>'+]/;

/** The end of a part in apostrophes that opens at `at`, or -1 where it is an apostrophe and no quote. */
function apostropheEnd(text: string, at: number): number {
  const end = text.indexOf("'", at + 1);
  if (end === -1) return -1;
  return end + 1 >= text.length || AFTER_QUOTE.test(text.charAt(end + 1)) ? end : -1;
}

/** Where the word or quoted part that begins at `at` ends, and whether a quote closed in the middle of a word. */
function partEnd(text: string, at: number): { end: number; isNested: boolean } {
  const character = text[at];
  if (character === '"') {
    const close = text.indexOf('"', at + 1);
    if (close === -1) return { end: text.length, isNested: false };
    const end = close + 1;
    return { end, isNested: end < text.length && !AFTER_QUOTE.test(text.charAt(end)) };
  }
  if (character === "'" && OPENS_APOSTROPHE.test(text.charAt(at - 1))) {
    const close = apostropheEnd(text, at);
    if (close !== -1) return { end: close + 1, isNested: false };
  }
  return { end: at + 1, isNested: false };
}

/** Splits `text`; places count from `offset`. */
export function splitArguments(text: string, offset = 0): Arguments {
  const list: Argument[] = [];
  let isNested = false;
  let start = -1;
  for (let at = 0; at < text.length; ) {
    if (SPACE.test(text.charAt(at))) {
      if (start !== -1) list.push(argumentOf(text, start, at, offset));
      start = -1;
      at += 1;
      continue;
    }
    if (start === -1) start = at;
    const part = partEnd(text, at);
    isNested ||= part.isNested;
    at = part.end;
  }
  if (start !== -1) list.push(argumentOf(text, start, text.length, offset));
  return { list, isNested };
}

function argumentOf(text: string, start: number, end: number, offset: number): Argument {
  const first = text[start];
  const isQuote = first === '"' || first === "'";
  const quoted = isQuote && end - start >= 2 && text[end - 1] === first;
  const from = isQuote ? start + 1 : start;
  const to = quoted ? end - 1 : end;
  return { start: offset + from, end: offset + to, text: text.slice(from, to), quoted };
}

const PROGRAM_UNITS_MAX = 40;
const ENDINGS = ['.exe', '.com', '.bat', '.cmd', '.ps1'];
const PYTHON = '.py';

/** Name of the program that an argument may be: the file name in lower case, without its usual endings. */
export function programName(argument: string): string {
  const cut = Math.max(argument.lastIndexOf('\\'), argument.lastIndexOf('/')) + 1;
  if (argument.length - cut > PROGRAM_UNITS_MAX) return '';
  const name = argument.slice(cut).toLowerCase();
  if (name.endsWith(PYTHON)) return name.slice(0, -PYTHON.length);
  return ENDINGS.includes(name.slice(-4)) ? name.slice(0, -4) : name;
}

/** Whether a command ends with this argument: `&`, `&&`, `|`, `;`, alone or glued to its end. */
export function endsCommand(argument: string): boolean {
  return /[&|;]$/.test(argument);
}
