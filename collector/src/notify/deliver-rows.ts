/**
 * Takes the pending rows of one chat in their order, sends them one after the other and writes down what became of each.
 * Keeps: order within the chat; a row is left only when it is sent, or refused for good. Delivery is at least once: when
 * Telegram's answer is lost, or this process dies between the answer and its note, the message is sent again.
 */
import { backoffMs, pause } from '@launchbeat/ecs-schemas/beat';
import type { Sql } from '../commit/database.ts';
import type { OutageLog } from './outage-log.ts';
import { markFailed, markSent, markTried, type OutboxRow } from './outbox.ts';
import type { Pace } from './pace.ts';
import type { Bot, SendOutcome } from './send-message.ts';
import type { TelegramConfig } from './telegram-config.ts';
import type { WriteMessage } from './write-message.ts';

/** What the chats share. */
export interface Delivery {
  readonly sql: Sql;
  readonly config: TelegramConfig;
  readonly bot: Bot;
  readonly write: WriteMessage;
  readonly pace: Pace;
  readonly outage: OutageLog;
  readonly counts: DeliveryCounters;
  /** Sent, but PostgreSQL does not know yet: row → Telegram's message id. */
  readonly sentRows: Map<string, number>;
  /** Chats that Telegram gave another id. */
  readonly movedChats: Map<string, string>;
  /** Ends a request in flight. */
  readonly abandon: AbortSignal;
}

/** Counters that only rise. */
export interface DeliveryCounters {
  sent: number;
  /** Messages that will never be sent. */
  failed: number;
  /** Attempts that must be repeated. */
  retries: number;
}

const DATABASE_RETRY_MS = 1_000;

/** Sends until the rows are settled or `signal` is aborted. */
export async function deliverRows(
  rows: readonly OutboxRow[],
  delivery: Delivery,
  signal: AbortSignal,
): Promise<void> {
  await sleep(rows[0]?.waitMs ?? 0, signal);
  for (const row of rows) {
    if (!delivery.sentRows.has(row.id)) await deliver(row, delivery, signal);
    const messageId = delivery.sentRows.get(row.id);
    if (messageId !== undefined) {
      await note(async () => markSent(delivery.sql, row.id, messageId), signal);
      if (!signal.aborted) delivery.sentRows.delete(row.id);
    }
    if (signal.aborted) return;
  }
}

async function deliver(row: OutboxRow, delivery: Delivery, signal: AbortSignal): Promise<void> {
  const message = delivery.write(row);
  let mode: 'HTML' | 'plain' = 'HTML';
  for (let attempt = 1; ; ) {
    const chatId = delivery.movedChats.get(row.chatId) ?? row.chatId;
    await place(chatId, delivery.pace, signal);
    if (signal.aborted) return;
    const text = mode === 'HTML' ? message.html : message.plain;
    const answer = await delivery.bot.send(chatId, text, mode, delivery.abandon);
    if (answer.outcome === 'bad_markup' && mode === 'HTML') {
      sayBadMarkup(row, answer.reason, delivery.outage);
      mode = 'plain';
      continue;
    }
    if (await settle(row, answer, delivery, signal)) return;
    if (answer.outcome === 'retry') attempt += 1;
    await waitAfter(row, { answer, chatId, attempt }, delivery, signal);
  }
}

function sayBadMarkup(row: OutboxRow, reason: string, outage: OutageLog): void {
  outage.person(
    `markup ${row.ruleId}`,
    reason,
    `Telegram cannot read the markup of rule ${row.ruleId}; its messages go as plain text. Mend its template in alerts.yml.`,
  );
}

interface Failed {
  readonly answer: SendOutcome;
  readonly chatId: string;
  /** From 2: the attempt to come. */
  readonly attempt: number;
}

async function waitAfter(
  row: OutboxRow,
  failed: Failed,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<void> {
  const delayMs = waitMs(failed, delivery);
  const { answer } = failed;
  if ('reason' in answer) {
    // For people who look at the table, and for a restart.
    await markTried(delivery.sql, row.id, answer.reason, delayMs).catch(() => undefined);
  }
  // A throttled chat is waited for in its place.
  await sleep(answer.outcome === 'throttled' ? 0 : delayMs, signal);
}

/** Waits for the chat's place, and longer where Telegram told to wait meanwhile. */
async function place(chatId: string, pace: Pace, signal: AbortSignal): Promise<void> {
  const nowMs = performance.now();
  await sleep(pace.book(chatId, nowMs) - nowMs, signal);
  for (;;) {
    const leftMs = pace.pausedUntilMs(chatId) - performance.now();
    if (leftMs <= 0 || signal.aborted) return;
    await sleep(leftMs, signal);
  }
}

/** True if the row is done with. */
async function settle(
  row: OutboxRow,
  answer: SendOutcome,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<boolean> {
  const { counts, outage, sql } = delivery;
  if (answer.outcome === 'done') {
    counts.sent += 1;
    delivery.sentRows.set(row.id, answer.messageId);
    outage.recovered();
    return true;
  }
  if (answer.outcome === 'refused' || answer.outcome === 'bad_markup') {
    counts.failed += 1;
    outage.person(
      `chat ${row.chatId}`,
      answer.reason,
      `Telegram refuses messages to chat ${row.chatId}; they stay in the table alerts as failed. Check the chat in alerts.yml, and that the bot may write there.`,
    );
    await note(async () => markFailed(sql, row.id, answer.reason), signal);
    return true;
  }
  return false;
}

/** How long this row waits before it is tried again; tells the pace and the log what happened. */
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
      pace.pauseAll(nowMs + config.backoff.max);
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
    case 'refused':
    case 'bad_markup':
      return 0;
  }
}

/** Repeats until PostgreSQL has it, or `signal` is aborted. */
async function note(write: () => Promise<void>, signal: AbortSignal): Promise<void> {
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

async function sleep(delayMs: number, signal: AbortSignal): Promise<void> {
  if (delayMs > 0) await pause(delayMs, signal);
}
