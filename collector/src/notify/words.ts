/**
 * The sentences that are not templates, in Russian and English: counts, digests, storms.
 * Takes numbers and texts that were written for the zone already, gives plain text.
 */
import type { Language } from '../assess/alerts-config.ts';

export interface Span {
  /** Oldest and newest event, as messages write the time; the same text where there is one. */
  readonly from: string;
  readonly to: string;
}

export interface Words {
  /** `ещё 11 за 10 мин`. */
  more(count: number, durationMs: number): string;
  folded(count: number, span: Span): string;
  held(count: number, span: Span): string;
  storm(count: number, span: Span): string;
  stormOver(count: number, span: Span): string;
  /** Before the most frequent. */
  readonly mostly: string;
  /** After them, when there are others. */
  others(count: number): string;
  readonly listFollows: string;
  readonly listComes: string;
  /** Under the file: its number among several. */
  list(part: number): string;
  /** Headings of the list. */
  readonly columns: readonly string[];
}

const UNITS: readonly (readonly [ms: number, ru: string, en: string])[] = [
  [86_400_000, 'д', 'd'],
  [3_600_000, 'ч', 'h'],
  [60_000, 'мин', 'min'],
  [1000, 'с', 's'],
];

/** `10 мин`, `2 ч 30 мин`: the two largest units. */
function durationText(ms: number, language: Language): string {
  const parts: string[] = [];
  let left = Math.max(Math.round(ms / 1000), 1) * 1000;
  for (const [unitMs, ru, en] of UNITS) {
    const number = Math.floor(left / unitMs);
    left -= number * unitMs;
    if (number > 0) parts.push(`${number} ${language === 'ru' ? ru : en}`);
  }
  return parts.slice(0, 2).join(' ');
}

const spanText = ({ from, to }: Span, dash: string): string =>
  from === to ? from : `${from}${dash}${to}`;

const RU_PLURAL = new Intl.PluralRules('ru');
const RU_EVENTS: Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> = {
  one: 'событие',
  few: 'события',
};
const ruEvents = (count: number): string =>
  `${count} ${RU_EVENTS[RU_PLURAL.select(count)] ?? 'событий'}`;
const enEvents = (count: number): string => `${count} ${count === 1 ? 'event' : 'events'}`;

const RU: Words = {
  more: (count, ms) => `ещё ${count} за ${durationText(ms, 'ru')}`,
  folded: (count, span) => `Пришли с опозданием: ${ruEvents(count)}, ${spanText(span, ' – ')}`,
  held: (count, span) => `За тихие часы: ${ruEvents(count)}, ${spanText(span, ' – ')}`,
  storm: (count, span) =>
    `Слишком много сообщений, считаю: ${ruEvents(count)}, ${spanText(span, ' – ')}`,
  stormOver: (count, span) =>
    `Было слишком много сообщений: ${ruEvents(count)}, ${spanText(span, ' – ')}`,
  mostly: 'Чаще всего:',
  others: (count) => `… и ещё ${count}`,
  listFollows: 'Полный список — в файле ниже.',
  listComes: 'Полный список придёт файлом, когда станет тише.',
  list: (part) => `Полный список, часть ${part}`,
  columns: [
    'время',
    'пользователь',
    'домен',
    'ПК',
    'программа',
    'файл',
    'путь',
    'родитель',
    'командная строка',
    'правило',
    'id события',
  ],
};

const EN: Words = {
  more: (count, ms) => `${count} more in ${durationText(ms, 'en')}`,
  folded: (count, span) => `Came late: ${enEvents(count)}, ${spanText(span, ' – ')}`,
  held: (count, span) => `During quiet hours: ${enEvents(count)}, ${spanText(span, ' – ')}`,
  storm: (count, span) =>
    `Too many messages, counting: ${enEvents(count)}, ${spanText(span, ' – ')}`,
  stormOver: (count, span) =>
    `There were too many messages: ${enEvents(count)}, ${spanText(span, ' – ')}`,
  mostly: 'Most often:',
  others: (count) => `… and ${count} more`,
  listFollows: 'The whole list is in the file below.',
  listComes: 'The whole list comes as a file when it is calmer.',
  list: (part) => `The whole list, part ${part}`,
  columns: [
    'time',
    'user',
    'domain',
    'PC',
    'program',
    'file',
    'path',
    'parent',
    'command line',
    'rule',
    'event id',
  ],
};

/** The words of a language. */
export const wordsOf = (language: Language): Words => (language === 'ru' ? RU : EN);
