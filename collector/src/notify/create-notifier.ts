/**
 * notify: takes the outbox, gives messages to Telegram. Of all collectors on one PostgreSQL, one does it.
 * Keeps: an alert waits in the table until Telegram has it; nothing but a refusal for good takes it out of the queue.
 */
import { type Log, pause } from '@launchbeat/ecs-schemas/beat';
import type { AlertsConfig } from '../assess/alerts-config.ts';
import type { Sql } from '../commit/database.ts';
import { csvHead, csvLine } from './alerts-csv.ts';
import type { Delivery, DeliveryCounters } from './deliver-parcel.ts';
import { drainOutbox } from './drain-outbox.ts';
import { leadOnce } from './leadership.ts';
import { createOutageLog } from './outage-log.ts';
import { createPace } from './pace.ts';
import { createQuietPolicies } from './quiet-policies.ts';
import { createBot } from './send-message.ts';
import { isTelegramOn, type TelegramConfig } from './telegram-config.ts';
import { createTriageOutbox, type TriageOutbox } from './triage-outbox.ts';
import { wordsOf } from './words.ts';
import { createWriteMessage } from './write-message.ts';
import { createWriteNotice } from './write-notice.ts';

export interface NotifierOptions {
  readonly sql: Sql;
  readonly config: TelegramConfig;
  readonly alerts: AlertsConfig;
  readonly log: Log;
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
  const { sql, config, log } = options;
  const now = options.now ?? Date.now;
  let voice = createVoice(options.alerts);
  const counts = { sent: 0, failed: 0, retries: 0 };
  const fates = { folded: 0, suppressed: 0, held: 0, stormed: 0 };
  let pending = 0;
  let leader = 0;
  let woken = Promise.withResolvers<void>();

  async function triage(outbox: TriageOutbox, signal: AbortSignal): Promise<void> {
    const { folded, suppressed, held, stormed } = await outbox.run(now(), signal);
    fates.folded += folded;
    fates.suppressed += suppressed;
    fates.held += held;
    fates.stormed += stormed;
  }

  async function run(stop: AbortSignal, shared: Delivery): Promise<void> {
    let down = false;
    const outbox = createTriageOutbox(sql, () => voice.policies);
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
            triage: async (over) => triage(outbox, over),
            triaged: () => voice.policies.isOn,
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
    use(alerts) {
      voice = createVoice(alerts);
    },
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
        ...deliveryOf(() => voice, counts),
        sql,
        config,
        bot: createBot(config),
        pace: createPace(config.limits),
        outage: createOutageLog(log),
        abandon: abandon.signal,
        now,
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
    counts: () => ({ ...counts, ...fates, pending, leader }),
  };
}

type Voice = ReturnType<typeof createVoice>;

/** What alerts.yml says of messages: whether, and in which words. */
function createVoice(alerts: AlertsConfig) {
  const { language } = alerts;
  const write = createWriteMessage(alerts);
  return {
    policies: createQuietPolicies(alerts),
    write,
    writeNotice: createWriteNotice(alerts, write),
    csvHead: csvHead(language),
    csvLine: (fields: Readonly<Record<string, string>>) => csvLine(fields, language),
    listWords: wordsOf(language).list,
  };
}

/** What is written, by the voice of the moment, and what a run keeps in mind. */
function deliveryOf(voice: () => Voice, counts: DeliveryCounters) {
  return {
    write: ((alert, unitsMax) => voice().write(alert, unitsMax)) satisfies Delivery['write'],
    writeNotice: ((notice, groups) =>
      voice().writeNotice(notice, groups)) satisfies Delivery['writeNotice'],
    csv: {
      head: () => voice().csvHead,
      line: (fields: Readonly<Record<string, string>>) => voice().csvLine(fields),
    },
    listWords: (part: number) => voice().listWords(part),
    counts,
    sentRows: new Map<string, number>(),
    movedChats: new Map<string, string>(),
  };
}
