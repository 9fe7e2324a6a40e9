/**
 * Takes the notices of one chat in their order: sends or edits their messages, then their lists.
 * Keeps: what the chat has seen is written down after each step, so that a restart repeats one step at most; of a list only one
 * part is in memory.
 */
import { postBulletin, postTrouble } from './bulletins.ts';
import { type Delivered, type Delivery, deliverParcel, noteDown } from './deliver-parcel.ts';
import {
  markListed,
  markNoticeDone,
  markNoticeTried,
  markTold,
  type NoticeRow,
  readGroups,
  readListed,
} from './notices.ts';
import type { Posted, SendOutcome, TextMode } from './send-message.ts';
import { GROUPS_SHOWN, hasList } from './write-notice.ts';

/** Telegram takes 50 MB from a bot; a person's phone rather less. */
const PART_BYTES_MAX = 4 * 1024 * 1024;
const LIST_ROWS = 500;

/** Sends until the notices are settled or `signal` is aborted. Rejects when PostgreSQL cannot be read. */
export async function deliverNotices(
  notices: readonly NoticeRow[],
  delivery: Delivery,
  signal: AbortSignal,
): Promise<void> {
  for (const notice of notices) {
    if (signal.aborted) return;
    const delivered = await deliverNotice(notice, delivery, signal);
    if (delivered.outcome === 'refused') await giveUp(notice, delivered, delivery, signal);
    if (delivered.outcome === 'done' && notice.state === 'pending') {
      await noteDown(async () => markNoticeDone(delivery.sql, notice.id), signal);
    }
  }
}

async function deliverNotice(
  notice: NoticeRow,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<Delivered> {
  const groups =
    notice.kind === 'suppressed' ? [] : await readGroups(delivery.sql, notice.id, GROUPS_SHOWN);
  const message = delivery.writeNotice(notice, groups);
  const { bot, abandon } = delivery;
  const posted = (mode: TextMode): Posted => ({
    text: mode === 'HTML' ? message.html : message.plain,
    mode,
  });
  const send = async (chatId: string, mode: TextMode): Promise<SendOutcome> =>
    bot.send(chatId, posted(mode), abandon);
  const { messageId } = notice;
  let told: Delivered =
    messageId === undefined
      ? { outcome: 'gone' }
      : await deliver(notice, delivery, signal, async (chatId, mode) =>
          bot.edit({ chatId, messageId }, posted(mode), abandon),
        );
  // Not there yet, or somebody deleted it.
  if (told.outcome === 'gone') told = await deliver(notice, delivery, signal, send);
  if (told.outcome !== 'done') return told;
  const shownId = told.messageId;
  await noteDown(async () => markTold(delivery.sql, notice, shownId, delivery.now()), signal);
  const rest = notice.count - groups.reduce((sum, one) => sum + one.count, 0);
  const isListed = notice.state === 'pending' && hasList(notice, rest);
  return isListed ? await deliverList(notice, delivery, signal) : told;
}

async function deliver(
  notice: NoticeRow,
  delivery: Delivery,
  signal: AbortSignal,
  post: (chatId: string, mode: TextMode) => Promise<SendOutcome>,
): Promise<Delivered> {
  const tried = async (reason: string): Promise<void> =>
    markNoticeTried(delivery.sql, notice.id, reason);
  const parcel = { chatId: notice.chatId, ruleId: notice.last.ruleId, post, tried };
  return await deliverParcel(parcel, delivery, signal);
}

/**
 * A refused storm that is still open would be tried again at once: it waits until it has grown. What the whole chat refuses is
 * told elsewhere once it is whole.
 */
async function giveUp(
  notice: NoticeRow,
  { reason, isChat }: Extract<Delivered, { readonly outcome: 'refused' }>,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<void> {
  const { sql, now } = delivery;
  if (isChat) await noteDown(async () => postTrouble(delivery, notice.chatId, reason), signal);
  const { fallback } = delivery.elsewhere();
  if (isChat && notice.state === 'pending' && fallback !== undefined) {
    await noteDown(async () => tellElsewhere(notice, fallback, delivery), signal);
  }
  await noteDown(async () => {
    if (notice.state === 'pending') await markNoticeDone(sql, notice.id, reason);
    else await markTold(sql, notice, notice.messageId ?? 0, now());
  }, signal);
}

async function tellElsewhere(
  notice: NoticeRow,
  fallback: string,
  delivery: Delivery,
): Promise<void> {
  if (fallback === notice.chatId) return;
  const { sql, writeNotice } = delivery;
  const groups = notice.kind === 'suppressed' ? [] : await readGroups(sql, notice.id, GROUPS_SHOWN);
  const message = writeNotice(notice, groups);
  await postBulletin(sql, {
    ...{ chatId: fallback, kind: 'trouble', topic: `notice ${notice.id}`, message },
  });
}

/** The whole list, in as many files as it takes. */
async function deliverList(
  notice: NoticeRow,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<Delivered> {
  const { sql, bot, abandon, listWords } = delivery;
  let listedTo = notice.listedTo;
  let last: Delivered = { outcome: 'done', messageId: 0 };
  for (let part = 1; ; part += 1) {
    const { text, upTo } = await readPart(notice.id, listedTo, delivery);
    if (upTo === listedTo) return last;
    const name = `launchbeat-${notice.kind}-${notice.id.slice(0, 8)}-${part}.csv`;
    const file = { name, bytes: Buffer.from(text), caption: listWords(part) };
    last = await deliver(notice, delivery, signal, async (chatId) =>
      bot.document(chatId, file, abandon),
    );
    if (last.outcome !== 'done') return last;
    listedTo = upTo;
    await noteDown(async () => markListed(sql, notice.id, upTo), signal);
  }
}

async function readPart(
  id: string,
  after: string,
  { sql, csv }: Delivery,
): Promise<{ readonly text: string; readonly upTo: string }> {
  const lines = [csv.head()];
  let bytes = 0;
  let upTo = after;
  while (bytes < PART_BYTES_MAX) {
    const rows = await readListed(sql, id, upTo, LIST_ROWS);
    for (const row of rows) {
      const line = csv.line(row.fields);
      bytes += Buffer.byteLength(line);
      lines.push(line);
      upTo = row.id;
      if (bytes >= PART_BYTES_MAX) break;
    }
    if (rows.length < LIST_ROWS) break;
  }
  return { text: lines.join(''), upTo };
}
