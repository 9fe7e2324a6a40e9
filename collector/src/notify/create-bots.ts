/**
 * Takes the config, gives the bots by their names, and one bot that sends with whichever the address of a chat names.
 * Keeps: nothing is sent before the first call; each request takes the way of the config (proxy, Bot API server).
 */
import { Api } from 'grammy';
import { readAddress } from '../assess/chat-address.ts';
import { createProxyAgent } from './proxy-agent.ts';
import { type Bot, createBot, nameOf, type SendOutcome } from './send-message.ts';
import type { TelegramConfig } from './telegram-config.ts';

export interface Bots {
  /** Name of a bot → its API; the one of telegram.token has the empty name. */
  readonly apis: ReadonlyMap<string, Api>;
  /** Likewise, for requests that wait for news. */
  readonly pollers: ReadonlyMap<string, Api>;
  /** Sends with the bot that the address names. */
  readonly bot: Bot;
}

/** So long a request for news waits at the server, in seconds. */
export const POLL_SECONDS = 25;
const POLL_GRACE_SECONDS = 15;

/** Makes the bots. */
export function createBots(config: TelegramConfig & { readonly token: string }): Bots {
  const known = [
    ['', { token: config.token, api_root: undefined }] as const,
    ...Object.entries(config.bots),
  ];
  const timeoutSeconds = Math.max(config.timeout / 1000, 1);
  const makeAll = (seconds: number): ReadonlyMap<string, Api> =>
    new Map(
      known.map(([name, { token, api_root: root }]) => [
        name,
        makeApi(token, root ?? config.api_root, seconds, config),
      ]),
    );
  const apis = makeAll(timeoutSeconds);
  const bots = new Map([...apis].map(([name, api]) => [name, createBot(api)]));
  const by = async (
    chatId: string,
    call: (bot: Bot) => Promise<SendOutcome>,
  ): Promise<SendOutcome> => {
    const { bot: name } = readAddress(chatId);
    const bot = bots.get(name);
    if (bot !== undefined) return await call(bot);
    const reason = `bot ${name} is not under telegram.bots`;
    return { outcome: 'refused', reason, isChat: true };
  };
  return {
    apis,
    pollers: makeAll(POLL_SECONDS + POLL_GRACE_SECONDS),
    bot: {
      send: async (chatId, posted, signal) =>
        by(chatId, async (bot) => bot.send(chatId, posted, signal)),
      edit: async (message, posted, signal) =>
        by(message.chatId, async (bot) => bot.edit(message, posted, signal)),
      document: async (chatId, file, signal) =>
        by(chatId, async (bot) => bot.document(chatId, file, signal)),
      async name() {
        const names: string[] = [];
        for (const api of apis.values()) names.push(await nameOf(api));
        return names.join(', ');
      },
    },
  };
}

function makeApi(
  token: string,
  root: string,
  timeoutSeconds: number,
  { proxy }: TelegramConfig,
): Api {
  const apiRoot = root.replace(/\/+$/, '');
  const over =
    proxy === undefined
      ? {}
      : {
          baseFetchConfig: {
            compress: true,
            agent: createProxyAgent(proxy, apiRoot, timeoutSeconds * 1000),
          },
        };
  return new Api(token, { apiRoot, timeoutSeconds, sensitiveLogs: false, ...over });
}
