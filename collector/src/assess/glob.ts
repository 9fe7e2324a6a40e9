/**
 * Globs of the alert rules: `*` any characters, `?` one, everything else itself, without regard to case.
 * Keeps: time bounded by pattern length times text length, since the text is a stranger's; so no regular expressions.
 */
import { matchesPattern } from '@launchbeat/ecs-schemas/beat';

/** A test of one text. */
export type Glob = (text: string) => boolean;

/** Compiles a list of patterns: a test whether any of them matches a text that is in lower case already. */
export function compileGlobs(patterns: readonly string[]): Glob {
  const folded = patterns.map((pattern) => pattern.toLowerCase());
  const exact = new Set(folded.filter((pattern) => !/[*?]/.test(pattern)));
  const wild = folded.filter((pattern) => /[*?]/.test(pattern)).map(compileWild);
  if (wild.length === 0) return (text) => exact.has(text);
  if (folded.includes('*')) return () => true;
  return (text) => exact.has(text) || wild.some((test) => test(text));
}

function compileWild(pattern: string): Glob {
  if (pattern.includes('?')) return (text) => matchesPattern(pattern, text);
  // The engine's own search is several times faster than going character by character.
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop() ?? '';
  const middle = rest.filter((part) => part !== '');
  return (text) => {
    const end = text.length - last.length;
    if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    let place = first.length;
    for (const part of middle) {
      const found = text.indexOf(part, place);
      if (found === -1) return false;
      place = found + part.length;
    }
    return place <= end;
  };
}
