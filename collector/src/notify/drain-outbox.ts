/**
 * The leader's work: has the fates decided, reads what is to be sent, gives each chat's to a delivery of its own.
 * Keeps: one delivery a chat, so that order holds; a slow or throttled chat delays no other.
 */
import { pause } from '@launchbeat/ecs-schemas/beat';
import { type BulletinRow, deliverBulletins, readBulletins } from './bulletins.ts';
import { deliverNotices } from './deliver-notices.ts';
import type { Delivery } from './deliver-parcel.ts';
import { deliverRows } from './deliver-rows.ts';
import { type NoticeRow, readNotices } from './notices.ts';
import { countPending, type OutboxRow, readPending } from './outbox.ts';

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
  /** Decides the fates of new rows, before they are read; gives whether there are more. */
  readonly triage: (signal: AbortSignal) => Promise<boolean>;
  /** Whether rows wait for the triage. */
  readonly triaged: () => boolean;
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
      const isMore = await options.triage(signal);
      const room = CHATS_MAX - busy.size;
      for (const [chatId, load] of room > 0
        ? await readLoads(options, [...busy.keys()], room)
        : []) {
        const delivered = deliverLoad(load, delivery, signal).finally(() => busy.delete(chatId));
        // One that fails is seen by the race below, or at the end.
        delivered.catch(() => undefined);
        busy.set(chatId, delivered);
      }
      if (isMore) continue;
      const poll = pause(POLL_MS, signal);
      await Promise.race([woken, poll, ...busy.values()]);
    }
  } finally {
    over.abort();
    await Promise.allSettled(busy.values());
  }
}

/** What one chat is to hear now. */
interface Load {
  readonly bulletins: readonly BulletinRow[];
  readonly notices: readonly NoticeRow[];
  readonly rows: readonly OutboxRow[];
}

async function readLoads(
  { delivery, triaged }: DrainOptions,
  busy: readonly string[],
  chatsMax: number,
): Promise<[string, Load][]> {
  const { sql, now } = delivery;
  const rows = await readPending(sql, { busy, chatsMax, triaged: triaged() });
  const notices = await readNotices(sql, busy, now());
  const bulletins = await readBulletins(sql, busy);
  return [...new Set([...bulletins.keys(), ...notices.keys(), ...rows.keys()])]
    .slice(0, chatsMax)
    .map((chatId) => [
      chatId,
      {
        bulletins: bulletins.get(chatId) ?? [],
        notices: notices.get(chatId) ?? [],
        rows: rows.get(chatId) ?? [],
      },
    ]);
}

/** Whoever asked hears first. Closed notices next: they are about what came before. A storm comes after the rows that it followed. */
async function deliverLoad(load: Load, delivery: Delivery, signal: AbortSignal): Promise<void> {
  const closed = load.notices.filter((one) => one.state === 'pending');
  const storms = load.notices.filter((one) => one.state === 'open');
  await deliverBulletins(load.bulletins, delivery, signal);
  await deliverNotices(closed, delivery, signal);
  await deliverRows(load.rows, delivery, signal);
  await deliverNotices(storms, delivery, signal);
}
