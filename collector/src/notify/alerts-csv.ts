/**
 * Takes the fields of alerts, gives the lines of a list that a spreadsheet opens.
 * Keeps: nothing of an event is a formula, a line break or a second column there.
 * Source: RFC 4180; OWASP "CSV Injection" (cells that begin with = + - @ or a tab).
 */
import type { Language } from '../assess/alerts-config.ts';
import { visibleText } from './visible-text.ts';
import { wordsOf } from './words.ts';

const FIELDS = [
  'time',
  'user',
  'domain',
  'host',
  'program',
  'process',
  'executable',
  'parent',
  'command_line',
  'rule',
  'event_id',
] as const;

/** Russian spreadsheets part columns at semicolons. */
const separatorOf = (language: Language): string => (language === 'ru' ? ';' : ',');
/** Tells spreadsheets that it is UTF-8. */
const BYTE_ORDER_MARK = '\uFEFF';

/** First line of the list. */
export function csvHead(language: Language): string {
  return `${BYTE_ORDER_MARK}${wordsOf(language).columns.map(cell).join(separatorOf(language))}\r\n`;
}

/** One alert. */
export function csvLine(fields: Readonly<Record<string, string>>, language: Language): string {
  return `${FIELDS.map((name) => cell(fields[name] ?? '')).join(separatorOf(language))}\r\n`;
}

function cell(value: string): string {
  const text = visibleText(value);
  const harmless = /^\s*[=+\-@]/.test(text) ? `'${text}` : text;
  return `"${harmless.replaceAll('"', '""')}"`;
}
