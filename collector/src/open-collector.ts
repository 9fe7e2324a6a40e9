/**
 * Takes the config, opens every stage and puts them together: the one place that knows all of them.
 * Keeps: nothing listens before the tables are there; on the way out requests are answered first, then the queues stop.
 */
import {
  countsAsMetrics,
  type Log,
  type Metrics,
  type Paths,
  pause,
} from '@launchbeat/ecs-schemas/beat';
import { createAgentTags } from './agent-tags.ts';
import { createApp } from './app.ts';
import type { AlertsConfig } from './assess/alerts-config.ts';
import { createCommit } from './commit/commit.ts';
import { openDatabase, type Sql } from './commit/database.ts';
import { migrate, pendingMigrations } from './commit/migrate.ts';
import { createRetention } from './commit/retention.ts';
import type { CollectorConfig } from './config.ts';
import { fleetMetrics } from './fleet-metrics.ts';
import { createHealth } from './health.ts';
import { type HttpServer, startHttpServer } from './http-server.ts';
import { createIndexer, type Indexer } from './index/create-indexer.ts';
import { createLiveRules } from './live-rules.ts';
import { createMetrics, type MetricsRegistry } from './metrics.ts';
import { createNotifier, type Notifier } from './notify/create-notifier.ts';
import { isTelegramOn } from './notify/telegram-config.ts';
import { openAdmission } from './open-admission.ts';
import { createReporter } from './report/create-reporter.ts';
import { stageMetrics } from './stage-metrics.ts';
import { storeMetrics } from './store-metrics.ts';
import { createWatch } from './watch/create-watch.ts';

const SETUP_RETRY_MS = 5000;

export interface CollectorOptions {
  readonly config: CollectorConfig;
  readonly alerts: AlertsConfig;
  readonly paths: Paths;
  readonly version: string;
  readonly log: Log;
}

export interface Collector {
  /** These rules, chats and words are in force from now on. */
  useAlerts(alerts: AlertsConfig): void;
  /** What can change while it runs (reload-config.ts says what) is in force from now on. */
  use(config: CollectorConfig): void;
  /** A changed alerts.yml cannot be used: says so where ops listen. Never rejects. */
  tellBroken(problem: string): Promise<void>;
  /** Listens and works until the signal. */
  run(signal: AbortSignal): Promise<void>;
  /** What every stage counted since the start. */
  metrics(): Metrics;
  close(): Promise<void>;
}

/** Opens every stage; makes tables where the config says so. Rejects where PostgreSQL cannot be used. */
export async function openCollector(options: CollectorOptions): Promise<Collector> {
  const { config, alerts, paths, version, log } = options;
  const sql = openDatabase(config.postgresql);
  await prepareTables(sql, config, log);

  const indexing = config.elasticsearch.enabled;
  const telling = isTelegramOn(config.telegram);
  const tags = createAgentTags(sql, log);
  const rules = createLiveRules(alerts, telling, tags.tagsOf);
  const door = openAdmission({ sql, config, rules, log });
  const { admit, authenticate, fleet, addresses } = door;
  const commit = createCommit({ sql, config: config.postgresql, indexing, log });
  const metrics = createMetrics({ process: true });
  const { indexer, notifier, reporter, retention } = createQueues(sql, options, metrics);
  const { wake } = notifier;
  const watch = createWatch({ sql, rules, config: config.fleet, wake, log });
  metrics.watch([
    ...stageMetrics(admit, commit),
    ...storeMetrics(indexer, notifier, reporter),
    ...fleetMetrics(fleet),
  ]);
  const app = createApp({
    ...{ addresses, admit, authenticate, commit, indexer, notifier, metrics },
    noteSecurity: fleet.noteSecurity,
    fleet: door.routes,
    health: createHealth({ sql, elasticsearch: indexing ? () => indexer.check() : undefined }),
    version,
    log,
  });

  let server: HttpServer | undefined;
  return {
    async run(signal) {
      const ended = new AbortController();
      server = await startHttpServer({
        app,
        config: config.http,
        configFolder: paths.config,
        bodyTimeoutMs: config.admit.body_timeout,
        isProxy: addresses.isProxy,
        log,
      });
      const settingUp =
        indexing && config.setup.enabled ? setUpIndex(indexer, log, ended.signal) : undefined;
      const background = [
        ...(indexing ? [indexer.run(ended.signal)] : []),
        ...(telling ? [notifier.run(ended.signal), watch.run(ended.signal)] : []),
        tags.run(ended.signal),
        reporter.run(ended.signal),
        retention.run(ended.signal),
        fleet.run(ended.signal),
        rules.learn(sql, log, ended.signal),
      ];
      try {
        await Promise.race([once(signal), ...background]);
      } finally {
        await server.stop();
        ended.abort();
        await Promise.allSettled([settingUp, ...background]);
      }
    },
    useAlerts(changedTo) {
      rules.use(changedTo);
      notifier.use(changedTo);
      reporter.use(changedTo);
    },
    use(changedTo) {
      door.use(changedTo);
      server?.lookAtCertificate();
    },
    tellBroken: (problem) => notifier.tellBroken(problem),
    metrics: () => countsOfStages({ commit, index: indexer, notify: notifier, report: reporter }),
    async close() {
      await indexer.close();
      await reporter.close();
      await sql.end({ timeout: 5 });
    },
  };
}

