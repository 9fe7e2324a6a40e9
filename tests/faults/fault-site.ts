/**
 * A whole Launchbeat under fault: real agent and collector, real stores, the strict Telegram stand-in, and gates between them that can
 * be cut and held up. `scenario()` runs a fault, then a quiet phase, then the oracle's verdict, and prints its figures.
 */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { testElasticsearch, uniqueNamespace } from '../support/elasticsearch.ts';
import { eventually } from '../support/eventually.ts';
import { type HttpGate, startHttpGate } from '../support/http-gate.ts';
import {
  type Installation,
  type InstallationOptions,
  installLaunchbeat,
} from '../support/launchbeat.ts';
import { type PostgresServer, startPostgres, testDatabase } from '../support/postgres.ts';
import type { Program } from '../support/processes.ts';
import { startTelegram, type TelegramStandIn } from '../support/telegram.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type Given, giveEvents, writeRecording } from './given-events.ts';
import { createRandom, type Random, SEED } from './random.ts';
import { countRows, judge, type Stores, type Verdict } from './verdict.ts';

const CHAT = 36;
const BRIDGE = fileURLToPath(new URL('../support/play-bridge.ts', import.meta.url));
const QUIET_TIMEOUT_MS = 120_000;

export interface SiteOptions {
  /** The events; default 400. */
  readonly given?: readonly Given[];
  /** Spread over so long; default 4. */
  readonly seconds?: number;
  /** Further arguments of the played bridge. */
  readonly bridge?: readonly string[];
  /** A PostgreSQL of its own, which can be stopped. */
  readonly privatePostgres?: boolean;
  readonly collector?: InstallationOptions['collector'];
  readonly agent?: InstallationOptions['agent'];
}

export interface Site {
  readonly t: TestContext;
  readonly random: Random;
  readonly given: readonly Given[];
  readonly installation: Installation;
  readonly stores: Stores;
  readonly telegram: TelegramStandIn;
  /** Between agent and collector. */
  readonly wire: HttpGate;
  /** Between collector and Elasticsearch. */
  readonly index: HttpGate;
  /** Only with privatePostgres. */
  readonly postgres: PostgresServer | undefined;
  /** The running programs; kill and start them at will. */
  agent: Program;
  collector: Program;
  startAgent(): Program;
  startCollector(): Promise<Program>;
  /** Counts a fault that was done, for the figures. */
  injected(what?: string): void;
  /** Rows in PostgreSQL now; 0 while it cannot be asked. */
  rows(): Promise<number>;
  /** Resolves when so many rows are there. */
  reached(rows: number): Promise<void>;
}

async function openSite(t: TestContext, number: number, options: SiteOptions): Promise<Site> {
  const folder = temporaryFolder(t);
  const given = options.given ?? giveEvents({ count: 400 });
  const recording = join(folder, 'recording.xml');
  writeRecording(recording, given);
  const postgres = options.privatePostgres === true ? await startPostgres() : undefined;
  t.after(() => postgres?.stop());
  const postgresUrl = postgres?.url ?? (await testDatabase(t)).url;
  const elasticsearch = await testElasticsearch();
  const index = await startHttpGate({ target: { port: Number(new URL(elasticsearch.url).port) } });
  t.after(() => index.stop());
  const telegram = await startTelegram({
    chats: [{ id: CHAT, type: 'private' }],
    limits: { chatPerSecond: Number.POSITIVE_INFINITY },
  });
  t.after(() => telegram.stop());
  const namespace = uniqueNamespace();
  const installation = await installLaunchbeat({
    folder: join(folder, 'site'),
    postgresUrl,
    elasticsearchUrl: `http://127.0.0.1:${index.port}`,
    namespace,
    telegram: { apiRoot: telegram.url, token: telegram.token },
    alerts: { chats: { faults: CHAT } },
    collector: {
      telegram: { limits: { per_chat_per_second: 100 }, backoff: { init: '100ms', max: '1s' } },
      ...options.collector,
    },
    agent: {
      select: 'all',
      capture: {
        source: 'security-log',
        command: [
          process.execPath,
          BRIDGE,
          '--file',
          recording,
          '--seconds',
          String(options.seconds ?? 4),
          ...(options.bridge ?? []),
        ],
        poll_interval: '100ms',
        batch_size: 20,
        restart: { backoff: { init: '100ms', max: '500ms' } },
      },
      ...options.agent,
    },
  });
  const wire = await startHttpGate({ target: { port: installation.port } });
  t.after(() => wire.stop());
  return runningSite({
    t,
    number,
    given,
    installation,
    postgres,
    wire,
    index,
    telegram,
    stores: { postgresUrl, elasticsearchUrl: elasticsearch.url, namespace, telegram },
  });
}

