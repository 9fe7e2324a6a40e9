/**
 * A strict stand-in for Telegram's Bot API: it refuses what Telegram refuses, in Telegram's words, and keeps what it accepted.
 * Takes real HTTP calls; can be told to fail. In memory, on 127.0.0.1.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import type { TelegramChat, TelegramMessage } from './telegram-chats.ts';
import { limitMessages, TELEGRAM_LIMITS, type TelegramLimits } from './telegram-limits.ts';
import { runMethod, type TelegramState } from './telegram-methods.ts';
import { type ApiCall, readCall } from './telegram-request.ts';
import { createUpdateQueue } from './telegram-updates.ts';

export type { TelegramChat, TelegramMessage } from './telegram-chats.ts';

/** What happens to a call instead of its answer. */
export type TelegramFailure =
  /** This answer. `body` (text, such as a proxy's HTML page) stands in for the API's JSON. */
  | {
      readonly how: 'answer';
      readonly status: number;
      readonly description?: string;
      readonly body?: string;
      readonly retryAfterSeconds?: number;
    }
  /** The connection ends without an answer; nothing was done. */
  | { readonly how: 'drop' }
  /** The connection ends without an answer, but the message is in the chat. */
  | { readonly how: 'accept_and_drop' }
  /** The answer comes late. */
  | { readonly how: 'delay'; readonly delayMs: number };

export interface TelegramRequest {
  /** As written in the path. */
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly atMs: number;
  /** What was answered; undefined while it is on its way, or when the connection was dropped. */
  status?: number;
}

export interface TelegramOptions {
  readonly chats?: readonly TelegramChat[];
  /** Default: Telegram's own. `Infinity` switches one off. */
  readonly limits?: Partial<TelegramLimits>;
  /** The clock of messages and limits, in ms since 1970. */
  readonly now?: () => number;
  readonly token?: string;
  /** Default: any free one. */
  readonly port?: number;
}

export interface TelegramStandIn {
  /** What grammY calls `apiRoot`. */
  readonly url: string;
  readonly token: string;
  /** All accepted messages, in order, as they are shown now. */
  messages(): readonly TelegramMessage[];
  /** All calls, in order; of one method (by its name) when given. */
  requests(method?: string): readonly TelegramRequest[];
  /** Makes a chat known, or changes it (blocked, migratedTo). */
  addChat(chat: TelegramChat): void;
  /** Fails the next `times` (1) calls of `methods` (those that write messages). */
  failNext(
    failure: TelegramFailure,
    options?: { readonly times?: number; readonly methods?: readonly string[] },
  ): void;
  /** Puts an update in the bot's queue. */
  addUpdate(update: Readonly<Record<string, unknown>>): number;
  /** A person presses an inline button: puts a `callback_query` in the bot's queue; gives its id. */
  pressButton(press: {
    readonly chatId: number;
    readonly messageId: number;
    readonly data: string;
    readonly fromId: number;
    readonly name?: string;
  }): string;
  /** A person writes to the bot: puts a `message` in the bot's queue. */
  write(message: {
    readonly chatId: number;
    readonly fromId: number;
    readonly text: string;
    readonly topic?: number;
    readonly name?: string;
  }): void;
  /** Ends it, connections included. */
  stop(): Promise<void>;
  /** Starts it again on the same port, with all that it knew. */
  start(): Promise<void>;
}

const TOKEN_DEFAULT = '110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw8';
const TOKEN = /^\d{6,}:[\w-]{35}$/;
const WRITERS = ['sendMessage', 'editMessageText', 'sendDocument'];
const REQUESTS_MAX = 100_000;

interface Plan {
  readonly failure: TelegramFailure;
  readonly methods: readonly string[];
  left: number;
}

const isSame = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

function answer(
  response: ServerResponse,
  status: number,
  body: string,
  retryAfterSeconds?: number,
): void {
  if (response.destroyed) return;
  response.writeHead(status, {
    'content-type': body.startsWith('{') ? 'application/json' : 'text/html',
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
  });
  response.end(body);
}

function answerError(
  response: ServerResponse,
  status: number,
  description: string,
  parameters?: { readonly retry_after?: number },
): void {
  const body = {
    ok: false,
    error_code: status,
    description,
    ...(parameters ? { parameters } : {}),
  };
  answer(response, status, JSON.stringify(body), parameters?.retry_after);
}

