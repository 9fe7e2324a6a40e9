/**
 * The sentences that are not templates, in Russian and English: counts, digests, storms.
 * Takes numbers and texts that were written for the zone already, gives plain text.
 */
import type { Language } from '../assess/alerts-config.ts';
import type { RuleKind } from '../assess/rule-kinds.ts';
import type { Press } from './alert-buttons.ts';

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
  digest(count: number, span: Span): string;
  muted(count: number, span: Span): string;
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
  /** Under an alert that somebody took on. */
  acked(who: string, time: string): string;
  /** A chat takes no messages. */
  chatRefuses(chat: string, reason: string): string;
  /** A changed alerts.yml has a mistake. */
  brokenFile(problem: string): string;
  readonly buttons: Readonly<Record<Press, string>>;
  /** Templates of kinds that are not about one start. */
  readonly ofKind: { readonly [Kind in RuleKind]?: string };
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
export function durationText(ms: number, language: Language): string {
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
  digest: (count, span) => `Сводка: ${ruEvents(count)}, ${spanText(span, ' – ')}`,
  muted: (count, span) => `Пока было выключено: ${ruEvents(count)}, ${spanText(span, ' – ')}`,
  storm: (count, span) =>
    `Слишком много сообщений, считаю: ${ruEvents(count)}, ${spanText(span, ' – ')}`,
  stormOver: (count, span) =>
    `Было слишком много сообщений: ${ruEvents(count)}, ${spanText(span, ' – ')}`,
  mostly: 'Чаще всего:',
  others: (count) => `… и ещё ${count}`,
  listFollows: 'Полный список — в файле ниже.',
  listComes: 'Полный список придёт файлом, когда станет тише.',
  list: (part) => `Полный список, часть ${part}`,
  acked: (who, time) => `✔ Принял(а) ${who}, ${time}`,
  chatRefuses: (chat, reason) =>
    `⚠️ Чат ${chat} не принимает сообщения: ${reason}. Они в таблице alerts (failed) и идут сюда. Проверьте чат в alerts.yml и права бота.`,
  brokenFile: (problem) =>
    `⚠️ В alerts.yml ошибка, действуют прежние правила.\n${problem}\nИсправьте; launchbeat-collector rules check назовёт строку.`,
  buttons: {
    ack: '✔ Принять',
    mute: '🔇 1 ч',
    pair: '🔇 Эту пару',
    like: 'Похожие за 24 ч',
    tree: 'Дерево',
  },
  ofKind: {
    agent_offline: '⚠️ {{time}} {{host}}: агент не выходит на связь, последний раз {{reason}}',
    agent_degraded: '⚠️ {{time}} {{host}}: {{reason}}',
    flatline:
      '⚠️ Тишина по правилу {{rule}}{{#key}} ({{key}}){{/key}}, последнее событие {{reason}}',
    spike: '{{time}} Всплеск {{rule}}{{#key}} ({{key}}){{/key}}: {{count}}, обычно {{reason}}',
  },
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
  digest: (count, span) => `Digest: ${enEvents(count)}, ${spanText(span, ' – ')}`,
  muted: (count, span) => `While muted: ${enEvents(count)}, ${spanText(span, ' – ')}`,
  storm: (count, span) =>
    `Too many messages, counting: ${enEvents(count)}, ${spanText(span, ' – ')}`,
  stormOver: (count, span) =>
    `There were too many messages: ${enEvents(count)}, ${spanText(span, ' – ')}`,
  mostly: 'Most often:',
  others: (count) => `… and ${count} more`,
  listFollows: 'The whole list is in the file below.',
  listComes: 'The whole list comes as a file when it is calmer.',
  list: (part) => `The whole list, part ${part}`,
  acked: (who, time) => `✔ Acknowledged by ${who}, ${time}`,
  chatRefuses: (chat, reason) =>
    `⚠️ Chat ${chat} takes no messages: ${reason}. They stay in the table alerts (failed) and come here. Check the chat in alerts.yml and what the bot may do.`,
  brokenFile: (problem) =>
    `⚠️ alerts.yml has a mistake, the rules from before stay in force.\n${problem}\nMend it; launchbeat-collector rules check names the line.`,
  buttons: {
    ack: '✔ Ack',
    mute: '🔇 1 h',
    pair: '🔇 This pair',
    like: 'Similar 24 h',
    tree: 'Tree',
  },
  ofKind: {
    agent_offline: '⚠️ {{time}} {{host}}: the agent is silent, last seen {{reason}}',
    agent_degraded: '⚠️ {{time}} {{host}}: {{reason}}',
    flatline: '⚠️ Silence by rule {{rule}}{{#key}} ({{key}}){{/key}}, last event {{reason}}',
    spike: '{{time}} Spike {{rule}}{{#key}} ({{key}}){{/key}}: {{count}}, usually {{reason}}',
  },
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
