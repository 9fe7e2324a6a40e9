/**
 * Runs the collector's app in this process: real HTTP, real PostgreSQL; index and notify are noted, not run.
 * Gives its address, a key, and a way to send chunks as an agent does.
 */
import type { TestContext } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import {
  apiKeyAuthorization,
  CHUNKS_PATH,
  contentDigest,
  countLines,
  type Encoding,
  HEADER,
  idempotencyKey,
  NDJSON_TYPE,
} from '@launchbeat/ecs-schemas';
import { type Log, SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { type AdmitConfig, admitConfigSchema } from '../../collector/src/admit/admit-config.ts';
import { createAuthenticate } from '../../collector/src/admit/authenticate.ts';
import { createAdmit } from '../../collector/src/admit/create-admit.ts';
import { createFailedKeys } from '../../collector/src/admit/failed-keys.ts';
import { createApp } from '../../collector/src/app.ts';
import { alertsConfigSchema } from '../../collector/src/assess/alerts-config.ts';
import { createAssess } from '../../collector/src/assess/assess.ts';
import { createCandidates } from '../../collector/src/assess/candidates.ts';
import { createClientAddresses } from '../../collector/src/client-address.ts';
import { type CommittedChunk, createCommit } from '../../collector/src/commit/commit.ts';
import { openDatabase, type Sql } from '../../collector/src/commit/database.ts';
import { postgresqlConfigSchema } from '../../collector/src/commit/postgresql-config.ts';
import { createReady } from '../../collector/src/commit/ready-event.ts';
import { createFleet, type Fleet } from '../../collector/src/fleet/create-fleet.ts';
import { fleetConfigSchema } from '../../collector/src/fleet/fleet-config.ts';
import { createKeyStore, type KeyStore, type NewKey } from '../../collector/src/fleet/keys.ts';
import { fleetMetrics } from '../../collector/src/fleet-metrics.ts';
import { createFleetRoutes } from '../../collector/src/fleet-routes.ts';
import { createHealth } from '../../collector/src/health.ts';
import { type HttpConfig, httpConfigSchema } from '../../collector/src/http-config.ts';
import { type HttpServer, startHttpServer } from '../../collector/src/http-server.ts';
import { createMetrics } from '../../collector/src/metrics.ts';
import { stageMetrics } from '../../collector/src/stage-metrics.ts';
import { testDatabase } from './postgres.ts';

export interface CollectorAppOptions {
  readonly admit?: Partial<AdmitConfig>;
  readonly http?: Partial<HttpConfig>;
  /** Section `postgresql` as it stands in the file, without url. */
  readonly postgresql?: Readonly<Record<string, unknown>>;
  /** The whole of alerts.yml. */
  readonly alerts?: Readonly<Record<string, unknown>>;
  readonly namespaces?: readonly string[];
  readonly indexing?: boolean;
  /** Section `fleet` as it stands in the file. */
  readonly fleet?: Readonly<Record<string, unknown>>;
  /** The clock of keys, fleet and counting rules, Unix milliseconds. */
  readonly now?: () => number;
  readonly log?: Log;
  /** Instead of a database of its own. */
  readonly databaseUrl?: string;
}

export interface CollectorApp {
  readonly server: HttpServer;
  readonly sql: Sql;
  readonly keys: KeyStore;
  readonly fleet: Fleet;
  /** A key that nobody used yet. */
  readonly key: NewKey;
  /** What index was offered. */
  readonly offered: readonly CommittedChunk[];
  /** How often notify was woken. */
  woken(): number;
  send(body: Uint8Array, options?: SendOptions): Promise<Answer>;
}

export interface SendOptions {
  readonly encoding?: Encoding;
  /** Default: as many as `body` has, if that is NDJSON. */
  readonly lines?: number;
  readonly idempotencyKey?: string;
  readonly key?: Pick<NewKey, 'id' | 'secret'>;
  /** Over those that an agent sends; null takes one away. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** Body is as it goes over the wire; not compressed again. */
  readonly compressed?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what a test looks at.
  readonly body: any;
}

let nextByte = 0;

/** A bug of the app shows where its test failed. */
const ERRORS_ONLY: Log = {
  ...SILENT_LOG,
  error: ({ err }, message) => {
    if (err !== undefined) console.error(message, err);
  },
};

/** Starts it; all ends with the test. */
export async function startCollectorApp(
  t: Pick<TestContext, 'after'>,
  options: CollectorAppOptions = {},
): Promise<CollectorApp> {
  const url = options.databaseUrl ?? (await testDatabase(t)).url;
  const log = options.log ?? ERRORS_ONLY;
  const postgresql = postgresqlConfigSchema.parse({ ...options.postgresql, url });
  const admitConfig = { ...admitConfigSchema.parse({}), ...options.admit };
  const sql = openDatabase(postgresql);
  const keys = createKeyStore(sql, options.now);
  const failed = createFailedKeys(() => admitConfig.failed_keys_per_minute);
  const authenticate = createAuthenticate({ config: admitConfig, keys, failed, log });
  const namespaces = options.namespaces ?? ['default'];
  const fleetConfig = fleetConfigSchema.parse(options.fleet ?? {});
  const fleet = createFleet({
    ...{ sql, config: fleetConfig, log },
    ...(options.now === undefined ? {} : { now: options.now }),
  });
  const { noteSecurity } = fleet;
  const alerts = alertsConfigSchema.parse(options.alerts ?? {});
  const rules = { assess: createAssess(alerts), findCandidates: createCandidates(alerts) };
  const admit = createAdmit({
    ...{ config: admitConfig, keys, authenticate, namespaces, noteSecurity, log },
    startKeeping: createReady(() => rules),
  });
  const indexing = options.indexing ?? true;
  const commit = createCommit({
    ...{ sql, config: postgresql, indexing, log },
    ...(options.now === undefined ? {} : { now: options.now }),
  });
  const metrics = createMetrics({ process: false });
  metrics.watch([...stageMetrics(admit, commit), ...fleetMetrics(fleet)]);
  const offered: CommittedChunk[] = [];
  let woken = 0;
  const http = { ...httpConfigSchema.parse({ host: '127.0.0.1', port: 0 }), ...options.http };
  const app = createApp({
    addresses: createClientAddresses(http),
    authenticate,
    admit,
    commit,
    noteSecurity,
    indexer: { offer: (chunk) => void offered.push(chunk) },
    notifier: {
      wake: () => {
        woken += 1;
      },
    },
    health: createHealth({ sql }),
    fleet: createFleetRoutes({
      ...{ fleet, keys, authenticate, failed, log },
      perMinute: () => fleetConfig.requests_per_minute,
      bodyTimeoutMs: () => admitConfig.body_timeout,
    }),
    metrics,
    version: '0.0.0',
    log,
  });
  const server = await startHttpServer({
    app,
    config: http,
    configFolder: '/',
    bodyTimeoutMs: admitConfig.body_timeout,
    log,
  });
  t.after(async () => {
    await server.stop();
    await sql.end({ timeout: 1 });
  });
  const key = await keys.create({ name: 'PC of the test' });
  return {
    server,
    sql,
    keys,
    fleet,
    key,
    offered,
    woken: () => woken,
    send: async (body, sendOptions) => await send(server.url, key, body, sendOptions),
  };
}

/** Sends one chunk. */
async function send(
  url: string,
  ownKey: NewKey,
  body: Uint8Array,
  options: SendOptions = {},
): Promise<Answer> {
  const encoding = options.encoding ?? 'zstd';
  const compress = encoding === 'zstd' ? zstdCompressSync : gzipSync;
  const bytes = options.compressed === true ? body : compress(body);
  const response = await fetch(url + CHUNKS_PATH, {
    method: 'POST',
    headers: chunkHeaders(ownKey, body, bytes, { ...options, encoding }),
    body: bytes as Uint8Array<ArrayBuffer>,
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  };
}

/** The headers that an agent sends. */
export function chunkHeaders(
  ownKey: Pick<NewKey, 'id' | 'secret'>,
  raw: Uint8Array,
  bytes: Uint8Array,
  options: SendOptions = {},
): Record<string, string> {
  const { id, secret } = options.key ?? ownKey;
  nextByte += 1000;
  const headers: Record<string, string | null> = {
    [HEADER.authorization]: apiKeyAuthorization(id, secret),
    [HEADER.contentType]: NDJSON_TYPE,
    [HEADER.contentEncoding]: options.encoding ?? 'zstd',
    [HEADER.contentDigest]: contentDigest(bytes),
    [HEADER.lines]: String(options.lines ?? countLines(Buffer.from(raw))),
    [HEADER.idempotencyKey]:
      options.idempotencyKey ??
      idempotencyKey('launchbeat.20261123.1.ndjson', nextByte, nextByte + 999),
    ...options.headers,
  };
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== null),
  );
}