type Parts = Pick<
  Site,
  't' | 'given' | 'installation' | 'postgres' | 'wire' | 'index' | 'telegram' | 'stores'
> & { number: number };

async function runningSite(parts: Parts): Promise<Site & { faults(): number }> {
  const { installation, stores, t, wire } = parts;
  let faults = 0;
  const startAgent = (): Program =>
    installation.startAgent('-E', `output.collector.url=https://localhost:${wire.port}`);
  const rows = (): Promise<number> => countRows(stores.postgresUrl).catch(() => 0);
  const site = {
    ...parts,
    random: createRandom(parts.number),
    collector: await installation.startCollector(),
    agent: startAgent(),
    startAgent,
    startCollector: () => installation.startCollector(),
    injected: () => {
      faults += 1;
    },
    faults: () => faults,
    rows,
    async reached(count: number) {
      await eventually(async () => (await rows()) >= count, { timeoutMs: 60_000, intervalMs: 50 });
    },
  };
  t.after(async () => {
    await site.agent.stop('SIGKILL');
    await site.collector.stop('SIGKILL');
  });
  return site;
}

export interface ScenarioOptions extends SiteOptions {
  /** Messages that the fault may double: an answer of Telegram that is lost. */
  readonly repeatedMax?: number;
  /** The fault loses these on purpose, and must say so. */
  readonly mayLose?: (given: readonly Given[]) => readonly string[];
}

/** Declares a scenario of the list; `fault` does its harm and mends what it broke. */
export function scenario(
  number: number,
  name: string,
  fault: (site: Site) => Promise<void>,
  options: ScenarioOptions = {},
): void {
  test(`fault ${number}: ${name}`, async (t) => {
    const site = (await openSite(t, number, options)) as Site & { faults(): number };
    const startMs = performance.now();
    await fault(site);
    const mendedMs = performance.now();
    const verdict = await quiet(site, options);
    const figures = {
      number,
      name,
      seed: SEED,
      given: verdict.given,
      faults: site.faults(),
      lost: verdict.lost.length,
      doubled: verdict.doubled.length,
      repeatedMessages: verdict.repeated,
      faultSeconds: seconds(mendedMs - startMs),
      recoverSeconds: seconds(performance.now() - mendedMs),
    };
    t.diagnostic(JSON.stringify(figures));
    const table = process.env['LAUNCHBEAT_FAULTS_TABLE'];
    if (table !== undefined) appendFileSync(table, `${JSON.stringify(figures)}\n`);
  });
}

const seconds = (ms: number): number => Math.round(ms / 100) / 10;

/** Waits until everything is there, then asks once more whether it is there once. */
async function quiet(site: Site, options: ScenarioOptions): Promise<Verdict> {
  const expectedLoss = options.mayLose?.(site.given) ?? [];
  const check = async (): Promise<Verdict> => {
    const verdict = await judge(site.given, site.stores);
    assert.deepEqual(
      verdict.lost.filter((mark) => !expectedLoss.includes(mark)),
      [],
      `lost; the agent said: ${site.agent.stderr().slice(-2000)}; the collector: ${site.collector.stderr().slice(-2000)}`,
    );
    assert.equal(verdict.silent, 0, 'alerts that nobody heard');
    return verdict;
  };
  await eventually(check, { timeoutMs: QUIET_TIMEOUT_MS, intervalMs: 250 });
  const verdict = await check();
  assert.deepEqual(verdict.doubled, [], 'events that are there twice');
  assert.deepEqual(verdict.changed, [], 'events that came out changed');
  assert.ok(
    verdict.repeated <= (options.repeatedMax ?? 0),
    `${verdict.repeated} messages came twice, at most ${options.repeatedMax ?? 0} may`,
  );
  return verdict;
}
