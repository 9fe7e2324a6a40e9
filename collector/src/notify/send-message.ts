/**
 * Takes a message and a chat, gives what Telegram made of it.
 * Keeps: the token stands in no reason and no log; every answer of the Bot API has one meaning.
 * Source: https://core.telegram.org/bots/api#making-requests (ResponseParameters) and the texts of its errors.
 */
import { type Api, GrammyError, HttpError, InputFile } from 'grammy';
import { readAddress, writeAddress } from '../assess/chat-address.ts';

export type SendOutcome =
  | { readonly outcome: 'done'; readonly messageId: number }
  /** Telegram may have it or not; send it again after the back-off. */
  | { readonly outcome: 'retry'; readonly reason: string }
  /** Too fast: send it again after so long. */
  | { readonly outcome: 'throttled'; readonly retryAfterMs: number; readonly reason: string }
  /** The group has another id now. */
  | { readonly outcome: 'moved'; readonly chatId: string }
  /** The markup cannot be read. */
  | { readonly outcome: 'bad_markup'; readonly reason: string }
  /** Nothing can be sent to anybody: the token is wrong. */
  | { readonly outcome: 'bad_token'; readonly reason: string }
  /** The message that was to be edited is no more, or too old. */
  | { readonly outcome: 'gone' }
  /** This message will never be taken by this chat; `isChat`: no message will. */
  | { readonly outcome: 'refused'; readonly reason: string; readonly isChat: boolean };

export type TextMode = 'HTML' | 'plain';

/** A file with the words under it. */
export interface NamedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Plain text, at most 1024 units. */
  readonly caption: string;
}

export interface ShownMessage {
  /** Address of the chat. */
  readonly chatId: string;
  readonly messageId: number;
}

/** A button under a message: sends its data back, or opens its address. */
export type Button =
  | { readonly text: string; readonly callback_data: string }
  | { readonly text: string; readonly url: string };
/** Rows of buttons; none = no buttons. */
export type Buttons = readonly (readonly Button[])[];

/** A text as the chat is to see it. */
export interface Posted {
  readonly text: string;
  readonly mode: TextMode;
  /** Plain texts have none: what Telegram cannot read may be among them. */
  readonly buttons?: Buttons | undefined;
}

export interface Bot {
  /** `chatId` is the address of a chat. */
  send(chatId: string, posted: Posted, signal: AbortSignal): Promise<SendOutcome>;
  /** Changes a message's text. A text that it has already counts as done. */
  edit(message: ShownMessage, posted: Posted, signal: AbortSignal): Promise<SendOutcome>;
  document(chatId: string, file: NamedFile, signal: AbortSignal): Promise<SendOutcome>;
  /** The bot's name; throws an Error without the token. */
  name(): Promise<string>;
}

