/**
 * The buttons under an alert, and what they send back when a person presses one.
 * Keeps: 64 bytes at most (Bot API, InlineKeyboardButton); signed with the bot's token, since a person's program can send any data.
 * Source: https://core.telegram.org/bots/api#inlinekeyboardbutton
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Language } from '../assess/alerts-config.ts';
import type { Buttons } from './send-message.ts';
import { wordsOf } from './words.ts';

/** What a person can ask for under an alert. */
export const PRESSES = ['ack', 'mute', 'pair', 'like', 'tree'] as const;
export type Press = (typeof PRESSES)[number];

/** The alert that the buttons are under. */
export interface ButtonsFor {
  /** Row of the alert. */
  readonly id: string;
  /** Address of the chat. */
  readonly chatId: string;
  /** Somebody took it on: there is nothing to take on any more. */
  readonly isAcked?: boolean;
}

export type ButtonsOf = (alert: ButtonsFor) => Buttons;

export const NO_BUTTONS: ButtonsOf = () => [];

/** 9 bytes are 12 characters. */
const MARK_BYTES = 9;

function markOf(secret: string, press: Press, alertId: string): string {
  const text = JSON.stringify(['button', press, alertId]);
  return createHmac('sha256', secret)
    .update(text)
    .digest()
    .subarray(0, MARK_BYTES)
    .toString('base64url');
}

/** Writes what a button sends: `press:alert:mark`. */
export const buttonData = (secret: string, press: Press, alertId: string): string =>
  `${press}:${alertId}:${markOf(secret, press, alertId)}`;

/** Reads it back; undefined where this program did not write it. */
export function readButtonData(
  secret: string,
  data: string,
): { readonly press: Press; readonly alertId: string } | undefined {
  const [, name, alertId = '', mark = ''] = /^([a-z]+):(\d{1,18}):([\w-]{12})$/.exec(data) ?? [];
  const press = PRESSES.find((one) => one === name);
  if (press === undefined) return undefined;
  const wanted = markOf(secret, press, alertId);
  return timingSafeEqual(Buffer.from(mark), Buffer.from(wanted)) ? { press, alertId } : undefined;
}

/** Makes the buttons; `secretOf` gives the token of the bot that writes to a chat. */
export function createButtons(
  language: Language,
  secretOf: (chatId: string) => string | undefined,
): ButtonsOf {
  const { buttons: words } = wordsOf(language);
  return (alert) => {
    const secret = secretOf(alert.chatId);
    if (secret === undefined) return [];
    const button = (press: Press) => ({
      text: words[press],
      callback_data: buttonData(secret, press, alert.id),
    });
    const [first, second]: readonly (readonly Press[])[] = [
      ['ack', 'mute', 'pair'],
      ['like', 'tree'],
    ];
    const rows = [
      (first ?? []).filter((press) => press !== 'ack' || alert.isAcked !== true),
      second ?? [],
    ];
    return rows.map((row) => row.map(button));
  };
}
