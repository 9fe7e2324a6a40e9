/**
 * report: tells Elasticsearch how the agents do and what became of alerts, in data streams of their own.
 * Takes rows of the outbox, which PostgreSQL itself fills in the transaction of each change, and the states of the agents at each
 * moment of a grid. Keeps: nothing is lost, since a row goes only when Elasticsearch has its document; nothing is doubled, since the
 * id follows from the row, `create` refuses an id that is there, and an outcome that is not known is looked up first. Memory holds
 * one batch.
 */
import type { StreamKey } from '@launchbeat/ecs-schemas';
import { type Log, pause } from '@launchbeat/ecs-schemas/beat';
import type { AlertsConfig } from '../assess/alerts-config.ts';
import type { Sql } from '../commit/database.ts';
import { createBulkWindow } from '../index/bulk-window.ts';
import { createClusterMender } from '../index/cluster-mender.ts';
import type { ElasticsearchConfig } from '../index/elasticsearch-config.ts';
import type { IndexCounters } from '../index/index-batch.ts';
import { openClient } from '../index/open-client.ts';
import { createRetries } from '../index/retries.ts';
import { checkTemplate } from '../index/set-up-template.ts';
import { queueAgentStates } from './agent-states.ts';
import { alertNames } from './alert-records.ts';
import { countReports, switchReports } from './report-rows.ts';
import { insist, type SendContext, sendReports } from './send-reports.ts';

export interface ReporterOptions {
  readonly sql: Sql;
  readonly config: ElasticsearchConfig;
  /** An agent that did not check in for so long is offline. */
  readonly offlineAfterMs: number;
  readonly alerts: AlertsConfig;
  readonly log: Log;
  /** Whether it may put index templates right; default false. */
  readonly maySetUp?: boolean;
  /** Unix milliseconds, for tests. */
  readonly now?: () => number;
}

export interface ReportCounts {
  /** Documents that Elasticsearch took. */
  readonly indexed: number;
  /** Documents that it had already. */
  readonly duplicates: number;
  /** Documents that it will never take; the outbox keeps them. */
  readonly refused: number;
  /** Requests that were repeated. */
  readonly retries: number;
  /** Moments whose states were left out, since too much waited. */
  readonly statesSkipped: number;
  /** Rows that wait, as last seen. */
  readonly waiting: number;
}

export interface Reporter {
  /** Rules and chats are called so from now on. */
  use(alerts: AlertsConfig): void;
  /** Works until aborted. Never throws for a store that is down. */
  run(signal: AbortSignal): Promise<void>;
  counts(): ReportCounts;
  close(): Promise<void>;
}

/** A request in flight may end by itself for so long after a stop was asked for. */
const STOP_GRACE_MS = 5_000;
const TEMPLATE_POLL_MS = 5_000;

/** Makes the reporter; nothing is opened or sent before run(). */
export function createReporter(options: ReporterOptions): Reporter {
  const { sql, config, log, offlineAfterMs, now = Date.now } = options;
  const client = openClient(config);
  const counters: IndexCounters = { indexed: 0, duplicates: 0, deadLetters: 0, retries: 0 };
  const retries = createRetries({ backoff: config.backoff, log });
  const window = createBulkWindow({ requestBytesMax: config.bulk.max_bytes, workers: 1 });
  const mending = { client, config, log, maySetUp: options.maySetUp === true };
  const menderOf = (stream: StreamKey) => createClusterMender({ ...mending, stream });
  const menders = {
    starts: menderOf('starts'),
    health: menderOf('health'),
    alerts: menderOf('alerts'),
  };
  const totals = { refused: 0, statesSkipped: 0, waiting: 0 };
  let names = alertNames(options.alerts);

  async function queueStates(): Promise<void> {
    const { interval: intervalMs } = config.reports;
    if ((await queueAgentStates(sql, { intervalMs, nowMs: now() })) !== 'full') return;
    totals.statesSkipped += 1;
    log.warn(
      {},
      'Too many reports wait for Elasticsearch; the states of this moment are left out.',
    );
  }

  /** One look at the time and at the outbox. True: there may be more to send. */
  async function round(context: Omit<SendContext, 'names'>): Promise<boolean> {
    try {
      await queueStates();
      const { more, refused } = await sendReports({ ...context, names });
      totals.refused += refused;
      totals.waiting = await countReports(sql);
      return more;
    } catch (err) {
      log.warn({ err }, 'Reports cannot be read from PostgreSQL; it is tried again.');
      return false;
    }
  }

  return {
    use(alerts) {
      names = alertNames(alerts);
    },
    async run(signal) {
      await insist(async () => switchReports(sql, config.enabled), log, signal);
      if (!config.enabled) {
        await ended(signal);
        return;
      }
      await waitForTemplates(client, config, signal);
      const abandon = new AbortController();
      const end = (): void => {
        setTimeout(() => abandon.abort(), STOP_GRACE_MS).unref();
      };
      signal.addEventListener('abort', end, { once: true });
      const { namespaces } = config;
      const tools = { client, retries, counters, window, menders };
      const about = { ...tools, sql, namespaces, offlineAfterMs, log };
      while (!signal.aborted) {
        const more = await round({ ...about, signal, abandon: abandon.signal });
        if (!more) await pause(config.queue.sweep_interval, signal);
      }
      signal.removeEventListener('abort', end);
    },
    counts() {
      const { indexed, duplicates, retries: repeated } = counters;
      return { indexed, duplicates, retries: repeated, ...totals };
    },
    close: async () => client.close(),
  };
}

/** Without its template a stream would guess its types, for good. */
async function waitForTemplates(
  client: ReturnType<typeof openClient>,
  config: ElasticsearchConfig,
  signal: AbortSignal,
): Promise<void> {
  while (config.template.enabled && !signal.aborted) {
    const found = await Promise.all([
      checkTemplate(client, config.namespaces, 'health'),
      checkTemplate(client, config.namespaces, 'alerts'),
    ]);
    if (found.every(({ outcome }) => outcome === 'done')) return;
    await pause(Math.min(TEMPLATE_POLL_MS, config.backoff.max), signal);
  }
}

async function ended(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