const RETRY_AFTER_DEFAULT_S = 5;
const NOT_MODIFIED = /message is not modified/i;
const NOT_THERE = /message (to edit not found|can't be edited)|MESSAGE_ID_INVALID/i;
/** Nobody will ever read anything there, or the bot may not write. */
const NO_CHAT =
  /chat not found|chat_write_forbidden|have no rights|not enough rights|user is deactivated|topic_(deleted|closed)|message thread not found|PEER_ID_INVALID/i;
/** What a plain text has not. */
const BAD_MARKUP = /can't parse (entities|message text)|BUTTON_|inline keyboard|reply markup/i;

type Signal = Parameters<Api['sendMessage']>[3];

/** Makes the bot; nothing is sent before the first call. */
export function createBot(api: Api): Bot {
  const options = ({ mode, buttons }: Posted) => ({
    ...(mode === 'HTML' ? { parse_mode: 'HTML' as const } : {}),
    ...(mode === 'HTML' && buttons !== undefined && buttons.length > 0
      ? { reply_markup: { inline_keyboard: buttons.map((row) => [...row]) } }
      : {}),
    link_preview_options: { is_disabled: true },
  });
  const thread = (topic: number | undefined) =>
    topic === undefined ? {} : { message_thread_id: topic };
  return {
    async send(chatId, posted, signal) {
      const { id, topic } = readAddress(chatId);
      const over = { ...options(posted), ...thread(topic) };
      return await outcomeOf(chatId, async () => {
        const sent = await api.sendMessage(id, posted.text, over, signal as Signal);
        return sent.message_id;
      });
    },
    async edit({ chatId, messageId }, posted, signal) {
      const { id } = readAddress(chatId);
      const edited = await outcomeOf(chatId, async () => {
        await api.editMessageText(id, messageId, posted.text, options(posted), signal as Signal);
        return messageId;
      });
      if (edited.outcome !== 'refused') return edited;
      if (NOT_MODIFIED.test(edited.reason)) return { outcome: 'done', messageId };
      return NOT_THERE.test(edited.reason) ? { outcome: 'gone' } : edited;
    },
    async document(chatId, { name, bytes, caption }, signal) {
      const { id, topic } = readAddress(chatId);
      return await outcomeOf(chatId, async () => {
        const file = new InputFile(bytes, name);
        const over = { caption, ...thread(topic) };
        const sent = await api.sendDocument(id, file, over, signal as Signal);
        return sent.message_id;
      });
    },
    async name() {
      return await nameOf(api);
    },
  };
}

/** The name of a bot, with its @. Throws an Error without the token. */
export async function nameOf(api: Api): Promise<string> {
  try {
    return `@${(await api.getMe()).username}`;
  } catch (error) {
    const explained = explain(error);
    throw new Error('reason' in explained ? explained.reason : 'no answer', { cause: undefined });
  }
}

/** Answers a press of a button. Never rejects: the person sees what follows in the chat anyway. */
export async function answerPress(
  api: Api,
  queryId: string,
  text: string,
  signal: AbortSignal,
): Promise<void> {
  await api
    .answerCallbackQuery(queryId, { text: text.slice(0, ANSWER_UNITS_MAX) }, signal as Signal)
    .catch(() => undefined);
}

const ANSWER_UNITS_MAX = 200;

async function outcomeOf(chatId: string, call: () => Promise<number>): Promise<SendOutcome> {
  try {
    return { outcome: 'done', messageId: await call() };
  } catch (error) {
    const explained = explain(error);
    if (explained.outcome !== 'moved') return explained;
    return { ...explained, chatId: writeAddress({ ...readAddress(chatId), id: explained.chatId }) };
  }
}

/** What an error of the Bot API or of the way there means. Throws what is neither. */
export function explain(error: unknown): SendOutcome {
  if (error instanceof HttpError) return { outcome: 'retry', reason: networkReason(error) };
  if (!(error instanceof GrammyError)) throw error;
  const { error_code: status, parameters } = error;
  const reason = `HTTP ${status}: ${error.description}`;
  if (status === 429) {
    const seconds = parameters.retry_after ?? RETRY_AFTER_DEFAULT_S;
    return { outcome: 'throttled', retryAfterMs: seconds * 1000, reason };
  }
  if (parameters.migrate_to_chat_id !== undefined) {
    return { outcome: 'moved', chatId: String(parameters.migrate_to_chat_id) };
  }
  if (status === 401 || status === 404) {
    return {
      outcome: 'bad_token',
      reason: `${reason}; check telegram.token and telegram.api_root`,
    };
  }
  if (status === 400 && BAD_MARKUP.test(error.description)) {
    return { outcome: 'bad_markup', reason };
  }
  if (status >= 500) return { outcome: 'retry', reason };
  return { outcome: 'refused', reason, isChat: status === 403 || NO_CHAT.test(error.description) };
}

/** Of the inner error only its code: its text has the URL, and the URL has the token. */
function networkReason(error: HttpError): string {
  const inner = error.error as { code?: unknown; name?: unknown; type?: unknown } | undefined;
  const code = inner?.code ?? inner?.type ?? inner?.name ?? 'network error';
  return `Telegram cannot be reached, or its answer cannot be read (${String(code)})`;
}
