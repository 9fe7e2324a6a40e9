/**
 * Asks Telegram for what people write to the bots and press, by long polling, and hands it on; one loop for each bot that listens.
 * Keeps: an update is taken once: how far they were taken is written in the transaction of what they change. Whatever cannot be
 * answered stops nothing.
 * Source: https://core.telegram.org/bots/api#getupdates
 */
import { backoffMs, type Log, pause } from '@launchbeat/ecs-schemas/beat';
import type { Api } from 'grammy';
import type { Update } from 'grammy/types';
import { readAddress } from '../assess/chat-address.ts';
import type { Sql } from '../commit/database.ts';
import { type Asking, answerUpdate } from './answer-update.ts';
import { type Bots, POLL_SECONDS } from './create-bots.ts';
import type { Voice } from './create-voice.ts';
import { answerPress, explain, nameOf } from './send-message.ts';
import type { TelegramConfig } from './telegram-config.ts';

export interface TakeUpdatesOptions {
  readonly sql: Sql;
  readonly config: TelegramConfig;
  readonly bots: Bots;
  readonly voice: () => Voice;
  /** Chats that Telegram gave another id: old address → new one. */
  readonly movedChats: ReadonlyMap<string, string>;
  readonly counts: { asked: number; strangers: number };
  readonly offlineAfterMs: number;
  /** There are new messages. */
  readonly wake: () => void;
  readonly log: Log;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** So often is looked whether the file lets people ask now. */
const IDLE_MS = 1_000;
const CONFLICT_MS = 10_000;
const HOUR_MS = 3_600_000;

/** Works until aborted. Never rejects. */
export async function takeUpdates(options: TakeUpdatesOptions): Promise<void> {
  const listening = { ...options, saidAtMs: new Map<string, number>() };
  const loops = [...options.bots.pollers].map(async ([bot, api]) => listen(listening, bot, api));
  await Promise.all(loops);
}

interface Listening extends TakeUpdatesOptions {
  /** Stranger → when the log named them last. */
  readonly saidAtMs: Map<string, number>;
}

async function listen(options: Listening, bot: string, poller: Api): Promise<void> {
  const { signal, voice, config } = options;
  let name: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    const isAsked = voice().asking.some((address) => readAddress(address).bot === bot);
    if (!isAsked) {
      await pause(IDLE_MS, signal);
      continue;
    }
    try {
      name ??= await nameOf(poller);
      await takeOnce(options, { bot, name, poller });
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      const isConflict = sayWhy(options, bot, error);
      await pause(isConflict ? CONFLICT_MS : backoffMs(failures, config.backoff), signal);
    }
  }
}

interface Listener {
  readonly bot: string;
  readonly name: string;
  readonly poller: Api;
}

async function takeOnce(options: Listening, listener: Listener): Promise<void> {
  const { sql, signal } = options;
  const { bot, poller } = listener;
  const [row] = await sql<{ next_id: string }[]>`
    select next_id from bot_updates where bot = ${bot}`;
  const updates = await poller.getUpdates(
    {
      ...(row === undefined ? {} : { offset: Number(row.next_id) }),
      timeout: POLL_SECONDS,
      allowed_updates: ['message', 'callback_query'],
    },
    signal as Parameters<Api['getUpdates']>[1],
  );
  for (const update of updates) {
    if (signal.aborted) return;
    await takeUpdate(options, listener, update);
  }
}

async function takeUpdate(
  options: Listening,
  { bot, name }: Listener,
  update: Update,
): Promise<void> {
  const { sql, voice, bots, counts, wake, signal, movedChats } = options;
  const asking: Asking = {
    ...{ bot, botName: name, voice: voice(), nowMs: options.now() },
    ...{ movedChats, offlineAfterMs: options.offlineAfterMs },
  };
  const answer = await answerUpdate(sql, update, asking);
  const isNew = await sql.begin(async (transaction) => {
    const taken = await transaction`
      insert into bot_updates (bot, next_id) values (${bot}, ${update.update_id + 1})
      on conflict (bot) do update set next_id = excluded.next_id where bot_updates.next_id < excluded.next_id
      returning next_id`;
    if (taken.length > 0 && answer.outcome === 'done') await answer.write(transaction);
    return taken.length > 0;
  });
  if (!isNew) return;
  if (answer.outcome === 'stranger') {
    counts.strangers += 1;
    sayStranger(options, answer.who);
  }
  if (answer.outcome === 'done') {
    counts.asked += 1;
    wake();
  }
  const api = bots.apis.get(bot);
  if ('press' in answer && answer.press !== undefined && api !== undefined) {
    await answerPress(api, answer.press.queryId, answer.press.text(), signal);
  }
}

const STRANGERS_MAX = 1000;

/** Once an hour for each, so that an admin finds the id that is missing in the config. */
function sayStranger({ log, now, saidAtMs }: Listening, who: string): void {
  const nowMs = now();
  if (nowMs - (saidAtMs.get(who) ?? Number.NEGATIVE_INFINITY) < HOUR_MS) return;
  if (saidAtMs.size >= STRANGERS_MAX) saidAtMs.clear();
  saidAtMs.set(who, nowMs);
  log.warn(
    {},
    `Somebody who may not asked a bot: ${who}. If this is one of yours, add the id to commands in alerts.yml.`,
  );
}

/** Gives whether another program listens to the same bot. */
function sayWhy({ log }: TakeUpdatesOptions, bot: string, error: unknown): boolean {
  const explained = explain(error);
  const reason = 'reason' in explained ? explained.reason : explained.outcome;
  const isConflict = reason.startsWith('HTTP 409');
  log.warn(
    { 'error.message': reason },
    isConflict
      ? `Another program takes the updates of the bot${bot === '' ? '' : ` ${bot}`}, or it has a webhook: people get no answers. End the other one, or give Launchbeat a bot of its own.`
      : 'Telegram cannot be asked for what people write; it is tried again.',
  );
  return isConflict;
}
