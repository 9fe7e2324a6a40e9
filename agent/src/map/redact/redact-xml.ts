/**
 * Takes text of an event that is to be kept as it came (broken XML, a torn line), gives it without secrets.
 * Keeps: works on any text at all; what stands between tags is read as XML has it (`&quot;`), and stays as it is where it
 * holds no secret.
 */
import type { Redactor } from './create-redactor.ts';

const TAG = /<[^<>]{0,4096}>/g;
const REFERENCE = /&(?:(amp|lt|gt|quot|apos)|#x([0-9a-fA-F]{1,6})|#([0-9]{1,7}));/g;
const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
};
const LONGEST_CODE = 0x10_ffff;

function unescaped(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(REFERENCE, (whole, name: string, hex: string, decimal: string) => {
    if (name !== undefined) return NAMED[name] ?? whole;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code <= LONGEST_CODE ? String.fromCodePoint(code) : whole;
  });
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Redacts a text of XML, whole or broken; `image` as for the redactor. */
export function redactXml(redactor: Redactor, xml: string): { text: string; count: number } {
  let count = 0;
  const image = /Name=['"]NewProcessName['"]\s*>([^<]{0,1024})/.exec(xml)?.[1] ?? '';
  const clean = (part: string, restore: (text: string) => string): string => {
    const plain = unescaped(part);
    const redacted = redactor.redact(plain, image);
    count += redacted.count;
    return redacted.count === 0 ? part : restore(redacted.text);
  };
  let text = '';
  let at = 0;
  for (const match of xml.matchAll(TAG)) {
    text += clean(xml.slice(at, match.index), escaped);
    text += clean(match[0], (tag) => tag);
    at = match.index + match[0].length;
  }
  return { text: text + clean(xml.slice(at), escaped), count };
}
