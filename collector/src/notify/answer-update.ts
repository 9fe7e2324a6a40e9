/**
 * Takes one update of Telegram (a message, or a press of a button), says what is answered and what changes by it.
 * Keeps: only people and chats of alerts.yml are answered; what is asked stands in the audit log, in the transaction of its change.
 */
import { createHash } from 'node:crypto';
import type { Update } from 'grammy/types';
import { readAddress, writeAddress } from '../assess/chat-address.ts';
import type { Sql, TransactionSql } from '../commit/database.ts';
import { audit } from '../fleet/audit.ts';
import { answerCommand, readCommand } from './answer-command.ts';
import { plainMessage, postBulletin } from './bulletins.ts';
import type { Voice } from './create-voice.ts';
import { answerButton } from './press-button.ts';
import { cutMiddle, visibleText } from './visible-text.ts';
import { MESSAGE_UNITS_MAX } from './write-message.ts';

/** What an answer depends on. */
export interface Asking {
  /** Name of the bot in the config; empty = the first one. */
  readonly bot: string;
  /** Its name at Telegram, with @. */
  readonly botName: string;
  readonly voice: Voice;
  readonly movedChats: ReadonlyMap<string, string>;
  readonly offlineAfterMs: number;
  /** Unix milliseconds. */
  readonly nowMs: number;
}

/** Who asks, and where. */
export interface Asker {
  /** As Telegram names the person; shown as it is. */
  readonly name: string;
  /** For the audit log. */
  readonly actor: string;
  /** Address of the chat as alerts.yml has it: alerts and mutes stand under it. */
  readonly chatId: string;
  /** Address that the answer goes to. */
  readonly replyTo: string;
}

/** What is said and done. */
export interface Reply {
  /** What stands in the audit log: `telegram.<action>`. */
  readonly action: string;
  readonly subject: string;
  readonly detail: Readonly<Record<string, string>>;
  /** Plain text of the answer; empty = none. */
  readonly text: string;
  /** Changes tables; gives the text where that depends on them. */
  readonly change?: (sql: TransactionSql) => Promise<string>;
}

export type Answer =
  | {
      readonly outcome: 'done';
      readonly write: (sql: TransactionSql) => Promise<unknown>;
      readonly press?: Press;
    }
  /** Nobody whom the file names. */
  | { readonly outcome: 'stranger'; readonly who: string; readonly press?: Press }
  /** Nothing to answer. */
  | { readonly outcome: 'ignored' };

/** What the person sees at the button. */
interface Press {
  readonly queryId: string;
  readonly text: () => string;
}

/** Messages that are older were written to a bot that was away; nobody waits for the answer. */
const AGE_MAX_MS = 10 * 60_000;

/** Works out the answer; only reads. Never rejects. */
export async function answerUpdate(sql: Sql, update: Update, asking: Asking): Promise<Answer> {
  const { message, callback_query: query } = update;
  if (query !== undefined) return await answerQuery(sql, query, asking);
  if (message?.text === undefined || message.from === undefined) return { outcome: 'ignored' };
  const command = readCommand(message.text, asking.botName);
  if (command === undefined || asking.nowMs - message.date * 1000 > AGE_MAX_MS) {
    return { outcome: 'ignored' };
  }
  const place = {
    chat: message.chat.id,
    topic: message.is_topic_message === true ? message.message_thread_id : undefined,
  };
  const asker = askerOf(message.from, place, asking);
  if (typeof asker === 'string') return { outcome: 'stranger', who: asker };
  const reply = await readable(async () => answerCommand(sql, command, asker, asking), asking, {
    ...{ action: command.name, subject: asker.chatId, detail: { words: command.words.join(' ') } },
  });
  return { outcome: 'done', write: writerOf(reply, asker, `answer ${update.update_id}`) };
}

type Query = NonNullable<Update['callback_query']>;

async function answerQuery(sql: Sql, query: Query, asking: Asking): Promise<Answer> {
  const { message, from, data = '' } = query;
  const isRu = asking.voice.alerts.language === 'ru';
  const no = { queryId: query.id, text: () => (isRu ? 'Вам нельзя' : 'You may not') };
  if (message === undefined) return { outcome: 'stranger', who: `user ${from.id}`, press: no };
  const topic = 'message_thread_id' in message ? message.message_thread_id : undefined;
  const asker = askerOf(from, { chat: message.chat.id, topic }, asking);
  if (typeof asker === 'string') return { outcome: 'stranger', who: asker, press: no };
  const fallback = { action: 'press', subject: asker.chatId, detail: {} };
  const reply = await readable(
    async () => answerButton(sql, data, asker, asking),
    asking,
    fallback,
  );
  const write = writerOf(
    reply,
    asker,
    `press ${createHash('sha256').update(query.id).digest('hex')}`,
  );
  let shown = '';
  return {
    outcome: 'done',
    write: async (transaction) => {
      shown = await write(transaction);
    },
    press: { queryId: query.id, text: () => shown.split('\n', 1)[0] ?? '' },
  };
}

/** What cannot be read is said, and stops nothing. */
async function readable(
  read: () => Promise<Reply>,
  asking: Asking,
  otherwise: Pick<Reply, 'action' | 'subject' | 'detail'>,
): Promise<Reply> {
  try {
    return await read();
  } catch {
    const text =
      asking.voice.alerts.language === 'ru'
        ? 'Не получилось: база данных не ответила вовремя. Спросите ещё раз или уточните вопрос.'
        : 'It did not work: the database gave no answer in time. Ask again, or ask for less.';
    return { ...otherwise, text };
  }
}

/** Gives what was said. */
function writerOf(
  reply: Reply,
  asker: Asker,
  topic: string,
): (sql: TransactionSql) => Promise<string> {
  return async (sql) => {
    const changed = await reply.change?.(sql);
    const text = changed ?? reply.text;
    const { action, subject, detail } = reply;
    await audit(sql, {
      ...{ actor: asker.actor, action: `telegram.${action}`, subject },
      detail: { ...detail, name: visibleText(asker.name), chat: asker.chatId },
    });
    if (text !== '' && reply.text !== '') {
      const message = plainMessage(cutMiddle(text, MESSAGE_UNITS_MAX));
      await postBulletin(sql, { chatId: asker.replyTo, kind: 'answer', topic, message });
    }
    return text;
  };
}

interface From {
  readonly id: number;
  readonly first_name: string;
  readonly last_name?: string | undefined;
  readonly username?: string | undefined;
}

/** Who asks; or, if the file does not name them, what it would have to name. */
function askerOf(
  from: From,
  place: { readonly chat: number; readonly topic: number | undefined },
  { bot, voice, movedChats }: Asking,
): Asker | string {
  const stranger = `user ${from.id} in chat ${place.chat}`;
  const users = voice.alerts.commands?.users ?? [];
  if (!users.includes(from.id)) return stranger;
  const here = voice.asking.filter((address) => {
    const { bot: its, id } = readAddress(movedChats.get(address) ?? address);
    return its === bot && id === String(place.chat);
  });
  const chatId = here.find((address) => readAddress(address).topic === place.topic) ?? here[0];
  if (chatId === undefined) return stranger;
  return {
    name: [from.first_name, from.last_name].filter(Boolean).join(' '),
    actor: `telegram:${from.id}`,
    chatId,
    replyTo: writeAddress({ bot, id: String(place.chat), topic: place.topic }),
  };
}
