/**
 * Takes Telegram's bounds and what it answered, gives the moment at which the next message to a chat may go.
 * Keeps: pure but for its memory; times are milliseconds of a monotonic clock that the caller passes in.
 * Source: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
 */
import { readAddress } from '../assess/chat-address.ts';
import type { TelegramConfig } from './telegram-config.ts';

export interface Pace {
  /** Books the next place for a message to the chat; gives the moment at which it may go, `nowMs` at the earliest. */
  book(chatId: string, nowMs: number): number;
  /** The message that was booked for `bookedMs` was answered now: the next one keeps its distance from then. */
  answered(chatId: string, bookedMs: number, nowMs: number): void;
  /** Telegram told to wait with this chat. */
  pauseChat(chatId: string, nowMs: number, untilMs: number): void;
  /** The bot of this chat sends nothing at all until then. */
  pauseBot(chatId: string, untilMs: number): void;
  /** The moment before which nothing may go to the chat, places aside. */
  pausedUntilMs(chatId: string): number;
}

interface ChatPace {
  /** Moments of the last messages, oldest first; as many as the minute's bound needs. */
  booked: number[];
  pausedUntilMs: number;
}

const SECOND_MS = 1000;
/** A minute, and what the way of two messages can differ by. */
const MINUTE_MS = 61_000;

/** The pace of several bots, for addresses of chats: each bot has its own, and a chat is one whatever its threads. */
export function createPaces(limits: TelegramConfig['limits']): Pace {
  const paces = new Map<string, Pace>();
  const of = (chatId: string): readonly [pace: Pace, id: string] => {
    const { bot, id } = readAddress(chatId);
    const pace = paces.get(bot) ?? createPace(limits);
    paces.set(bot, pace);
    return [pace, id];
  };
  return {
    book(chatId, nowMs) {
      const [pace, id] = of(chatId);
      return pace.book(id, nowMs);
    },
    answered(chatId, bookedMs, nowMs) {
      const [pace, id] = of(chatId);
      pace.answered(id, bookedMs, nowMs);
    },
    pauseChat(chatId, nowMs, untilMs) {
      const [pace, id] = of(chatId);
      pace.pauseChat(id, nowMs, untilMs);
    },
    pauseBot(chatId, untilMs) {
      const [pace, id] = of(chatId);
      pace.pauseBot(id, untilMs);
    },
    pausedUntilMs(chatId) {
      const [pace, id] = of(chatId);
      return pace.pausedUntilMs(id);
    },
  };
}

/** Groups and channels have ids below zero, or a name; both have a bound a minute. */
export const isGroup = (chatId: string): boolean =>
  chatId.startsWith('-') || chatId.startsWith('@');

/** Makes the pace of one bot. */
export function createPace(limits: TelegramConfig['limits']): Pace {
  const chats = new Map<string, ChatPace>();
  const everybody: ChatPace = { booked: [], pausedUntilMs: 0 };

  function of(chatId: string): ChatPace {
    const known = chats.get(chatId) ?? { booked: [], pausedUntilMs: 0 };
    chats.set(chatId, known);
    return known;
  }

  return {
    book(chatId, nowMs) {
      const chat = of(chatId);
      const atMs = Math.max(
        nowMs,
        chat.pausedUntilMs,
        everybody.pausedUntilMs,
        spacedMs(chat.booked, SECOND_MS / limits.per_chat_per_second),
        isGroup(chatId) ? windowMs(chat.booked, limits.per_group_per_minute, MINUTE_MS) : 0,
        windowMs(everybody.booked, limits.per_second, SECOND_MS),
      );
      note(chat.booked, atMs, Math.max(limits.per_group_per_minute, 1));
      note(everybody.booked, atMs, Math.max(limits.per_second, 1));
      return atMs;
    },
    answered(chatId, bookedMs, nowMs) {
      for (const { booked } of [of(chatId), everybody]) {
        const at = booked.lastIndexOf(bookedMs);
        if (at === -1 || nowMs <= bookedMs) continue;
        booked[at] = nowMs;
        booked.sort((a, b) => a - b);
      }
    },
    pauseChat(chatId, nowMs, untilMs) {
      const others = [...chats].some(([id, one]) => id !== chatId && one.pausedUntilMs > nowMs);
      const chat = of(chatId);
      chat.pausedUntilMs = Math.max(chat.pausedUntilMs, untilMs);
      // Telegram does not say whose bound was reached. Two chats at once: the bot's own.
      if (others) everybody.pausedUntilMs = Math.max(everybody.pausedUntilMs, untilMs);
    },
    pauseBot(_, untilMs) {
      everybody.pausedUntilMs = Math.max(everybody.pausedUntilMs, untilMs);
    },
    pausedUntilMs: (chatId) => Math.max(of(chatId).pausedUntilMs, everybody.pausedUntilMs),
  };
}

function spacedMs(booked: readonly number[], gapMs: number): number {
  const last = booked.at(-1);
  return last === undefined ? 0 : last + gapMs;
}

/** When the window of `lengthMs` has room for one more. */
function windowMs(booked: readonly number[], count: number, lengthMs: number): number {
  const oldest = booked.at(-Math.max(Math.floor(count), 1));
  return oldest === undefined ? 0 : oldest + lengthMs;
}

function note(booked: number[], atMs: number, keep: number): void {
  booked.push(atMs);
  booked.sort((a, b) => a - b);
  while (booked.length > keep) booked.shift();
}
