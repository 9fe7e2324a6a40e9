/**
 * Secrets that only the program's own grammar gives away: `net user NAME SECRET`, `mysql -pSECRET`, `curl -u user:SECRET`.
 * Keeps: looks a bounded number of arguments ahead; a program counts wherever its name stands, since shells start others.
 */
import { type Argument, endsCommand, programName } from './argument.ts';
import {
  type Found,
  GRAMMAR_NAMES,
  grammarSecrets,
  isSwitch,
  loginSecret,
} from './program-grammars.ts';
import { PROGRAM_OPTIONS, type ProgramOptions } from './program-options.ts';
import type { SecretSpan } from './secret-span.ts';
import { isPlaceholder } from './secret-value.ts';

const OPTION_UNITS_MAX = 64;

interface Row {
  readonly separate: readonly string[];
  readonly glued: readonly string[];
  readonly colon: readonly string[];
  readonly login: readonly string[];
  readonly second: readonly string[];
  readonly third: readonly string[];
  readonly options: ProgramOptions;
  /** What its options begin with: most arguments need no further look. */
  readonly beginnings: string;
}

const wordsOf = (text: string | undefined): string[] => text?.split(' ') ?? [];

const ROWS: ReadonlyMap<string, Row> = new Map(
  PROGRAM_OPTIONS.flatMap((options) => {
    const row: Row = {
      separate: wordsOf(options.separate),
      glued: wordsOf(options.glued),
      colon: wordsOf(options.colon),
      login: wordsOf(options.login),
      second: wordsOf(options.second),
      third: wordsOf(options.third),
      options,
      beginnings: [
        ...new Set(
          [
            options.separate,
            options.glued,
            options.colon,
            options.login,
            options.second,
            options.third,
          ]
            .flatMap(wordsOf)
            .map((option) => option.charAt(0)),
        ),
      ].join(''),
    };
    return wordsOf(options.names).map((name) => [name, row] as const);
  }),
);

const folded = (text: string, row: Row): string =>
  row.options.ignoresCase === true ? text.toLowerCase() : text;

/** Secrets in the arguments behind an option that stands alone; undefined where it is none of those. */
function followingSecrets(row: Row, list: readonly Argument[], at: number): Found[] | undefined {
  const option = folded(list[at]?.text.slice(0, OPTION_UNITS_MAX + 1) ?? '', row);
  if (row.separate.includes(option)) return [{ argument: list[at + 1] }];
  if (row.second.includes(option)) return [{ argument: list[at + 2] }];
  if (row.third.includes(option)) return [{ argument: list[at + 3] }];
  return row.login.includes(option) ? loginSecret(list[at + 1], 0) : undefined;
}

/** The secret in the same argument as its option. */
function gluedSecrets(row: Row, argument: Argument): Found[] {
  const text = folded(argument.text.slice(0, OPTION_UNITS_MAX), row);
  const colon = row.colon.find((one) => text.startsWith(`${one}:`));
  if (colon !== undefined) return [{ argument, from: colon.length + 1 }];
  const glued = row.glued.find((one) => text.startsWith(one) && argument.text.length > one.length);
  if (glued !== undefined) {
    const separator = /[:=]/.test(argument.text.charAt(glued.length)) ? 1 : 0;
    return [{ argument, from: glued.length + separator }];
  }
  const login = row.login.find((one) => one.length === 2 && text.startsWith(one));
  return login === undefined ? [] : loginSecret(argument, login.length);
}

/** What one option of a program that is at work gives away. */
function optionSecrets(row: Row, list: readonly Argument[], at: number): Found[] {
  const argument = list[at];
  if (argument === undefined || !row.beginnings.includes(argument.text.charAt(0))) return [];
  if (row.options.not?.test(argument.text) === true) return [];
  return followingSecrets(row, list, at) ?? gluedSecrets(row, argument);
}

const BUILD_TOOLS = new Set(['msbuild', 'dotnet', 'devenv', 'xbuild', 'rundll32', 'werfault']);
/** `-p 8080`, `-p 8080:80/tcp`. */
const PORTS = /^\d{1,5}(?:[:,-]\d{1,5})*(?:\/(?:tcp|udp))?$/;
const USER_OPTION = /^(?:[-/](?:u|user|username)(?::.+)?|--user(?:name)?(?:=.+)?)$/i;

const beginsOption = (text: string): boolean => text.startsWith('-') || text.startsWith('/');