/** Answers one call that came in whole. */
async function answerCall(
  state: TelegramState,
  plans: Plan[],
  call: ApiCall,
  response: ServerResponse,
): Promise<void> {
  const plan = plans.find(
    (one) => one.left > 0 && one.methods.some((name) => isSame(name, call.method)),
  );
  const failure = plan?.failure;
  if (plan) plan.left -= 1;
  if (failure?.how === 'drop') {
    response.destroy();
    return;
  }
  if (failure?.how === 'answer') {
    const { status, retryAfterSeconds: seconds } = failure;
    if (failure.body !== undefined) return answer(response, status, failure.body, seconds);
    const description =
      failure.description ??
      (seconds ? `Too Many Requests: retry after ${seconds}` : 'Internal Server Error');
    return answerError(
      response,
      status,
      description,
      seconds ? { retry_after: seconds } : undefined,
    );
  }
  const ran = await runMethod(state, call);
  if (failure?.how === 'accept_and_drop') {
    response.destroy();
    return;
  }
  if (failure?.how === 'delay') await delay(failure.delayMs);
  if (ran.outcome === 'done')
    answer(response, 200, JSON.stringify({ ok: true, result: ran.result }));
  else answerError(response, ran.status, ran.description, ran.parameters);
}

/** Starts the stand-in. */
export async function startTelegram(options: TelegramOptions = {}): Promise<TelegramStandIn> {
  const { token = TOKEN_DEFAULT, now = Date.now } = options;
  const requests: TelegramRequest[] = [];
  const plans: Plan[] = [];
  const state: TelegramState = {
    chats: new Map((options.chats ?? []).map((chat) => [chat.id, chat])),
    messages: [],
    updates: createUpdateQueue(),
    queries: new Set(),
    botId: Number(token.split(':')[0]),
    limit: limitMessages({ ...TELEGRAM_LIMITS, ...options.limits }),
    now,
  };

  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const read = await readCall(request);
    if (read.outcome === 'refused') return answerError(response, read.status, read.description);
    const { call } = read;
    if (!TOKEN.test(call.token)) return answerError(response, 404, 'Not Found');
    if (call.token !== token) return answerError(response, 401, 'Unauthorized');
    const seen: TelegramRequest = { method: call.method, params: call.params, atMs: now() };
    requests.push(seen);
    if (requests.length > REQUESTS_MAX) requests.shift();
    response.on('finish', () => {
      seen.status = response.statusCode;
    });
    await answerCall(state, plans, call, response);
  };

  let presses = 0;
  let writes = 0;
  let server: Server | undefined;
  const listen = async (port: number): Promise<void> => {
    server = createServer((request, response) => {
      take(request, response).catch(() => response.destroy());
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  const port = options.port ?? (await freePort());
  await listen(port);

  return {
    url: `http://127.0.0.1:${port}`,
    token,
    messages: () => state.messages,
    requests: (method) =>
      method ? requests.filter((one) => isSame(one.method, method)) : requests,
    addChat: (chat) => {
      state.chats.set(chat.id, chat);
    },
    failNext: (failure, { times = 1, methods = WRITERS } = {}) => {
      plans.push({ failure, methods, left: times });
    },
    addUpdate: (update) => state.updates.add(update),
    pressButton({ chatId, messageId, data, fromId, name = 'Person' }) {
      presses += 1;
      const id = String(presses);
      state.queries.add(id);
      const from = { id: fromId, is_bot: false, first_name: name };
      const message = {
        message_id: messageId,
        date: Math.floor(now() / 1000),
        chat: state.chats.get(chatId),
      };
      state.updates.add({
        callback_query: { id, from, message, chat_instance: String(chatId), data },
      });
      return id;
    },
    write({ chatId, fromId, text, topic, name = 'Person' }) {
      writes += 1;
      state.updates.add({
        message: {
          message_id: 1_000_000 + writes,
          date: Math.floor(now() / 1000),
          from: { id: fromId, is_bot: false, first_name: name },
          chat: state.chats.get(chatId) ?? { id: chatId, type: 'private' },
          text,
          ...(topic === undefined ? {} : { message_thread_id: topic, is_topic_message: true }),
        },
      });
    },
    async stop() {
      const closing = server;
      server = undefined;
      if (!closing) return;
      state.updates.close();
      const closed = once(closing, 'close');
      closing.close();
      closing.closeAllConnections();
      await closed;
    },
    async start() {
      if (!server) await listen(port);
    },
  };
}
