/**
 * Looks how deep a JSON text nests without parsing it.
 * Keeps: JSON.parse never sees a text that is deeper than the limit; no recursion, one pass, no memory.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Whether objects and arrays nest deeper than `depthMax`. What is no JSON gets some answer; the parser finds it out. */
export function isDeeperThan(json: Uint8Array, depthMax: number): boolean {
  let depth = 0;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === QUOTE) at = stringEnd(json, at);
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth += 1;
      if (depth > depthMax) return true;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1;
  }
  return false;
}

/** Place of the quote that ends the string which begins at `start`, or the end of the text. */
function stringEnd(json: Uint8Array, start: number): number {
  for (let at = start + 1; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === BACKSLASH) at += 1;
    else if (byte === QUOTE) return at;
  }
  return json.length;
}

/** Whether the text has more opening brackets than that, in strings too: with no more it cannot nest deeper. */
export function hasMoreBrackets(json: string, most: number): boolean {
  return countUpTo(json, '{', most) + countUpTo(json, '[', most) > most;
}

/** How often it stands there, or one more than `most`. Looks for the next one at memory's speed, where a loop needs each byte. */
function countUpTo(text: string, character: string, most: number): number {
  let count = 0;
  for (let at = text.indexOf(character); at !== -1 && count <= most; count += 1) {
    at = text.indexOf(character, at + 1);
  }
  return count;
}
