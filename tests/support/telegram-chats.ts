/**
 * What the Telegram stand-in knows: chats and the messages in them. Keeps: a message is stored as Telegram would show it
 * (plain text and entities), and only when nothing about it is refused.
 */
import { parseTelegramHtml, type TelegramEntity } from './telegram-html.ts';
import type { UploadedFile } from './telegram-request.ts';

export interface TelegramChat {
  /** Negative for groups, as at Telegram. */
  readonly id: number;
  readonly type: 'private' | 'group' | 'supergroup' | 'channel';
  /** Without `@`; a channel can be written to by it. */
  readonly username?: string;
  readonly title?: string;
  /** The person blocked the bot, or the group threw it out. */
  readonly blocked?: boolean;
  /** The group became this supergroup. */
  readonly migratedTo?: number;
  /** Threads of a forum; absent = the chat has none. */
  readonly topics?: readonly number[];
}

export interface TelegramMessage {
  readonly messageId: number;
  readonly chatId: number;
  /** Plain text (or caption), without markup. */
  readonly text: string;
  readonly entities: readonly TelegramEntity[];
  /** The text as it was sent. */
  readonly source: string;
  readonly parseMode?: string;
  readonly replyMarkup?: unknown;
  /** Thread that it is in. */
  readonly topic?: number;
  readonly document?: UploadedFile;
  readonly sentAtMs: number;
  /** Absent unless it was edited. */
  readonly editedAtMs?: number;
}

/** An answer of the API that is not `ok`. */
export interface TelegramRefusal {
  readonly outcome: 'refused';
  readonly status: number;
  readonly description: string;
  readonly parameters?: { readonly retry_after?: number; readonly migrate_to_chat_id?: number };
}

export function refuse(
  status: number,
  description: string,
  parameters?: TelegramRefusal['parameters'],
): TelegramRefusal {
  return { outcome: 'refused', status, description, ...(parameters ? { parameters } : {}) };
}

const TEXT_UNITS_MAX = 4096;
const CAPTION_UNITS_MAX = 1024;
const BUTTON_DATA_BYTES_MAX = 64;

type Params = Readonly<Record<string, unknown>>;

const asText = (value: unknown): string | undefined => {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
};

/** A parameter that is JSON: as it is in a JSON body, as text elsewhere. */
function asJson(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return undefined;
  }
}

/** Who `chat_id` names, if the bot may write there. */
export function findChat(
  chats: ReadonlyMap<number, TelegramChat>,
  value: unknown,
): { readonly outcome: 'done'; readonly chat: TelegramChat } | TelegramRefusal {
  const name = asText(value) ?? '';
  if (name === '') return refuse(400, 'Bad Request: chat_id is empty');
  const chat = name.startsWith('@')
    ? [...chats.values()].find((one) => one.username?.toLowerCase() === name.slice(1).toLowerCase())
    : chats.get(Number(name));
  if (!chat) return refuse(400, 'Bad Request: chat not found');
  if (chat.migratedTo !== undefined) {
    const description = 'Bad Request: group chat was upgraded to a supergroup chat';
    return refuse(400, description, { migrate_to_chat_id: chat.migratedTo });
  }
  if (chat.blocked) {
    const what =
      chat.type === 'private'
        ? 'blocked by the user'
        : `kicked from the ${chat.type}${chat.type === 'channel' ? '' : ' chat'}`;
    return refuse(403, `Forbidden: bot was ${what}`);
  }
  return { outcome: 'done', chat };
}

export interface Content {
  readonly outcome: 'done';
  readonly text: string;
  readonly entities: readonly TelegramEntity[];
  readonly source: string;
  readonly parseMode?: string;
  readonly replyMarkup?: unknown;
}

/** Without the spaces at both ends, as Telegram stores it; the entities move along. */
function trimmed(
  text: string,
  entities: readonly TelegramEntity[],
): { text: string; entities: TelegramEntity[] } {
  const cut = text.length - text.trimStart().length;
  const kept = text.trim();
  const moved = entities
    .map((entity) => {
      const begin = Math.max(0, entity.offset - cut);
      const end = Math.min(kept.length, entity.offset + entity.length - cut);
      return { ...entity, offset: begin, length: end - begin };
    })
    .filter((entity) => entity.length > 0);
  return { text: kept, entities: moved };
}

/** Inline buttons must be such that Telegram gives their data back. */
function checkMarkup(markup: unknown): TelegramRefusal | undefined {
  if (typeof markup !== 'object' || markup === null) {
    return refuse(400, "Bad Request: can't parse reply keyboard markup JSON object");
  }
  const rows = 'inline_keyboard' in markup ? markup.inline_keyboard : [];
  if (!Array.isArray(rows)) return refuse(400, "Bad Request: can't parse inline keyboard markup");
  for (const button of rows.flat() as readonly Params[]) {
    const wrong = checkButton(button);
    if (wrong) return wrong;
  }
  return undefined;
}

