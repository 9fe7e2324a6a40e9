/**
 * notify: takes the outbox, gives messages to Telegram, and answers to people who ask there. Of all collectors on one PostgreSQL, one
 * does it.
 * Keeps: an alert waits in the table until Telegram has it; nothing but a refusal for good takes it out of the queue.
 */
import { type Log, pause } from '@launchbeat/ecs-schemas/beat';
import type { AlertsConfig } from '../assess/alerts-config.ts';
import type { Sql } from '../commit/database.ts';
import { digestOf } from '../commit/digest-of.ts';
import { plainMessage, postBulletin } from './bulletins.ts';
import { createBots } from './create-bots.ts';
import { createVoice, deliveryOf, type Voice } from './create-voice.ts';
import type { DeliveryCounters } from './deliver-parcel.ts';
import type { KibanaPlace } from './kibana-link.ts';
import { createLead, type Led } from './lead-messages.ts';
import { leadOnce } from './leadership.ts';
import { createOutageLog } from './outage-log.ts';
import { createPaces } from './pace.ts';
import { isTelegramOn, type TelegramConfig } from './telegram-config.ts';
import { cutMiddle } from './visible-text.ts';
import { wordsOf } from './words.ts';

export interface NotifierOptions {
  readonly sql: Sql;
  readonly config: TelegramConfig;
  readonly alerts: AlertsConfig;
  readonly log: Log;
  /** Where Kibana is; absent = messages have no links. */
  readonly kibana?: KibanaPlace | undefined;
  /** An agent that did not check in for so long is offline, for /agents and receipts. */
  readonly offlineAfterMs?: number;
  /** Told of each message that a chat has: seconds since its event. */
  readonly onTold?: (seconds: number) => void;
  /** Unix milliseconds, for tests. */
  readonly now?: () => number;
}

export interface NotifyCounts extends Readonly<DeliveryCounters> {
  /** Rows that wait, as last looked at; 0 on a collector that is not the leader. */
  readonly pending: number;
  /** Alerts that a notice tells of, by their fate. */
  readonly folded: number;
  readonly suppressed: number;
  readonly held: number;
  readonly stormed: number;
  readonly muted: number;
  /** Commands and buttons of people who may. */
  readonly asked: number;
  /** Of people and chats who may not. */
  readonly strangers: number;
  /** 1 = this collector sends the messages. */
  readonly leader: number;
}

export interface NotifyCheck {
  readonly ok: boolean;
  readonly detail: string;
}

export interface Notifier {
  /** These chats and words are in force from the next message on. */
  use(alerts: AlertsConfig): void;
  /** There may be new rows. */
  wake(): void;
  /** Says in the chat for ops that a changed alerts.yml cannot be used. Never rejects. */
  tellBroken(problem: string): Promise<void>;
  /** Works until aborted; returns at once when Telegram is off. */
  run(signal: AbortSignal): Promise<void>;
  /** Whether Telegram takes the token. Never throws. */
  check(): Promise<NotifyCheck>;
  counts(): NotifyCounts;
}

/** How often a collector tries to become the leader. */
const ELECTION_MS = 2_000;
/** A request in flight may end by itself for so long after a stop was asked for. */
const STOP_GRACE_MS = 5_000;
const OFFLINE_AFTER_MS = 5 * 60_000;
const PROBLEM_UNITS_MAX = 3000;
/** Several collectors read the same broken file. */
const BROKEN_AGAIN_MS = 10 * 60_000;

/** Makes the notifier; nothing is opened or sent before run() or check(). */
export function createNotifier(options: NotifierOptions): Notifier {
  const { sql, config, log } = options;
  const now = options.now ?? Date.now;
  const offlineAfterMs = options.offlineAfterMs ?? OFFLINE_AFTER_MS;
  const voiceOf = (alerts: AlertsConfig): Voice => createVoice(alerts, config, options.kibana);
  let voice = voiceOf(options.alerts);
  const counts = { sent: 0, failed: 0, retries: 0, maybeTwice: 0 };
  const asked = { asked: 0, strangers: 0 };
  const fates = { folded: 0, suppressed: 0, held: 0, stormed: 0, muted: 0 };
  let pending = 0;
  let leader = 0;
  let woken = Promise.withResolvers<void>();
  const wake = (): void => {
    woken.resolve();
    woken = Promise.withResolvers<void>();
  };

  const lead = createLead({
    ...{ ...options, now, offlineAfterMs, counted: { asked, fates }, wake },
    voice: () => voice,
    woken: async () => woken.promise,
    onPending: (rows) => {
      pending = rows;
    },
  });

  async function run(stop: AbortSignal, shared: Led): Promise<void> {
    let down = false;
    while (!stop.aborted) {
      try {
        await leadOnce(sql, stop, async (signal) => {
          down = false;
          leader = 1;
          await lead(signal, shared);
        });
        down = false;
      } catch (error) {
        if (!down)
          log.warn({ err: error }, 'PostgreSQL cannot be asked for messages; it is tried again.');
        down = true;
      }
      [leader, pending] = [0, 0];
      await pause(ELECTION_MS, stop);
    }
  }

  return {
    use(alerts) {
      voice = voiceOf(alerts);
    },
    wake,
    tellBroken: async (problem) =>
      isTelegramOn(config)
        ? await tellOps({ sql, log, voice, nowMs: now(), wake }, problem)
        : undefined,
    async run(signal) {
      if (!isTelegramOn(config)) return;
      const abandon = new AbortController();
      const end = (): void => {
        setTimeout(() => abandon.abort(), STOP_GRACE_MS).unref();
      };
      signal.addEventListener('abort', end, { once: true });
      const bots = createBots(config);
      const delivery = {
        ...deliveryOf(() => voice, counts),
        told: options.onTold ?? (() => undefined),
        sql,
        config,
        bot: bots.bot,
        pace: createPaces(config.limits),
        outage: createOutageLog(log),
        abandon: abandon.signal,
        now,
      };
      await run(signal, { bots, delivery });
    },
    check: async () => checkBots(config),
    counts: () => ({ ...counts, ...fates, ...asked, pending, leader }),
  };
}

/** Whether Telegram takes the tokens. */
async function checkBots(config: TelegramConfig): Promise<NotifyCheck> {
  if (!isTelegramOn(config)) {
    const detail = config.enabled ? 'off: no token in the config' : 'switched off in the config';
    return { ok: true, detail };
  }
  try {
    return { ok: true, detail: `bot ${await createBots(config).bot.name()}` };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

interface Ops {
  readonly sql: Sql;
  readonly log: Log;
  readonly voice: Voice;
  readonly nowMs: number;
  readonly wake: () => void;
}

/** Puts the words in line for the chat of ops, once for all collectors that read the same file. */
async function tellOps({ sql, log, voice, nowMs, wake }: Ops, problem: string): Promise<void> {
  const { ops, alerts } = voice;
  if (ops === undefined) return;
  const again = Math.floor(nowMs / BROKEN_AGAIN_MS);
  const topic = `broken ${digestOf(problem).toString('hex')} ${again}`;
  const text = cutMiddle(problem, PROBLEM_UNITS_MAX);
  const message = plainMessage(wordsOf(alerts.language).brokenFile(text));
  try {
    await postBulletin(sql, { chatId: ops, kind: 'trouble', topic, message });
    wake();
  } catch (err) {
    log.warn({ err }, 'The chat for ops could not be told.');
  }
}
