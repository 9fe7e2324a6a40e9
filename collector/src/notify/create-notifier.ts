/**
 * notify: takes the outbox, gives messages to Telegram. Of all collectors on one PostgreSQL, one does it.
 * Keeps: an alert waits in the table until Telegram has it; nothing but a refusal for good takes it out of the queue.
 */
import { type Log, pause } from '@launchbeat/ecs-schemas/beat';
import type { AlertsConfig } from '../assess/alerts-config.ts';
import type { Sql } from '../commit/database.ts';
import type { Delivery, DeliveryCounters } from './deliver-rows.ts';
import { drainOutbox } from './drain-outbox.ts';
import { leadOnce } from './leadership.ts';
import { createOutageLog } from './outage-log.ts';
import { createPace } from './pace.ts';
import { createBot } from './send-message.ts';
import { isTelegramOn, type TelegramConfig } from './telegram-config.ts';
import { createWriteMessage } from './write-message.ts';

export interface NotifierOptions {
  readonly sql: Sql;
  readonly config: TelegramConfig;
  readonly alerts: AlertsConfig;
  readonly log: Log;
}

export interface NotifyCounts extends Readonly<DeliveryCounters> {
  /** Rows that wait, as last looked at; 0 on a collector that is not the leader. */
  readonly pending: number;
  /** 1 = this collector sends the messages. */
  readonly leader: number;
}

export interface NotifyCheck {
  readonly ok: boolean;
  readonly detail: string;
}

export interface Notifier {
  /** There may be new rows. */
  wake(): void;
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

/** Makes the notifier; nothing is opened or sent before run() or check(). */
export function createNotifier(options: NotifierOptions): Notifier {
  const { sql, config, alerts, log } = options;
  const counts = { sent: 0, failed: 0, retries: 0 };
  let pending = 0;
  let leader = 0;
  let woken = Promise.withResolvers<void>();

  async function run(stop: AbortSignal, shared: Delivery): Promise<void> {
    let down = false;
    while (!stop.aborted) {
      try {
        await leadOnce(sql, stop, async (signal) => {
          leader = 1;
          down = false;
          log.info({}, 'This collector sends the messages to Telegram.');
          await drainOutbox({
            delivery: shared,
            signal,
            woken: async () => woken.promise,
            onPending: (rows) => {
              pending = rows;
            },
          });
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
    wake() {
      woken.resolve();
      woken = Promise.withResolvers<void>();
    },
    async run(signal) {
      if (!isTelegramOn(config)) return;
      const abandon = new AbortController();
      const end = (): void => {
        setTimeout(() => abandon.abort(), STOP_GRACE_MS).unref();
      };
      signal.addEventListener('abort', end, { once: true });
      await run(signal, {
        sql,
        config,
        bot: createBot(config),
        write: createWriteMessage(alerts),
        pace: createPace(config.limits),
        outage: createOutageLog(log),
        counts,
        sentRows: new Map(),
        movedChats: new Map(),
        abandon: abandon.signal,
      });
    },
    async check() {
      if (!isTelegramOn(config)) {
        const detail = config.enabled
          ? 'off: no token in the config'
          : 'switched off in the config';
        return { ok: true, detail };
      }
      try {
        return { ok: true, detail: `bot ${await createBot(config).name()}` };
      } catch (error) {
        return { ok: false, detail: error instanceof Error ? error.message : String(error) };
      }
    },
    counts: () => ({ ...counts, pending, leader }),
  };
}
