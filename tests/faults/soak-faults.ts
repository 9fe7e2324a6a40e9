/**
 * What a soak does to the system: each harm mends what it broke before it resolves, so that any of them can follow any other.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { dataStreamName } from '@launchbeat/ecs-schemas';
import postgres from 'postgres';
import type { Site } from './open-site.ts';
import { newestSegment } from './spool-files.ts';

export type Harm = (site: Site) => Promise<void>;

const POWER_TIMEOUT_MS = 5_000;

async function killAgent(site: Site, meanwhile: () => void = () => undefined): Promise<void> {
  await site.agent.stop('SIGKILL');
  meanwhile();
  site.agent = site.startAgent();
}

async function killCollector(site: Site): Promise<void> {
  await site.collector.stop('SIGKILL');
  site.collector = await site.startCollector();
}

/** The power goes with the next change of a file; on a quiet agent it goes without one. */
async function cutPower(site: Site): Promise<void> {
  site.disk.set({ cutNow: true, seed: site.random.between(1, 1e9) });
  await Promise.race([site.agent.exited, wait(POWER_TIMEOUT_MS, undefined, { ref: false })]);
  await killAgent(site, () => site.disk.set({}));
}

/** Between two moments of the seed. */
const aWhile = (site: Site): Promise<void> => wait(site.random.between(100, 2500));

async function setReadOnly(site: Site, isReadOnly: true | null): Promise<void> {
  const stream = dataStreamName(site.stores.namespace);
  await fetch(`${site.stores.elasticsearchUrl}/${stream}/_settings`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ 'index.blocks.read_only_allow_delete': isReadOnly }),
  });
}

async function endConnections(site: Site): Promise<void> {
  const sql = postgres(site.stores.postgresUrl, { max: 1, onnotice: () => undefined });
  try {
    await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`;
  } finally {
    await sql.end();
  }
}

/** By the number of the scenario that it is taken from. */
export const HARMS: Readonly<Record<string, Harm>> = {
  '1 agent killed': (site) => killAgent(site),
  '2 collector killed behind an answer of Elasticsearch': async (site) => {
    site.index.cutAfter(1, 'answer');
    await wait(site.random.between(50, 500));
    await killCollector(site);
  },
  '3 collector killed': killCollector,
  '4 power cut': cutPower,
  '5 disk full': async (site) => {
    site.disk.set({ full: true });
    await aWhile(site);
    site.disk.set({});
  },
  '8 torn line': (site) =>
    killAgent(site, () => appendFileSync(newestSegment(site.installation.spool), '{"torn":')),
  '10 zeros at the end': (site) =>
    killAgent(site, () =>
      appendFileSync(
        newestSegment(site.installation.spool),
        Buffer.alloc(site.random.between(1, 9000)),
      ),
    ),
  '13 wire cut': async (site) => {
    site.wire.cut();
    await aWhile(site);
    site.wire.resume();
  },
  '14 wire stalls': async (site) => {
    site.wire.pause();
    await aWhile(site);
    site.wire.resume();
  },
  '15 receipt lost': async (site) => {
    site.wire.cutAfter(site.random.between(1, 400), 'answer');
  },
  '17 request broken off': async (site) => {
    site.wire.cutAfter(site.random.between(1, 6000), 'request');
  },
  '26 Elasticsearch read-only': async (site) => {
    await setReadOnly(site, true);
    await aWhile(site);
    await setReadOnly(site, null);
  },
  '27 Elasticsearch silent': async (site) => {
    site.index.pause();
    await aWhile(site);
    site.index.resume();
  },
  '28 answer of Elasticsearch cut': async (site) => {
    site.index.cutAfter(site.random.between(1, 800), 'answer');
  },
  '29 PostgreSQL killed': async (site) => {
    await site.postgres?.stop('SIGKILL');
    await wait(site.random.between(100, 1000));
    await site.postgres?.start();
  },
  '29 connections ended': endConnections,
  '31 Telegram fails': async ({ telegram, random }) => {
    const failures = [
      { how: 'answer', status: 500, description: 'Internal Server Error' },
      { how: 'answer', status: 429, description: 'Too Many Requests', retryAfterSeconds: 1 },
      { how: 'drop' },
      { how: 'accept_and_drop' },
    ] as const;
    const failure = failures[random.between(0, failures.length - 1)];
    if (failure !== undefined) telegram.failNext(failure, { times: random.between(1, 3) });
  },
};
