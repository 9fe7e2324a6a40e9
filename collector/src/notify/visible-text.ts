/**
 * Takes a value as logged, gives it as text in which nothing hides: what a reader sees in the chat is what was there.
 * Keeps: no value can break the line, turn the direction of the text, or look like another by characters that are not drawn.
 * Source: Unicode classes Cc, Cf, Cs, Zl, Zp and Default_Ignorable_Code_Point; "Trojan Source" (CVE-2021-42574) for the bidi ones.
 */

const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Unicode has a picture for each C0 control: U+2400 and the code; U+2421 for DEL. */
const PICTURES = 0x2400;
const C0_END = 0x20;
const DEL = 0x7f;
const DEL_PICTURE = '\u2421';

/**
 * Replaces each hidden character: controls by their pictures (a line feed by `␊`), others by their number (`⟨U+202E⟩`).
 * Everything else stays as it is.
 */
export function visibleText(value: string): string {
  return value.replace(HIDDEN, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < C0_END) return String.fromCharCode(PICTURES + code);
    if (code === DEL) return DEL_PICTURE;
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
  });
}

/** Between the two ends of a text that was too long. */
const GAP = '…';

/** Takes out the middle of a text that is longer than `unitsMax` UTF-16 units; never cuts a character in two. */
export function cutMiddle(text: string, unitsMax: number): string {
  if (text.length <= unitsMax) return text;
  const kept = Math.max(unitsMax - GAP.length, 0);
  // The beginning of a command line says more than its end.
  const head = Math.ceil(kept / 2);
  return `${wholeStart(text, head)}${GAP}${wholeEnd(text, kept - head)}`;
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

function wholeStart(text: string, units: number): string {
  return text.slice(0, isHigh(text.charCodeAt(units - 1)) ? units - 1 : units);
}

function wholeEnd(text: string, units: number): string {
  if (units === 0) return '';
  const start = text.length - units;
  return text.slice(isLow(text.charCodeAt(start)) ? start + 1 : start);
}
