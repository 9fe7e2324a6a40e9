/**
 * Takes what happened in a day, gives the message that tells of it.
 * Keeps: names come from events and show themselves as they are; whether the sums agree is said in one word.
 */
import { createWriteTime } from '../assess/alert-fields.ts';
import type { Language } from '../assess/alerts-config.ts';
import { plainMessage } from './bulletins.ts';
import type { Counted, Receipt } from './read-receipt.ts';
import type { ReceiptDay } from './receipt-times.ts';
import { cutMiddle, visibleText } from './visible-text.ts';
import { MESSAGE_UNITS_MAX, type Message } from './write-message.ts';

export interface ReceiptHead {
  readonly day: ReceiptDay;
  readonly timeZone: string;
  readonly language: Language;
  /** Groups of PCs that it is about; none = all. */
  readonly groups: readonly string[];
}

const NAME_UNITS_MAX = 60;

/** Writes it. */
export function writeReceipt(head: ReceiptHead, receipt: Receipt): Message {
  const writeTime = createWriteTime(head.timeZone);
  const { day, groups } = head;
  const isRu = head.language === 'ru';
  const say = (en: string, ru: string): string => (isRu ? ru : en);
  const number = (value: number): string => value.toLocaleString(isRu ? 'ru-RU' : 'en-GB');
  const named = (all: readonly Counted[]): string =>
    all.map(({ name, count }) => `${shown(name)} ${number(count)}`).join(', ') || '–';
  const { received, duplicates, rejected, stored, indexed, waiting, dead } = receipt;
  const isWhole = received - duplicates - rejected === stored && stored === indexed;
  const of = groups.length === 0 ? '' : ` (${groups.join(', ')})`;
  const lines = [
    `📋 ${say('Day', 'День')}${of}: ${writeTime(day.fromMs)} – ${writeTime(day.toMs)}`,
    `${say('PCs reporting', 'ПК на связи')}: ${number(receipt.reporting)} ${say('of', 'из')} ${number(receipt.known)}`,
    `${say('Launches', 'Запусков')}: ${number(receipt.launches)} (${say('events', 'событий')}: ${number(receipt.events)})`,
    `${say('Programs', 'Программы')}: ${named(receipt.programs)}`,
    `${say('People', 'Сотрудники')}: ${named(receipt.people)}`,
    `${say('Lost on PCs', 'Потеряно на ПК')}: ${named(receipt.gaps)}`,
    `${say('Auditing is off', 'Аудит выключен')}: ${receipt.auditingOff.map(shown).join(', ') || '–'}`,
    `${isWhole ? '✔' : '⚠️'} ${say('Received', 'Получено')} ${number(received)}, ${say('again', 'повторно')} ${number(duplicates)}, ${say('rejected', 'отклонено')} ${number(rejected)}`,
    `   = ${say('stored', 'сохранено')} ${number(stored)} = ${say('indexed', 'в Elasticsearch')} ${number(indexed)}`,
    ...(waiting + dead === 0
      ? []
      : [
          `   ${say('waiting for Elasticsearch', 'ждут Elasticsearch')} ${number(waiting)}, ${say('refused by it', 'им отклонено')} ${number(dead)}`,
        ]),
  ];
  return plainMessage(cutMiddle(lines.join('\n'), MESSAGE_UNITS_MAX));
}

const shown = (name: string): string =>
  cutMiddle(visibleText(name === '' ? '–' : name), NAME_UNITS_MAX);
