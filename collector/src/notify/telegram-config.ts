/**
 * `telegram:` of collector.yml: the bot, and how fast it may speak. Which chat hears what stands in alerts.yml.
 */
import { duration, httpUrl } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';

export const telegramConfigSchema = z
  .strictObject({
    /** Off: no alert is put into the outbox. Without a token it is off as well. */
    enabled: z.boolean().default(true),
    /** Token of the bot, as @BotFather gave it. */
    token: z
      .string()
      .nullish()
      .transform((value) => (value === null || value === '' ? undefined : value))
      .refine(
        (value) => value === undefined || /^\d{1,20}:[A-Za-z0-9_-]+$/.test(value),
        'Expected the token of a bot, such as 123456:ABC-DEF',
      ),
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
