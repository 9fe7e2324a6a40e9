/**
 * A collector for one round: its own database and namespace, real program, keys for the agents that will come.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { openDatabase } from '../../collector/src/commit/database.ts';
import { createKeyStore } from '../../collector/src/fleet/keys.ts';
import { type Installation, installLaunchbeat } from '../../tests/support/launchbeat.ts';
import type { Program } from '../../tests/support/processes.ts';
import { type Usage, usageOf } from '../process-usage.ts';
import type { SimulatedAgent } from './chunks.ts';

export interface RoundOptions {
  readonly folder: string;
  /** Of the server; a database is made on it. */
  readonly postgresUrl: string;
  readonly elasticsearchUrl?: string | undefined;
  readonly telegram?: { readonly apiRoot: string; readonly token: string };
  readonly alerts?: Readonly<Record<string, unknown>>;
  readonly collector?: Readonly<Record<string, unknown>>;
  readonly agent?: Readonly<Record<string, unknown>>;
}

export interface Round {
  readonly namespace: string;
  readonly databaseUrl: string;
  readonly installation: Installation;
  readonly collector: Program;
  usage(): Usage;
  /** A number of its /metrics, without the prefix. */
  metric(name: string): Promise<number>;
  agents(count: number): Promise<SimulatedAgent[]>;
  /** Ends the collector; throws with its log when it does not end well. */
  stop(): Promise<void>;
}

let round = 0;

/** Makes the database, the configs and the keys, starts the collector. */
export async function startRound(options: RoundOptions): Promise<Round> {
  round += 1;
  const namespace = `bench_${process.pid}_${round}`;
  const databaseUrl = await makeDatabase(options.postgresUrl, namespace);
  const { folder, postgresUrl: _, ...rest } = options;
  const installation = await installLaunchbeat({
    ...rest,
    folder: join(folder, namespace),
    postgresUrl: databaseUrl,
    namespace,
  });
  const collector = await installation.startCollector();
  return {
    namespace,
    databaseUrl,
    installation,
    collector,
    usage: () => usageOf(collector.pid),
    async metric(name) {
      const { text } = await installation.get('/metrics');
      return Number(new RegExp(`^\\w*${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
    },
    agents: (count) => makeAgents(databaseUrl, count),
    async stop() {
      const end = await collector.stop();
      if (end.code !== 0)
        throw new Error(`The collector ended with ${end.code}:\n${collector.stderr()}`);
    },
  };
}

/** Gives keys to `count` agents that never enrolled. */
export async function makeAgents(databaseUrl: string, count: number): Promise<SimulatedAgent[]> {
  const sql = openDatabase({ url: databaseUrl, connections_max: 4 });
  try {
    const keys = createKeyStore(sql);
    return await Promise.all(
      Array.from({ length: count }, async (_one, index) => {
        const agentId = randomUUID();
        const { encoded } = await keys.create({ name: `PC ${index}`, agentId });
        return { agentId, apiKey: encoded };
      }),
    );
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function makeDatabase(url: string, name: string): Promise<string> {
  const sql = openDatabase({ url, connections_max: 1 });
  try {
    await sql`create database ${sql(name)}`;
  } finally {
    await sql.end({ timeout: 5 });
  }
  const made = new URL(url);
  made.pathname = `/${name}`;
  return made.href;
}
