/**
 * Takes rows of the outbox of one chat, sends them in their order.
 * Keeps: a row goes out after the one before it was settled; what a chat refuses for good is told elsewhere; whoever asks there is
 * answered before the next row, and what they muted meanwhile is not sent.
 */
import { hasBulletins, postTrouble } from './bulletins.ts';
import { type Delivered, type Delivery, deliverParcel, noteDown, sleep } from './deliver-parcel.ts';
import { markFailed, markSending, markSent, markTried, type OutboxRow } from './outbox.ts';

/** Sends until the rows are settled, somebody waits for an answer, or `signal` is aborted. */
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
    if (signal.aborted || (await isAsked(row.chatId, delivery))) return;
  }
}

/** Where PostgreSQL cannot say it, the rows go on. */
const isAsked = async (chatId: string, { sql }: Delivery): Promise<boolean> =>
  hasBulletins(sql, chatId).catch(() => false);

async function deliver(row: OutboxRow, delivery: Delivery, signal: AbortSignal): Promise<void> {
  const { sql, bot, abandon, counts } = delivery;
  const message = delivery.write(row);
  const buttons = delivery.buttonsOf(row);
  let isOurs = false;
  await noteDown(async () => {
    isOurs = await markSending(sql, row);
  }, signal);
  if (signal.aborted || !isOurs) return;
  if (row.wasSending) counts.maybeTwice += 1;
  const delivered = await deliverParcel(
    {
      chatId: row.chatId,
      ruleId: row.ruleId,
      post: async (chatId, mode) =>
        bot.send(
          chatId,
          { text: mode === 'HTML' ? message.html : message.plain, mode, buttons },
          abandon,
        ),
      tried: async (reason, delayMs, isUnknown) => {
        if (await markTried(sql, row.id, { reason, delayMs, isUnknown })) counts.maybeTwice += 1;
      },
    },
    delivery,
    signal,
  );
  if (delivered.outcome === 'done') {
    delivery.sentRows.set(row.id, delivered.messageId);
    delivery.told((delivery.now() - row.eventAtMs) / 1000);
  }
  if (delivered.outcome === 'refused') await giveUp(row, delivered, delivery, signal);
}

/** What the whole chat refuses is heard elsewhere. */
async function giveUp(
  row: OutboxRow,
  { reason, isChat }: Extract<Delivered, { readonly outcome: 'refused' }>,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<void> {
  const { fallback } = delivery.elsewhere();
  const elsewhere = isChat && fallback !== row.chatId ? fallback : undefined;
  await noteDown(async () => markFailed(delivery.sql, row.id, reason, elsewhere), signal);
  if (isChat) await noteDown(async () => postTrouble(delivery, row.chatId, reason), signal);
}
