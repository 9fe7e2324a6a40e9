/**
 * The leader's work: reads the outbox, gives each chat's rows to a delivery of its own.
 * Keeps: one delivery a chat, so that order holds; a slow or throttled chat delays no other.
 */
import { pause } from '@launchbeat/ecs-schemas/beat';
import { type Delivery, deliverRows } from './deliver-rows.ts';
import { countPending, readPending } from './outbox.ts';

/** Chats that are written to at once. */
const CHATS_MAX = 20;
const POLL_MS = 1_000;
const COUNT_MS = 5_000;

export interface DrainOptions {
  readonly delivery: Delivery;
  readonly signal: AbortSignal;
  /** Resolves when there may be something new. */
  readonly woken: () => Promise<void>;
  readonly onPending: (pending: number) => void;
}

/** Works until aborted. Rejects when PostgreSQL cannot be read; deliveries that run are ended first. */
export async function drainOutbox(options: DrainOptions): Promise<void> {
  const { delivery, onPending } = options;
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const busy = new Map<string, Promise<void>>();
  let countAtMs = 0;
  try {
    while (!signal.aborted) {
      const woken = options.woken();
      if (performance.now() >= countAtMs) {
        onPending(await countPending(delivery.sql));
        countAtMs = performance.now() + COUNT_MS;
      }
      const room = CHATS_MAX - busy.size;
      const chats = room > 0 ? await readPending(delivery.sql, [...busy.keys()], room) : new Map();
      for (const [chatId, rows] of chats) {
        const delivered = deliverRows(rows, delivery, signal).finally(() => busy.delete(chatId));
        busy.set(chatId, delivered);
      }
      const poll = pause(POLL_MS, signal);
      await Promise.race([woken, poll, ...busy.values()]);
    }
  } finally {
    over.abort();
    await Promise.allSettled(busy.values());
  }
}
