/**
 * Takes a regular expression that an operator wrote (RE2 syntax), gives a matcher whose time is linear in the text.
 * Keeps: no pattern and no text make it slow. So there are no look-arounds and no back-references; `(?i)` ignores case.
 * Source: https://github.com/google/re2/wiki/Syntax; re2js is its port to JavaScript.
 */
import { RE2JS } from 're2js';

/** Where a pattern matched, in UTF-16 units; `end` is exclusive. */
export interface MatchRange {
  readonly start: number;
  readonly end: number;
}

export interface LinearPattern {
  /** Whether it matches anywhere in the text. */
  test(text: string): boolean;
  /**
   * Every match from left to right: its first group where the pattern has one and it took part, else the whole match; no empty ones.
   * After many matches the rest of the text counts as one, since each search may read the text to its end.
   */
  ranges(text: string): MatchRange[];
}

export type PatternOutcome =
  | { readonly outcome: 'done'; readonly pattern: LinearPattern }
  /** The reason names the place in the pattern. */
  | { readonly outcome: 'refused'; readonly reason: string };

/** Longer patterns are a mistake; a program this large takes long for each character. */
const PATTERN_UNITS_MAX = 4096;
const PROGRAM_SIZE_MAX = 20_000;
const MATCHES_MAX = 256;

function rangesOf(compiled: RE2JS, text: string): MatchRange[] {
  const ranges: MatchRange[] = [];
  const matcher = compiled.matcher(text);
  const hasGroup = compiled.groupCount() > 0;
  for (let count = 0; matcher.find(); count += 1) {
    if (count === MATCHES_MAX) {
      ranges.push({ start: matcher.start(), end: text.length });
      break;
    }
    const group = hasGroup && matcher.start(1) >= 0 ? 1 : 0;
    const range = { start: matcher.start(group), end: matcher.end(group) };
    if (range.end > range.start) ranges.push(range);
  }
  return ranges;
}

/** Compiles a pattern. */
export function linearPattern(source: string): PatternOutcome {
  if (source.length > PATTERN_UNITS_MAX) {
    return {
      outcome: 'refused',
      reason: `Pattern is longer than ${PATTERN_UNITS_MAX} characters.`,
    };
  }
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(source);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      outcome: 'refused',
      reason: `${reason.replace(/^error parsing regexp: /, 'Pattern cannot be read: ')}. Write it in RE2 syntax (no look-around, no back-reference).`,
    };
  }
  if (compiled.programSize() > PROGRAM_SIZE_MAX) {
    return { outcome: 'refused', reason: 'Pattern is too large. Use smaller repetition counts.' };
  }
  return {
    outcome: 'done',
    pattern: {
      test: (text) => compiled.test(text),
      ranges: (text) => rangesOf(compiled, text),
    },
  };
}
