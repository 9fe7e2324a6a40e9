/**
 * Takes any text, gives one that PostgreSQL can hold.
 * Keeps: the document's bytes stay as they came; only rows show U+FFFD where the text had NUL or half a surrogate pair.
 * Source: PostgreSQL, "Character Types" (no NUL in text) and "JSON Types" (no \u0000 in jsonb).
 */

const REPLACEMENT = '\uFFFD';

/** The text itself in nearly every case. */
export function storableText(text: string): string {
  if (text.isWellFormed() && !text.includes('\0')) return text;
  return text.toWellFormed().replaceAll('\0', REPLACEMENT);
}

/** Likewise; what is absent becomes null. */
export function storableOrNull(text: string | undefined): string | null {
  return text === undefined ? null : storableText(text);
}