/** The notifier with what other parts of the config say of it. */
function openNotifier(
  { config, alerts, log }: CollectorOptions,
  sql: Sql,
  metrics: MetricsRegistry,
): Notifier {
  const { link, space, language } = config.kibana;
  return createNotifier({
    ...{ sql, config: config.telegram, alerts, log, offlineAfterMs: config.fleet.offline_after },
    onTold: (seconds) => metrics.alertTold(seconds),
    ...(link === undefined ? {} : { kibana: { url: link, space, language } }),
  });
}

/** What works by itself behind the commit. */
function createQueues(sql: Sql, options: CollectorOptions, metrics: MetricsRegistry) {
  const { config, alerts, log } = options;
  const { elasticsearch, postgresql, fleet } = config;
  return {
    indexer: createIndexer({ sql, config: elasticsearch, log, maySetUp: config.setup.enabled }),
    notifier: openNotifier(options, sql, metrics),
    reporter: createReporter({
      ...{ sql, config: elasticsearch, alerts, log, maySetUp: config.setup.enabled },
      offlineAfterMs: fleet.offline_after,
    }),
    retention: createRetention({ sql, config: postgresql, log }),
  };
}

type Counting = { readonly counts: () => object };

/** What every stage counted, under the stage's name. */
function countsOfStages(stages: Readonly<Record<string, Counting>>): Metrics {
  const metrics = Object.entries(stages).map(([name, it]) => countsAsMetrics(name, it.counts()));
  return Object.assign({}, ...metrics);
}

async function prepareTables(sql: Sql, config: CollectorConfig, log: Log): Promise<void> {
  if (config.setup.enabled) {
    const applied = await migrate(sql);
    if (applied.length > 0) log.info({}, `PostgreSQL: applied ${applied.join(', ')}.`);
    return;
  }
  const pending = await pendingMigrations(sql);
  if (pending.length > 0) {
    throw new Error(
      `PostgreSQL lacks ${pending.join(', ')} and setup.enabled is false. Run launchbeat-collector setup with a role that may create tables.`,
    );
  }
}

/**
 * Makes the template, as often as it takes: an Elasticsearch that is away at the start only delays the index.
 */
async function setUpIndex(indexer: Indexer, log: Log, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      log.info({}, `Elasticsearch: ${(await indexer.setup()).detail}`);
      return;
    } catch (error) {
      if (attempt === 0) {
        log.warn({ err: error }, 'Elasticsearch cannot be set up yet; chunks wait in PostgreSQL.');
      }
      await pause(SETUP_RETRY_MS, signal);
    }
  }
}

/** Resolves when the signal is aborted. */
function once(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