/** Of any other program: `-p SECRET` or `/p:SECRET`, but only beside a `-u NAME`. */
function pairedSecrets(list: readonly Argument[], names: ReadonlySet<string>): Found[] {
  const hasUser = list.some((one, at) => {
    if (!beginsOption(one.text) || one.text.length > 128 || !USER_OPTION.test(one.text))
      return false;
    const next = list[at + 1];
    return /[:=]/.test(one.text) || (next !== undefined && !isSwitch(next));
  });
  if (!hasUser || [...BUILD_TOOLS].some((name) => names.has(name))) return [];
  return list.flatMap((argument, at) => {
    if (!beginsOption(argument.text)) return [];
    if (/^[-/]p$/i.test(argument.text)) {
      const next = list[at + 1];
      return next === undefined || isSwitch(next) || PORTS.test(next.text)
        ? []
        : [{ argument: next }];
    }
    return /^[-/]p:./i.test(argument.text) ? [{ argument, from: 3 }] : [];
  });
}

function spanOf(argument: Argument, from: number, to: number): SecretSpan | undefined {
  let end = argument.start + to;
  let text = argument.text.slice(from, to);
  let start = argument.start + from;
  const opening = /^["']/.exec(text)?.[0];
  if (opening !== undefined) {
    start += 1;
    text = text.slice(1);
    if (text.endsWith(opening)) {
      end -= 1;
      text = text.slice(0, -1);
    }
  }
  return isPlaceholder(text, false, argument.quoted) ? undefined : { start, end, kind: 'password' };
}

/** Bit n of entry c: some program's name begins with the character c and has n characters. */
const LENGTHS_BY_FIRST = new Uint32Array(128);
const KNOWN = new Set([...ROWS.keys(), ...GRAMMAR_NAMES]);
for (const name of KNOWN) {
  const first = name.charCodeAt(0);
  LENGTHS_BY_FIRST[first] = (LENGTHS_BY_FIRST[first] ?? 0) | (1 << name.length);
}
const NAME_LENGTH_MAX = 31;
const IN_NAME = new Uint8Array(128);
for (const character of 'abcdefghijklmnopqrstuvwxyz0123456789_-')
  IN_NAME[character.charCodeAt(0)] = 1;

function isKnown(text: string, start: number, end: number): boolean {
  const length = end - start;
  if (length < 2 || length > NAME_LENGTH_MAX) return false;
  const lengths = LENGTHS_BY_FIRST[text.charCodeAt(start)] ?? 0;
  return (lengths & (1 << length)) !== 0 && KNOWN.has(text.slice(start, end));
}

/** Whether programSecrets() could find anything: a program it knows is named, or there are a `-u` and a `-p`. `text` in lower case. */
export function mayHaveProgramSecrets(text: string): boolean {
  if ((text.includes('-u') || text.includes('/u')) && (text.includes('-p') || text.includes('/p')))
    return true;
  let start = 0;
  for (let at = 0; at <= text.length; at += 1) {
    const code = at < text.length ? text.charCodeAt(at) : 0;
    if (code < 128 && IN_NAME[code] === 1) continue;
    if (isKnown(text, start, at)) return true;
    start = at + 1;
  }
  return false;
}

/** Arguments that were found, each with the place where its secret begins; one may be found many times. */
function foundArguments() {
  const found = new Map<Argument, { readonly from: number; readonly to: number }>();
  return {
    add(all: readonly Found[]): void {
      for (const { argument, from = 0, to = argument?.text.length ?? 0 } of all) {
        if (argument === undefined) continue;
        const before = found.get(argument) ?? { from, to };
        found.set(argument, { from: Math.min(from, before.from), to: Math.max(to, before.to) });
      }
    },
    spans: (): SecretSpan[] =>
      [...found].flatMap(([argument, { from, to }]) => spanOf(argument, from, to) ?? []),
  };
}

/**
 * Finds every secret that a program's grammar gives away among the arguments of one command line.
 * `image` is the path of the program that was started, in case the command line does not begin with it.
 */
export function programSecrets(list: readonly Argument[], image: string): SecretSpan[] {
  const found = foundArguments();
  const started = programName(image);
  const names = new Set([started]);
  const words = new Set<string>();
  const rowsOf = (name: string): Row[] => {
    const row = ROWS.get(name);
    return row === undefined ? [] : [row];
  };
  let active = new Set(rowsOf(started));
  for (const [at, argument] of list.entries()) {
    const name = programName(argument.text);
    names.add(name);
    for (const row of rowsOf(name)) active.add(row);
    found.add(grammarSecrets(list, at, name));
    for (const row of active) {
      const { requires } = row.options;
      if (requires === undefined || words.has(requires)) found.add(optionSecrets(row, list, at));
    }
    if (argument.text.length <= 16) words.add(argument.text.toLowerCase());
    if (!argument.quoted && endsCommand(argument.text)) active = new Set();
  }
  found.add(pairedSecrets(list, names));
  return found.spans();
}
