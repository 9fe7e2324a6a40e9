/**
 * A whole Launchbeat under fault: real agent and collector, real stores, the strict Telegram stand-in, and gates between them that can
 * be cut and held up. Opened by scenario() and by the soak.
 */
import { join } from 'node:path';
import type { TestContext } from 'node:test';
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
import type { TelegramChat } from '../support/telegram-chats.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { controlDisk, type DiskControl } from './disk-control.ts';
import { type Given, giveEvents, writeRecording } from './given-events.ts';
import { createRandom, type Random } from './random.ts';
import { countRows, type Stores } from './verdict.ts';

export const CHAT = 36;
const BRIDGE = fileURLToPath(new URL('../support/play-bridge.ts', import.meta.url));

export interface SiteOptions {
  /** The events; default 400. */
  readonly given?: readonly Given[];
  /** Of them, those that the agent's log has; default all. */
  readonly recorded?: (given: readonly Given[]) => readonly Given[];
  /** Spread over so long; default 4. */
  readonly seconds?: number;
  /** Further arguments of the played bridge; the folder is the site's. */
  readonly bridge?: readonly string[] | ((folder: string) => readonly string[]);
  /** A PostgreSQL of its own, which can be stopped. */
  readonly privatePostgres?: boolean;
  /** Merged into `capture:` of launchbeat.yml. */
  readonly capture?: Readonly<Record<string, unknown>>;
  /** Further chats at Telegram. */
  readonly chats?: readonly TelegramChat[];
  /** Merged into alerts.yml. */
  readonly alerts?: Readonly<Record<string, unknown>>;
  readonly collector?: InstallationOptions['collector'];
  readonly agent?: InstallationOptions['agent'];
  /** A disk under the agent's data folder that can fail; see Site.disk. */
  readonly faultyDisk?: boolean;
  /** What runs the agent; gets its data folder. */
  readonly agentCommand?: (data: string) => readonly [string, ...string[]];
}

export interface Site {
  readonly t: Pick<TestContext, 'after'>;
  readonly random: Random;
  readonly given: readonly Given[];
  /** Holds the recording, and whatever a scenario wants to put there. */
  readonly folder: string;
  readonly installation: Installation;
  readonly stores: Stores;
  readonly telegram: TelegramStandIn;
  /** Between agent and collector. */
  readonly wire: HttpGate;
  /** Between collector and Elasticsearch. */
  readonly index: HttpGate;
  /** In force with options.faultyDisk. */
  readonly disk: DiskControl;
  /** Only with privatePostgres. */
  readonly postgres: PostgresServer | undefined;
  /** The running programs; kill and start them at will. */
  agent: Program;
  collector: Program;
  startAgent(): Program;
  startCollector(): Promise<Program>;
  /** Counts a fault that was done, for the figures. */
  injected(what?: string): void;
  faults(): number;
  /** Rows in PostgreSQL now; 0 while it cannot be asked. */
  rows(): Promise<number>;
  /** Resolves when so many rows are there. */
  reached(rows: number): Promise<void>;
}

/** Sets everything up and starts both programs. `number` chooses the moments. */
export async function openSite(
  t: Pick<TestContext, 'after'>,
  number: number,
  options: SiteOptions,
): Promise<Site> {
  const folder = temporaryFolder(t);
  const given = options.given ?? giveEvents({ count: 400 });
  const recording = join(folder, 'recording.xml');
  writeRecording(recording, options.recorded?.(given) ?? given);
  const postgres = options.privatePostgres === true ? await startPostgres() : undefined;
  t.after(() => postgres?.stop());
  const postgresUrl = postgres?.url ?? (await testDatabase(t)).url;
  const elasticsearch = await testElasticsearch();
  const index = await startHttpGate({ target: { port: Number(new URL(elasticsearch.url).port) } });
  t.after(() => index.stop());
  const telegram = await startTelegram({
    chats: [{ id: CHAT, type: 'private' }, ...(options.chats ?? [])],
    limits: { chatPerSecond: Number.POSITIVE_INFINITY },
  });
  t.after(() => telegram.stop());
  const namespace = uniqueNamespace();
  const home = join(folder, 'site');
  const data = join(home, 'agent-data');
  const disk = controlDisk(join(folder, 'disk.json'), data);
  const onFaultyDisk = (): readonly [string, ...string[]] => [process.execPath, ...disk.node];
  const command = options.faultyDisk === true ? onFaultyDisk : options.agentCommand;
  const installation = await installLaunchbeat({
    folder: home,
    postgresUrl,
    elasticsearchUrl: `http://127.0.0.1:${index.port}`,
    namespace,
    telegram: { apiRoot: telegram.url, token: telegram.token },
    alerts: { time_zone: 'UTC', chats: { faults: CHAT }, ...options.alerts },
    collector: {
      telegram: { limits: { per_chat_per_second: 100 }, backoff: { init: '100ms', max: '1s' } },
      ...options.collector,
    },
    agent: {
      select: 'all',
      capture: captureOf(options, recording),
      ...options.agent,
    },
    ...(command === undefined ? {} : { agentCommand: command(data) }),
  });
  const wire = await startHttpGate({ target: { port: installation.port } });
  t.after(() => wire.stop());
  return runningSite({
    ...{ t, number, given, folder, installation, postgres, wire, index, disk, telegram },
    stores: { postgresUrl, elasticsearchUrl: elasticsearch.url, namespace, telegram },
  });
}

/** What of launchbeat.yml makes the agent read a recording; other agents of a scenario use it too. */
export function captureOf(
  options: Pick<SiteOptions, 'seconds' | 'bridge' | 'capture'>,
  recording: string,
): Readonly<Record<string, unknown>> {
  const { bridge = [], seconds = 4 } = options;
  const more = typeof bridge === 'function' ? bridge(join(recording, '..')) : bridge;
  return {
    source: 'security-log',
    command: [
      ...[process.execPath, BRIDGE, '--file', recording, '--seconds', String(seconds)],
      ...more,
    ],
    poll_interval: '100ms',
    batch_size: 20,
    restart: { backoff: { init: '100ms', max: '500ms' } },
    ...options.capture,
  };
}

type Parts = Omit<
  Site,
  | 'random'
  | 'agent'
  | 'collector'
  | 'startAgent'
  | 'startCollector'
  | 'injected'
  | 'faults'
  | 'rows'
  | 'reached'
> & { readonly number: number };

async function runningSite({ number, ...parts }: Parts): Promise<Site> {
  const { installation, stores, t, wire } = parts;
  let faults = 0;
  const startAgent = (): Program =>
    installation.startAgent('-E', `output.collector.url=https://localhost:${wire.port}`);
  const rows = (): Promise<number> => countRows(stores.postgresUrl).catch(() => 0);
  const site: Site = {
    ...parts,
    random: createRandom(number),
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
