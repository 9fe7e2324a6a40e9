/**
 * Takes the pending rows of one chat in their order, sends them one after the other and writes down what became of each.
 * Keeps: order within the chat; a row is left only when it is sent, or refused for good.
 */
import { type Delivery, deliverParcel, noteDown, sleep } from './deliver-parcel.ts';
import { markFailed, markSent, markTried, type OutboxRow } from './outbox.ts';

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
      await noteDown(async () => markSent(delivery.sql, row.id, messageId), signal);
      if (!signal.aborted) delivery.sentRows.delete(row.id);
    }
    if (signal.aborted) return;
  }
}

async function deliver(row: OutboxRow, delivery: Delivery, signal: AbortSignal): Promise<void> {
  const { sql, bot, abandon } = delivery;
  const message = delivery.write(row);
  const delivered = await deliverParcel(
    {
      chatId: row.chatId,
      ruleId: row.ruleId,
      post: async (chatId, mode) =>
        bot.send(chatId, mode === 'HTML' ? message.html : message.plain, mode, abandon),
      tried: async (reason, delayMs) => markTried(sql, row.id, reason, delayMs),
    },
    delivery,
    signal,
  );
  if (delivered.outcome === 'done') delivery.sentRows.set(row.id, delivered.messageId);
  if (delivered.outcome === 'refused') {
    await noteDown(async () => markFailed(sql, row.id, delivered.reason), signal);
  }
}
