/**
 * Takes a message and a chat, gives what Telegram made of it.
 * Keeps: the token stands in no reason and no log; every answer of the Bot API has one meaning.
 * Source: https://core.telegram.org/bots/api#making-requests (ResponseParameters) and the texts of its errors.
 */
import { Api, GrammyError, HttpError, InputFile } from 'grammy';
import type { TelegramConfig } from './telegram-config.ts';

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
  /** This message will never be taken by this chat. */
  | { readonly outcome: 'refused'; readonly reason: string };

export type TextMode = 'HTML' | 'plain';

/** A file with the words under it. */
export interface NamedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Plain text, at most 1024 units. */
  readonly caption: string;
}

export interface ShownMessage {
  readonly chatId: string;
  readonly messageId: number;
}

export interface Bot {
  send(chatId: string, text: string, mode: TextMode, signal: AbortSignal): Promise<SendOutcome>;
  /** Changes a message's text. A text that it has already counts as done. */
  edit(
    message: ShownMessage,
    text: string,
    mode: TextMode,
    signal: AbortSignal,
  ): Promise<SendOutcome>;
  document(chatId: string, file: NamedFile, signal: AbortSignal): Promise<SendOutcome>;
  /** The bot's name; throws an Error without the token. */
  name(): Promise<string>;
}

const RETRY_AFTER_DEFAULT_S = 5;
const NOT_MODIFIED = /message is not modified/i;
const NOT_THERE = /message (to edit not found|can't be edited)|MESSAGE_ID_INVALID/i;

type Signal = Parameters<Api['sendMessage']>[3];

/** Makes the bot; nothing is sent before the first call. */
export function createBot(config: TelegramConfig & { readonly token: string }): Bot {
  const api = new Api(config.token, {
    apiRoot: config.api_root.replace(/\/+$/, ''),
    timeoutSeconds: Math.max(config.timeout / 1000, 1),
    sensitiveLogs: false,
  });
  const options = (mode: TextMode) => ({
    ...(mode === 'HTML' ? { parse_mode: 'HTML' as const } : {}),
    link_preview_options: { is_disabled: true },
  });
  return {
    async send(chatId, text, mode, signal) {
      return await outcomeOf(async () => {
        const sent = await api.sendMessage(chatId, text, options(mode), signal as Signal);
        return sent.message_id;
      });
    },
    async edit({ chatId, messageId }, text, mode, signal) {
      const edited = await outcomeOf(async () => {
        await api.editMessageText(chatId, messageId, text, options(mode), signal as Signal);
        return messageId;
      });
      if (edited.outcome !== 'refused') return edited;
      if (NOT_MODIFIED.test(edited.reason)) return { outcome: 'done', messageId };
      return NOT_THERE.test(edited.reason) ? { outcome: 'gone' } : edited;
    },
    async document(chatId, { name, bytes, caption }, signal) {
      return await outcomeOf(async () => {
        const file = new InputFile(bytes, name);
        const sent = await api.sendDocument(chatId, file, { caption }, signal as Signal);
        return sent.message_id;
      });
    },
    async name() {
      try {
        return `@${(await api.getMe()).username}`;
      } catch (error) {
        const explained = explain(error);
        throw new Error('reason' in explained ? explained.reason : 'no answer', {
          cause: undefined,
        });
      }
    },
  };
}

async function outcomeOf(call: () => Promise<number>): Promise<SendOutcome> {
  try {
    return { outcome: 'done', messageId: await call() };
  } catch (error) {
    return explain(error);
  }
}

function explain(error: unknown): SendOutcome {
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
  if (status === 400 && /can't parse (entities|message text)/i.test(error.description)) {
    return { outcome: 'bad_markup', reason };
  }
  return { outcome: status >= 500 ? 'retry' : 'refused', reason };
}

/** Of the inner error only its code: its text has the URL, and the URL has the token. */
function networkReason(error: HttpError): string {
  const inner = error.error as { code?: unknown; name?: unknown; type?: unknown } | undefined;
  const code = inner?.code ?? inner?.type ?? inner?.name ?? 'network error';
  return `Telegram cannot be reached, or its answer cannot be read (${String(code)})`;
}
