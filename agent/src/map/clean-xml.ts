/**
 * Takes XML as Windows prints it, gives XML that a parser may read: EvtRender lets control characters of logged values through.
 * Keeps: every character that XML 1.0 allows stays; the others are removed, alone or as a reference; lone surrogates become U+FFFD.
 */

export interface CleanXml {
  readonly xml: string;
  /** How many characters were removed or replaced. */
  readonly removed: number;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are what is looked for.
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;
const REFERENCE = /&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,8}));/g;

/** Whether XML 1.0 has this code point (section 2.2, Char). */
function isXmlChar(code: number): boolean {
  return (
    code === 0x9 ||
    code === 0xa ||
    code === 0xd ||
    (code >= 0x20 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd) ||
    (code >= 0x10000 && code <= 0x10ffff)
  );
}

/** Removes what XML 1.0 forbids. */
export function cleanXml(xml: string): CleanXml {
  let removed = 0;
  let clean = xml;
  if (!clean.isWellFormed()) {
    clean = clean.toWellFormed();
    removed += 1;
  }
  clean = clean.replace(FORBIDDEN, () => {
    removed += 1;
    return '';
  });
  if (clean.includes('&#')) {
    clean = clean.replace(REFERENCE, (whole, hex: string | undefined, decimal: string) => {
      if (isXmlChar(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16))) return whole;
      removed += 1;
      return '';
    });
  }
  return { xml: clean, removed };
}
