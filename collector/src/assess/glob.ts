/**
 * Globs of the alert rules: `*` any characters, `?` one, everything else itself, without regard to case.
 * Keeps: time bounded by pattern length times text length, since the text is a stranger's; so no regular expressions.
 */

/** A test of one text. */
export type Glob = (text: string) => boolean;

/** Compiles a pattern. The whole text must match. */
export function compileGlob(pattern: string): Glob {
  const folded = pattern.toLowerCase();
  if (!/[*?]/.test(folded)) return (text) => text.toLowerCase() === folded;
  return (text) => matches(folded, text.toLowerCase());
}

/** Two pointers; after a mismatch the last `*` takes one character more. */
function matches(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let starText = 0;
  let place = 0;
  while (place < text.length) {
    if (pattern[at] === '*') {
      star = at;
      starText = place;
      at += 1;
    } else if (pattern[at] === '?' || pattern[at] === text[place]) {
      at += 1;
      place += 1;
    } else if (star === -1) {
      return false;
    } else {
      at = star + 1;
      starText += 1;
      place = starText;
    }
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}
