/**
 * Takes alerts.yml, gives what it says of messages: whether and to whom, in which words, with which buttons.
 * Keeps: a file that takes another's place is in force from the next message on.
 */
import type { AlertsConfig } from '../assess/alerts-config.ts';
import { readAddress } from '../assess/chat-address.ts';
import { createButtons, NO_BUTTONS } from './alert-buttons.ts';
import { csvHead, csvLine } from './alerts-csv.ts';
import type { Delivery, DeliveryCounters } from './deliver-parcel.ts';
import { createLinkOf, type KibanaPlace } from './kibana-link.ts';
import { createQuietPolicies } from './quiet-policies.ts';
import type { TelegramConfig } from './telegram-config.ts';
import { wordsOf } from './words.ts';
import { createWriteMessage } from './write-message.ts';
import { createWriteNotice } from './write-notice.ts';

export type Voice = ReturnType<typeof createVoice>;

/** Compiles the file. */
export function createVoice(
  alerts: AlertsConfig,
  config: TelegramConfig,
  kibana: KibanaPlace | undefined,
) {
  const { language, chats, fallback, ops = fallback, commands } = alerts;
  const write = createWriteMessage(alerts, createLinkOf(kibana));
  const addressOf = (name: string | undefined): string | undefined =>
    name === undefined ? undefined : chats[name]?.id;
  const secretOf = (chatId: string): string | undefined => tokenOf(config, readAddress(chatId).bot);
  const asking = (commands?.chats ?? Object.keys(chats)).flatMap((name) => chats[name]?.id ?? []);
  const buttons = createButtons(language, secretOf);
  return {
    alerts,
    policies: createQuietPolicies(alerts),
    write,
    writeNotice: createWriteNotice(alerts, write),
    csvHead: csvHead(language),
    csvLine: (fields: Readonly<Record<string, string>>) => csvLine(fields, language),
    listWords: wordsOf(language).list,
    fallback: addressOf(fallback),
    ops: addressOf(ops),
    secretOf,
    /** Addresses of chats in which people may ask; none where nobody may. */
    asking: commands === undefined ? [] : asking,
    buttonsOf:
      commands === undefined
        ? NO_BUTTONS
        : (alert: Parameters<typeof buttons>[0]) =>
            asking.includes(alert.chatId) ? buttons(alert) : [],
  };
}

/** The token of a bot by its name; empty = the first one. */
export function tokenOf(config: TelegramConfig, bot: string): string | undefined {
  return bot === '' ? config.token : config.bots[bot]?.token;
}

/** What is written, by the voice of the moment, and what a run keeps in mind. */
export function deliveryOf(voice: () => Voice, counts: DeliveryCounters) {
  return {
    write: ((alert, unitsMax) => voice().write(alert, unitsMax)) satisfies Delivery['write'],
    writeNotice: ((notice, groups) =>
      voice().writeNotice(notice, groups)) satisfies Delivery['writeNotice'],
    buttonsOf: ((alert) => voice().buttonsOf(alert)) satisfies Delivery['buttonsOf'],
    csv: {
      head: () => voice().csvHead,
      line: (fields: Readonly<Record<string, string>>) => voice().csvLine(fields),
    },
    listWords: (part: number) => voice().listWords(part),
    language: () => voice().alerts.language,
    elsewhere: () => voice(),
    counts,
    sentRows: new Map<string, number>(),
    movedChats: new Map<string, string>(),
  };
}
