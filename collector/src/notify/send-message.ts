/**
 * Takes a message and a chat, gives what Telegram made of it.
 * Keeps: the token stands in no reason and no log; every answer of the Bot API has one meaning.
 * Source: https://core.telegram.org/bots/api#making-requests (ResponseParameters) and the texts of its errors.
 */
import { Api, GrammyError, HttpError } from 'grammy';
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
  /** This message will never be taken by this chat. */
  | { readonly outcome: 'refused'; readonly reason: string };

export interface Bot {
  send(
    chatId: string,
    text: string,
    mode: 'HTML' | 'plain',
    signal: AbortSignal,
  ): Promise<SendOutcome>;
  /** The bot's name; throws an Error without the token. */
  name(): Promise<string>;
}

const RETRY_AFTER_DEFAULT_S = 5;

/** Makes the bot; nothing is sent before the first call. */
export function createBot(config: TelegramConfig & { readonly token: string }): Bot {
  const api = new Api(config.token, {
    apiRoot: config.api_root.replace(/\/+$/, ''),
    timeoutSeconds: Math.max(config.timeout / 1000, 1),
    sensitiveLogs: false,
  });
  return {
    async send(chatId, text, mode, signal) {
      try {
        const sent = await api.sendMessage(
          chatId,
          text,
          {
            ...(mode === 'HTML' ? { parse_mode: 'HTML' as const } : {}),
            link_preview_options: { is_disabled: true },
          },
          signal as Parameters<Api['sendMessage']>[3],
        );
        return { outcome: 'done', messageId: sent.message_id };
      } catch (error) {
        return explain(error);
      }
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
