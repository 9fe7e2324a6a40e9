/**
 * Takes values and texts, gives and bounds the bytes that they take as JSON in UTF-8.
 */

/** Bytes of a value as JSON. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** No UTF-16 unit takes more: a control character is written as six ASCII characters. */
const UNIT_JSON_BYTES_MAX = 6;

/** The longest beginning of `text` that takes at most `bytesMax` bytes inside a JSON string; never half a character. */
export function cutToJsonBytes(text: string, bytesMax: number): string {
  if (text.length * UNIT_JSON_BYTES_MAX <= bytesMax) return text;
  if (jsonBytes(text) - 2 <= bytesMax) return text;
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += jsonBytes(character) - 2;
    if (bytes > bytesMax) break;
    end += character.length;
  }
  return text.slice(0, end);
}