function checkButton(button: Params): TelegramRefusal | undefined {
  if (!asText(button['text'])) {
    return refuse(400, 'Bad Request: inline keyboard button text is empty');
  }
  const wrong = checkUrl(asText(button['url']));
  if (wrong) return wrong;
  const data = asText(button['callback_data']);
  if (data === undefined) {
    return button['url'] === undefined
      ? refuse(400, 'Bad Request: text buttons are unallowed in the inline keyboard')
      : undefined;
  }
  const isBad = data === '' || Buffer.byteLength(data) > BUTTON_DATA_BYTES_MAX;
  return isBad ? refuse(400, 'Bad Request: BUTTON_DATA_INVALID') : undefined;
}

/** Telegram wants a host with a dot. */
function checkUrl(url: string | undefined): TelegramRefusal | undefined {
  if (url === undefined) return undefined;
  if (URL.canParse(url) && /^(https?|tg):$/.test(new URL(url).protocol)) {
    if (new URL(url).hostname.includes('.')) return undefined;
  }
  return refuse(400, `Bad Request: inline keyboard button URL '${url}' is invalid: Wrong HTTP URL`);
}

/** The thread that a message is to stand in. */
export function readTopic(
  params: Params,
  chat: TelegramChat,
): { readonly outcome: 'done'; readonly topic?: number } | TelegramRefusal {
  const given = params['message_thread_id'];
  if (given === undefined) return { outcome: 'done' };
  const topic = Number(given);
  if (chat.topics?.includes(topic)) return { outcome: 'done', topic };
  return refuse(400, 'Bad Request: message thread not found');
}

/** The plain text and entities of a text with its markup. */
function readText(
  params: Params,
  source: string,
  parseMode: string,
): { readonly text: string; readonly entities: readonly TelegramEntity[] } | TelegramRefusal {
  if (parseMode === '') {
    const given = asJson(params['entities']);
    return trimmed(source, Array.isArray(given) ? (given as TelegramEntity[]) : []);
  }
  // Telegram has more modes; the product writes HTML only.
  if (parseMode.toLowerCase() !== 'html') return refuse(400, 'Bad Request: unsupported parse_mode');
  const parsed = parseTelegramHtml(source);
  if (parsed.outcome === 'refused') {
    return refuse(400, `Bad Request: can't parse entities: ${parsed.reason}`);
  }
  return trimmed(parsed.text, parsed.entities);
}

/** Lengths count in UTF-16 units after the markup is gone. */
function checkLength(text: string, key: 'text' | 'caption'): TelegramRefusal | undefined {
  if (key === 'caption') {
    return text.length > CAPTION_UNITS_MAX
      ? refuse(400, 'Bad Request: message caption is too long')
      : undefined;
  }
  if (text === '') return refuse(400, 'Bad Request: message text is empty');
  return text.length > TEXT_UNITS_MAX ? refuse(400, 'Bad Request: message is too long') : undefined;
}

/** Reads text (or caption), markup and buttons of a message to send or to edit. */
export function readContent(params: Params, key: 'text' | 'caption'): Content | TelegramRefusal {
  const source = asText(params[key]) ?? '';
  const parseMode = asText(params['parse_mode']) ?? '';
  const read = readText(params, source, parseMode);
  if ('outcome' in read) return read;
  const replyMarkup = asJson(params['reply_markup']);
  const hasMarkup = params['reply_markup'] !== undefined;
  const wrong = checkLength(read.text, key) ?? (hasMarkup ? checkMarkup(replyMarkup) : undefined);
  if (wrong) return wrong;
  return {
    outcome: 'done',
    ...read,
    source,
    ...(parseMode === '' ? {} : { parseMode }),
    ...(hasMarkup ? { replyMarkup } : {}),
  };
}

/** A message as the API shows it. */
export function shownMessage(message: TelegramMessage, chat: TelegramChat): Params {
  const { blocked: _, migratedTo: __, topics: ___, ...shownChat } = chat;
  const text = message.document
    ? {
        document: {
          file_id: `file-${message.messageId}`,
          file_name: message.document.fileName,
          file_size: message.document.bytes.length,
        },
        caption: message.text,
        caption_entities: message.entities,
      }
    : { text: message.text, entities: message.entities };
  return {
    message_id: message.messageId,
    date: Math.floor(message.sentAtMs / 1000),
    ...(message.editedAtMs === undefined
      ? {}
      : { edit_date: Math.floor(message.editedAtMs / 1000) }),
    chat: shownChat,
    ...text,
    ...(message.topic === undefined
      ? {}
      : { message_thread_id: message.topic, is_topic_message: true }),
    ...(message.replyMarkup === undefined ? {} : { reply_markup: message.replyMarkup }),
  };
}
