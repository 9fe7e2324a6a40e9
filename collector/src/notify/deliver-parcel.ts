/**
 * Takes one thing for one chat, sends it until Telegram has it or refuses it for good.
 * Keeps: the pace of the chat; every answer of Telegram is obeyed. Delivery is at least once: when Telegram's answer is lost, or
 * this process dies between the answer and its note, it is sent again.
 */
import { backoffMs, pause } from '@launchbeat/ecs-schemas/beat';
import type { Language } from '../assess/alerts-config.ts';
import type { Sql } from '../commit/database.ts';
import type { ButtonsOf } from './alert-buttons.ts';
import type { OutageLog } from './outage-log.ts';
import type { Pace } from './pace.ts';
import type { Bot, SendOutcome, TextMode } from './send-message.ts';
import type { TelegramConfig } from './telegram-config.ts';
import type { WriteMessage } from './write-message.ts';
import type { WriteNotice } from './write-notice.ts';

/** What the chats share. */
export interface Delivery {
  readonly sql: Sql;
  readonly config: TelegramConfig;
  readonly bot: Bot;
  readonly write: WriteMessage;
  readonly writeNotice: WriteNotice;
  /** Buttons under an alert. */
  readonly buttonsOf: ButtonsOf;
  /** Addresses of the chats that stand in for others; absent = there is none. */
  readonly elsewhere: () => Elsewhere;
  /** Writes the lists of notices. */
  readonly csv: { head(): string; line(fields: Readonly<Record<string, string>>): string };
  readonly language: () => Language;
  /** The words under a list. */
  readonly listWords: (part: number) => string;
  readonly pace: Pace;
  readonly outage: OutageLog;
  readonly counts: DeliveryCounters;
  /** A chat has a message; so many seconds after its event. */
  readonly told: (seconds: number) => void;
  /** Sent, but PostgreSQL does not know yet: row → Telegram's message id. */
  readonly sentRows: Map<string, number>;
  /** Chats that Telegram gave another id. */
  readonly movedChats: Map<string, string>;
  /** Ends a request in flight. */
  readonly abandon: AbortSignal;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** Who hears what a chat cannot. */
export interface Elsewhere {
  /** What a chat refuses goes there. */
  readonly fallback: string | undefined;
  /** Trouble is told there. */
  readonly ops: string | undefined;
}

/** Counters that only rise. */
export interface DeliveryCounters {
  sent: number;
  /** Messages that will never be sent. */
  failed: number;
  /** Attempts that must be repeated. */
  retries: number;
  /** Messages that may be in the chat twice. */
  maybeTwice: number;
}

/** One thing for one chat. */
export interface Parcel {
  readonly chatId: string;
  /** The rule whose template may have markup that Telegram cannot read. */
  readonly ruleId: string;
  post(chatId: string, mode: TextMode): Promise<SendOutcome>;
  /** For people who look at the table, and for a restart. `isUnknown`: the chat may have it. */
  tried(reason: string, delayMs: number, isUnknown: boolean): Promise<void>;
}

export type Delivered =
  | { readonly outcome: 'done'; readonly messageId: number }
  /** The message that was to be edited is no more. */
  | { readonly outcome: 'gone' }
  /** `isChat`: the chat takes nothing at all. */
  | { readonly outcome: 'refused'; readonly reason: string; readonly isChat: boolean }
  /** Asked to stop; nothing is known. */
  | { readonly outcome: 'stopped' };

const DATABASE_RETRY_MS = 1_000;

/** Sends until it is settled or `signal` is aborted. */
export async function deliverParcel(
  parcel: Parcel,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<Delivered> {
  let mode: TextMode = 'HTML';
  for (let attempt = 1; ; ) {
    const chatId = delivery.movedChats.get(parcel.chatId) ?? parcel.chatId;
    const bookedMs = await place(chatId, delivery.pace, signal);
    if (signal.aborted) return { outcome: 'stopped' };
    const answer = await parcel.post(chatId, mode);
    delivery.pace.answered(chatId, bookedMs, performance.now());
    if (answer.outcome === 'bad_markup' && mode === 'HTML') {
      sayBadMarkup(parcel.ruleId, answer.reason, delivery.outage);
      mode = 'plain';
      continue;
    }
    const settled = settle(parcel, answer, delivery);
    if (settled !== undefined) return settled;
    if (answer.outcome === 'retry') attempt += 1;
    await waitAfter(parcel, { answer, chatId, attempt }, delivery, signal);
  }
}

function sayBadMarkup(ruleId: string, reason: string, outage: OutageLog): void {
  outage.person(
    `markup ${ruleId}`,
    reason,
    `Telegram cannot read the markup of rule ${ruleId}; its messages go as plain text. Mend its template in alerts.yml.`,
  );
}

interface Failed {
  readonly answer: SendOutcome;
  readonly chatId: string;
  /** From 2: the attempt to come. */
  readonly attempt: number;
}

async function waitAfter(
  parcel: Parcel,
  failed: Failed,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<void> {
  const delayMs = waitMs(failed, delivery);
  const { answer } = failed;
  if ('reason' in answer) {
    const isUnknown = answer.outcome === 'retry';
    await parcel.tried(answer.reason, delayMs, isUnknown).catch(() => undefined);
  }
  // A throttled chat is waited for in its place.
  await sleep(answer.outcome === 'throttled' ? 0 : delayMs, signal);
}

/** Waits for the chat's place, and longer where Telegram told to wait meanwhile; gives the place. */
async function place(chatId: string, pace: Pace, signal: AbortSignal): Promise<number> {
  const nowMs = performance.now();
  const bookedMs = pace.book(chatId, nowMs);
  await sleep(bookedMs - nowMs, signal);
  for (;;) {
    const leftMs = pace.pausedUntilMs(chatId) - performance.now();
    if (leftMs <= 0 || signal.aborted) return bookedMs;
    await sleep(leftMs, signal);
  }
}

/** Undefined: it is to be tried again. */
function settle(
  parcel: Parcel,
  answer: SendOutcome,
  { counts, outage }: Delivery,
): Delivered | undefined {
  switch (answer.outcome) {
    case 'done':
      counts.sent += 1;
      outage.recovered();
      return answer;
    case 'gone':
      return answer;
    case 'refused':
    case 'bad_markup':
      counts.failed += 1;
      outage.person(
        `chat ${parcel.chatId}`,
        answer.reason,
        `Telegram refuses messages to chat ${parcel.chatId}; they stay in the table alerts as failed. Check the chat in alerts.yml, and that the bot may write there.`,
      );
      return {
        outcome: 'refused',
        reason: answer.reason,
        isChat: answer.outcome === 'refused' && answer.isChat,
      };
    case 'throttled':
    case 'bad_token':
    case 'moved':
    case 'retry':
      return undefined;
  }
}

/** How long it waits before it is tried again; tells the pace and the log what happened. */
function waitMs({ answer, chatId, attempt }: Failed, delivery: Delivery): number {
  const { config, outage, pace, counts } = delivery;
  const nowMs = performance.now();
  switch (answer.outcome) {
    case 'throttled':
      counts.retries += 1;
      pace.pauseChat(chatId, nowMs, nowMs + answer.retryAfterMs);
      outage.trouble(answer.reason);
      return answer.retryAfterMs;
    case 'bad_token':
      counts.retries += 1;
      pace.pauseBot(chatId, nowMs + config.backoff.max);
      outage.person(
        'token',
        answer.reason,
        'Telegram does not take the token of the bot; all messages wait.',
      );
      return config.backoff.max;
    case 'moved':
      delivery.movedChats.set(chatId, answer.chatId);
      outage.person(
        `moved ${chatId}`,
        `group ${chatId} became supergroup ${answer.chatId}`,
        `Chat ${chatId} has a new id, ${answer.chatId}; messages go there. Write the new id into alerts.yml.`,
      );
      return 0;
    case 'retry':
      counts.retries += 1;
      outage.trouble(answer.reason);
      return backoffMs(attempt - 1, config.backoff);
    case 'done':
    case 'gone':
    case 'refused':
    case 'bad_markup':
      return 0;
  }
}

/** Repeats a note until PostgreSQL has it, or `signal` is aborted. */
export async function noteDown(write: () => Promise<void>, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await write();
      return;
    } catch {
      if (signal.aborted) return;
      await sleep(DATABASE_RETRY_MS, signal);
    }
  }
}

/** Waits; ends early when aborted. */
export async function sleep(delayMs: number, signal: AbortSignal): Promise<void> {
  if (delayMs > 0) await pause(delayMs, signal);
}
