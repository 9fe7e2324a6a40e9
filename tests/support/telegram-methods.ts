/**
 * The methods of the Bot API that the stand-in has: pure over its state, no HTTP. Each gives a result or Telegram's own refusal.
 * Source: https://core.telegram.org/bots/api#available-methods
 */
import {
  type Content,
  findChat,
  readContent,
  readTopic,
  refuse,
  shownMessage,
  type TelegramChat,
  type TelegramMessage,
  type TelegramRefusal,
} from './telegram-chats.ts';
import type { ApiCall } from './telegram-request.ts';
import type { UpdateQueue } from './telegram-updates.ts';

export interface TelegramState {
  readonly chats: Map<number, TelegramChat>;
  readonly messages: TelegramMessage[];
  readonly updates: UpdateQueue;
  /** Callback queries that wait for their answer. */
  readonly queries: Set<string>;
  readonly botId: number;
  /** Lets a message pass or gives the seconds to wait. */
  readonly limit: (chat: TelegramChat, nowMs: number) => number | undefined;
  readonly now: () => number;
}

export type MethodOutcome =
  | { readonly outcome: 'done'; readonly result: unknown }
  | TelegramRefusal;

type Method = (state: TelegramState, call: ApiCall) => MethodOutcome | Promise<MethodOutcome>;

const done = (result: unknown): MethodOutcome => ({ outcome: 'done', result });

const numberOf = (value: unknown, otherwise: number): number => {
  const number = Number(value ?? otherwise);
  return Number.isFinite(number) ? number : otherwise;
};

function limited(state: TelegramState, chat: TelegramChat): TelegramRefusal | undefined {
  const seconds = state.limit(chat, state.now());
  if (seconds === undefined) return undefined;
  return refuse(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds });
}

const topicOf = ({ topic }: { readonly topic?: number }) => (topic === undefined ? {} : { topic });

function contentOf(content: Content): Omit<Content, 'outcome'> {
  const { outcome: _, ...rest } = content;
  return rest;
}

const sendMessage: Method = (state, { params }) => {
  const found = findChat(state.chats, params['chat_id']);
  if (found.outcome === 'refused') return found;
  const thread = readTopic(params, found.chat);
  if (thread.outcome === 'refused') return thread;
  const content = readContent(params, 'text');
  if (content.outcome === 'refused') return content;
  return store(state, found.chat, { ...contentOf(content), ...topicOf(thread) });
};

/** Stores a new message, unless a limit says wait. */
function store(
  state: TelegramState,
  chat: TelegramChat,
  content: Omit<TelegramMessage, 'messageId' | 'chatId' | 'sentAtMs'>,
): MethodOutcome {
  const refusal = limited(state, chat);
  if (refusal) return refusal;
  const messageId = state.messages.length + 1;
  const message = { ...content, messageId, chatId: chat.id, sentAtMs: state.now() };
  state.messages.push(message);
  return done(shownMessage(message, chat));
}

const sendDocument: Method = (state, { params, files }) => {
  const found = findChat(state.chats, params['chat_id']);
  if (found.outcome === 'refused') return found;
  const thread = readTopic(params, found.chat);
  if (thread.outcome === 'refused') return thread;
  const content = readContent(params, 'caption');
  if (content.outcome === 'refused') return content;
  const given = params['document'];
  const name =
    typeof given === 'string' && given.startsWith('attach://') ? given.slice(9) : 'document';
  const document = files.get(name);
  if (!document) return refuse(400, 'Bad Request: there is no document in the request');
  if (document.bytes.length === 0) return refuse(400, 'Bad Request: file must be non-empty');
  return store(state, found.chat, { ...contentOf(content), ...topicOf(thread), document });
};

const editMessageText: Method = (state, { params }) => {
  const found = findChat(state.chats, params['chat_id']);
  if (found.outcome === 'refused') return found;
  const content = readContent(params, 'text');
  if (content.outcome === 'refused') return content;
  const id = numberOf(params['message_id'], 0);
  const at = state.messages.findIndex(
    (one) => one.messageId === id && one.chatId === found.chat.id,
  );
  const before = state.messages[at];
  if (!before) return refuse(400, 'Bad Request: message to edit not found');
  const seen = (one: Pick<Content, 'text' | 'entities' | 'replyMarkup'>): string =>
    JSON.stringify([one.text, one.entities, one.replyMarkup ?? null]);
  if (seen(before) === seen(content)) {
    const description =
      'Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message';
    return refuse(400, description);
  }
  const refusal = limited(state, found.chat);
  if (refusal) return refusal;
  const { messageId, chatId, sentAtMs } = before;
  const edited = {
    ...contentOf(content),
    ...topicOf(before),
    messageId,
    chatId,
    sentAtMs,
    editedAtMs: state.now(),
  };
  state.messages[at] = edited;
  return done(shownMessage(edited, found.chat));
};

const ANSWER_UNITS_MAX = 200;

const answerCallbackQuery: Method = (state, { params }) => {
  if (String(params['text'] ?? '').length > ANSWER_UNITS_MAX) {
    return refuse(400, 'Bad Request: MESSAGE_TOO_LONG');
  }
  if (state.queries.delete(String(params['callback_query_id'] ?? ''))) return done(true);
  const description =
    'Bad Request: query is too old and response timeout expired or query ID is invalid';
  return refuse(400, description);
};

const getUpdates: Method = async (state, { params }) => {
  const kinds = params['allowed_updates'];
  const updates = await state.updates.poll({
    kinds: Array.isArray(kinds) ? (kinds as string[]) : [],
    offset: numberOf(params['offset'], 0),
    limit: numberOf(params['limit'], 100),
    timeoutS: numberOf(params['timeout'], 0),
  });
  if (updates) return done(updates);
  const description =
    'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running';
  return refuse(409, description);
};

const getChat: Method = (state, { params }) => {
  const found = findChat(state.chats, params['chat_id']);
  if (found.outcome === 'refused') return found;
  const { id, type, title, username } = found.chat;
  return done({ id, type, title, username });
};

const getMe: Method = (state) =>
  done({
    id: state.botId,
    is_bot: true,
    first_name: 'Launchbeat',
    username: 'launchbeat_test_bot',
    can_join_groups: true,
    can_read_all_group_messages: false,
    supports_inline_queries: false,
  });

/** By name in lower case: Telegram compares them so. */
const METHODS: Readonly<Record<string, Method>> = {
  getme: getMe,
  getchat: getChat,
  sendmessage: sendMessage,
  editmessagetext: editMessageText,
  senddocument: sendDocument,
  answercallbackquery: answerCallbackQuery,
  getupdates: getUpdates,
  deletewebhook: () => done(true),
};

/** Runs a method; one that the stand-in does not have is refused as Telegram refuses one that it does not have. */
export async function runMethod(state: TelegramState, call: ApiCall): Promise<MethodOutcome> {
  const name = call.method.toLowerCase();
  const method = Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
  return method ? await method(state, call) : refuse(404, 'Not Found: method not found');
}
