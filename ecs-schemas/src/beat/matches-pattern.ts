/**
 * Takes a pattern with `*` (any text) and `?` (one character), gives a test for whole texts.
 * Keeps: time at most pattern × text, whatever the text holds; case is the caller's to fold.
 */

/** Whether `text` as a whole matches `pattern`. */
export function matchesPattern(pattern: string, text: string): boolean {
  let patternAt = 0;
  let textAt = 0;
  // Where to go back to when the text after the last `*` does not fit: that star swallows one character more.
  let starAt = -1;
  let starTextAt = 0;
  while (textAt < text.length) {
    const wanted = pattern[patternAt];
    if (wanted === '*') {
      starAt = patternAt;
      starTextAt = textAt;
      patternAt += 1;
    } else if (wanted === '?' || wanted === text[textAt]) {
      patternAt += 1;
      textAt += 1;
    } else if (starAt !== -1) {
      starTextAt += 1;
      textAt = starTextAt;
      patternAt = starAt + 1;
    } else {
      return false;
    }
  }
  while (pattern[patternAt] === '*') patternAt += 1;
  return patternAt === pattern.length;
}
