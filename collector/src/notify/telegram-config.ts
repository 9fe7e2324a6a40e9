/**
 * `telegram:` of collector.yml: the bot, and how fast it may speak. Which chat hears what stands in alerts.yml.
 */
import { duration, httpUrl } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';

/** As names in alerts.yml. */
const BOT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const token = z
  .string()
  .regex(/^\d{1,20}:[A-Za-z0-9_-]+$/, 'Expected the token of a bot, such as 123456:ABC-DEF');

/** http://[user:password@]host:port or socks5://…; names are looked up by the proxy. */
const proxy = z
  .string()
  .nullish()
  .transform((value) => (value === null || value === '' ? undefined : value))
  .refine((value) => value === undefined || isProxy(value), {
    message: 'Expected http://host:port or socks5://host:port, with user:password@ where needed',
  });

function isProxy(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname } = new URL(text);
  return /^(http|socks5h?):$/.test(protocol) && hostname !== '' && /^\/?$/.test(pathname);
}

export const telegramConfigSchema = z
  .strictObject({
    /** Off: no alert is put into the outbox. Without a token it is off as well. */
    enabled: z.boolean().default(true),
    /** Token of the bot, as @BotFather gave it. */
    token: z
      .preprocess((value) => (value === '' ? undefined : value), token.nullish())
      .transform((value) => value ?? undefined),
    /** More bots, by a name that chats of alerts.yml can say. */
    bots: z
      .record(
        z.string().regex(BOT_NAME, 'Expected letters, digits, ".", "_" or "-", at most 64'),
        z.strictObject({
          /** Its token. */
          token,
          /** Another Bot API server for it. */
          api_root: httpUrl.optional(),
        }),
      )
      .default({}),
    /** Way to the Bot API where it cannot be reached directly. */
    proxy,
    /** Another Bot API server, e.g. one of your own. */
    api_root: httpUrl.default('https://api.telegram.org'),
    /** A request that has no answer after this time is repeated; the message may then come twice. */
    timeout: duration('30s'),
    /** Bounds of the Bot API: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this */
    limits: z
      .strictObject({
        /** Messages a second over all chats. */
        per_second: z.number().positive().max(1000).default(30),
        /** Messages a second to one chat. */
        per_chat_per_second: z.number().positive().max(100).default(1),
        /** Messages a minute to one group or channel. */
        per_group_per_minute: z.number().positive().max(6000).default(20),
      })
      .prefault({}),
    backoff: z
      .strictObject({
        /** Delay before the first repetition; doubles each time, with jitter. */
        init: duration('1s'),
        /** Longest delay. */
        max: duration('60s'),
      })
      .prefault({}),
  })
  .prefault({});

export type TelegramConfig = z.infer<typeof telegramConfigSchema>;

/** Whether messages are sent at all. */
export function isTelegramOn(
  config: TelegramConfig,
): config is TelegramConfig & { readonly token: string } {
  return config.enabled && config.token !== undefined;
}
