/**
 * Counts messages as Telegram's limits do and says how long to wait when one is reached.
 * Source: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
 */

export interface TelegramLimits {
  /** All chats together. */
  readonly perSecond: number;
  /** One chat. */
  readonly chatPerSecond: number;
  /** One group. */
  readonly groupPerMinute: number;
}

export const TELEGRAM_LIMITS: TelegramLimits = {
  perSecond: 30,
  chatPerSecond: 1,
  groupPerMinute: 20,
};

/** A little under a second: a sender that keeps to one a second must not fail for the network's jitter. */
const SECOND_MS = 900;
const MINUTE_MS = 60_000;

/** The last moments at which something was let pass; only as many as a limit needs. */
interface Window {
  readonly max: number;
  readonly lengthMs: number;
  passedMs: number[];
}

/** How long until `window` lets one more pass; 0 = now. */
function waitMs(window: Window, nowMs: number): number {
  window.passedMs = window.passedMs.filter((passed) => passed > nowMs - window.lengthMs);
  if (window.passedMs.length < window.max) return 0;
  const oldest = window.passedMs[window.passedMs.length - window.max] ?? nowMs;
  return oldest + window.lengthMs - nowMs;
}

/**
 * Gives the gate: asked before each message, it answers undefined (let pass, and counted) or the seconds to wait (whole, from 1).
 */
export function limitMessages(
  limits: TelegramLimits,
): (chat: { readonly id: number; readonly type: string }, nowMs: number) => number | undefined {
  const overall: Window = { max: limits.perSecond, lengthMs: SECOND_MS, passedMs: [] };
  const chats = new Map<string, Window>();
  const windowOf = (key: string, max: number, lengthMs: number): Window => {
    const window = chats.get(key) ?? { max, lengthMs, passedMs: [] };
    chats.set(key, window);
    return window;
  };
  return (chat, nowMs) => {
    const windows = [overall, windowOf(`${chat.id} second`, limits.chatPerSecond, SECOND_MS)];
    if (chat.type !== 'private') {
      windows.push(windowOf(`${chat.id} minute`, limits.groupPerMinute, MINUTE_MS));
    }
    const longestMs = Math.max(...windows.map((window) => waitMs(window, nowMs)));
    if (longestMs > 0) return Math.max(1, Math.ceil(longestMs / 1000));
    for (const window of windows) window.passedMs.push(nowMs);
    return undefined;
  };
}
