/**
 * Messages that are no alerts: answers to people, receipts, trouble, and edits of alerts that somebody took on. Table bulletins.
 * Keeps: what is to be said is in the table before it is sent; of one topic a chat hears once.
 */
import type { Sql, TransactionSql } from '../commit/database.ts';
import { storableText } from '../commit/storable-text.ts';
import { type Delivery, deliverParcel, noteDown } from './deliver-parcel.ts';
import type { SendOutcome } from './send-message.ts';
import { visibleText } from './visible-text.ts';
import { wordsOf } from './words.ts';
import { escapeHtml, type Message } from './write-message.ts';

export interface Bulletin {
  /** Address of the chat. */
  readonly chatId: string;
  readonly kind: 'answer' | 'receipt' | 'trouble' | 'edit';
  /** Said once to a chat. */
  readonly topic: string;
  readonly message: Message;
  /** Of edit: the alert whose message it changes. */
  readonly alertId?: string;
}

/** A text that has no markup. */
export const plainMessage = (plain: string): Message => ({ html: escapeHtml(plain), plain });

/** Puts it in line; what was said already is not said again. */
export async function postBulletin(
  sql: Sql | TransactionSql,
  { chatId, kind, topic, message, alertId }: Bulletin,
): Promise<void> {
  await sql`
    insert into bulletins (chat_id, kind, topic, html, plain, alert_id)
    values (${chatId}, ${kind}, ${storableText(topic)}, ${storableText(message.html)},
      ${storableText(message.plain)}, ${alertId ?? null})
    on conflict (chat_id, topic) do nothing`;
}

const HOUR_MS = 3_600_000;

/** Tells whoever cares that a chat takes no messages, once an hour. */
export async function postTrouble(
  delivery: Pick<Delivery, 'sql' | 'elsewhere' | 'language' | 'now'>,
  chatId: string,
  reason: string,
): Promise<void> {
  const { ops, fallback } = delivery.elsewhere();
  const teller = [ops, fallback].find((one) => one !== undefined && one !== chatId);
  if (teller === undefined) return;
  await postBulletin(delivery.sql, {
    chatId: teller,
    kind: 'trouble',
    topic: `chat ${chatId} ${Math.floor(delivery.now() / HOUR_MS)}`,
    message: plainMessage(wordsOf(delivery.language()).chatRefuses(chatId, visibleText(reason))),
  });
}

export interface BulletinRow {
  readonly id: string;
  readonly chatId: string;
  readonly kind: Bulletin['kind'];
  readonly message: Message;
  /** Of edit: what there is to change; absent = the alert has no message. */
  readonly edits: { readonly alertId: string; readonly messageId: number } | undefined;
}

const ROWS_MAX = 100;

/** What is to be said, oldest first. */
export async function readBulletins(
  sql: Sql,
  busy: readonly string[],
): Promise<ReadonlyMap<string, BulletinRow[]>> {
  const rows = await sql<
    {
      id: string;
      chat_id: string;
      kind: Bulletin['kind'];
      html: string;
      plain: string;
      alert_id: string | null;
      message_id: string | null;
    }[]
  >`
    select bulletins.id, bulletins.chat_id, kind, html, plain, alert_id, alerts.message_id
    from bulletins left join alerts on alerts.id = alert_id
    where bulletins.state = 'pending' and bulletins.chat_id <> all(${[...busy]}::text[])
    order by bulletins.id limit ${ROWS_MAX}`;
  return Map.groupBy(
    rows.map(
      (row): BulletinRow => ({
        id: row.id,
        chatId: row.chat_id,
        kind: row.kind,
        message: { html: row.html, plain: row.plain },
        edits:
          row.alert_id === null || row.message_id === null
            ? undefined
            : { alertId: row.alert_id, messageId: Number(row.message_id) },
      }),
    ),
    (row) => row.chatId,
  );
}

/** Whether somebody waits for one in a chat. */
export async function hasBulletins(sql: Sql, chatId: string): Promise<boolean> {
  const [row] = await sql<{ waits: boolean }[]>`
    select exists (select from bulletins where state = 'pending' and chat_id = ${chatId}) as waits`;
  return row?.waits === true;
}

/** Sends until they are settled or `signal` is aborted. */
export async function deliverBulletins(
  rows: readonly BulletinRow[],
  delivery: Delivery,
  signal: AbortSignal,
): Promise<void> {
  for (const row of rows) {
    if (signal.aborted) return;
    await deliver(row, delivery, signal);
  }
}

async function deliver(row: BulletinRow, delivery: Delivery, signal: AbortSignal): Promise<void> {
  const { sql, bot, abandon, buttonsOf } = delivery;
  const { edits, message } = row;
  const post = async (chatId: string, mode: 'HTML' | 'plain'): Promise<SendOutcome> => {
    const text = mode === 'HTML' ? message.html : message.plain;
    if (row.kind !== 'edit') return await bot.send(chatId, { text, mode }, abandon);
    if (edits === undefined) return { outcome: 'gone' };
    const { alertId, messageId } = edits;
    const buttons = buttonsOf({ id: alertId, chatId: row.chatId, isAcked: true });
    return await bot.edit({ chatId, messageId }, { text, mode, buttons }, abandon);
  };
  const delivered = await deliverParcel(
    {
      chatId: row.chatId,
      ruleId: '',
      post,
      tried: async (reason) => {
        await sql`update bulletins set attempts = attempts + 1, last_error = ${reason} where id = ${row.id}`;
      },
    },
    delivery,
    signal,
  );
  if (delivered.outcome === 'stopped') return;
  const isDone = delivered.outcome === 'done';
  const failed = delivered.outcome === 'refused' ? delivered.reason : 'the message is gone';
  await noteDown(async () => {
    await sql`
      update bulletins set state = ${isDone ? 'sent' : 'failed'}, attempts = attempts + 1, sent_at = now(),
        message_id = ${isDone ? delivered.messageId : null}, last_error = ${isDone ? null : failed}
      where id = ${row.id} and state = 'pending'`;
  }, signal);
}
