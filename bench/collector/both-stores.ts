/**
 * Row: spools go to both stores. Two real agents, as the loader beside has two lanes, ship a file each that is there already, over
 * HTTPS, to the real collector; the clock stops when Elasticsearch has every document (PostgreSQL has the rows by then).
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import { eventually } from '../../tests/support/eventually.ts';
import type { Program } from '../../tests/support/processes.ts';
import { writeLines } from '../event-lines.ts';
import { cpuSecondsBelow, usageOf } from '../process-usage.ts';
import type { SimulatedAgent } from './chunks.ts';
import { type Round, startRound } from './installation.ts';

const TIMEOUT_MS = 600_000;
/** Each look costs the collector some milliseconds, so there are few while there is long to go. */
const LOOK_MS = { least: 50, most: 1_000 };
const AGENTS = 2;
/** Of the events; the loader beside has the same. */
export const WARM_UP_SHARE = 0.25;

export interface BothStores {
  readonly [figure: string]: number;
  readonly eventsPerSecond: number;
  readonly collectorMicrosPerEvent: number;
  readonly agentMicrosPerEvent: number;
  readonly postgresMicrosPerEvent: number;
  readonly elasticsearchMicrosPerEvent: number;
  readonly collectorPeakRssMiB: number;
}

export interface BothStoresOptions {
  readonly folder: string;
  readonly postgresUrl: string;
  readonly elasticsearchUrl: string;
  /** Of all agents together. */
  readonly events: number;
}

/** Ships the events once, into a new database and a new data stream. */
export async function measureBothStores(options: BothStoresOptions): Promise<BothStores> {
  const { events } = options;
  const round = await startRound({
    folder: options.folder,
    postgresUrl: options.postgresUrl,
    elasticsearchUrl: options.elasticsearchUrl,
  });
  try {
    await eventually(async () => (await round.installation.get('/readyz')).status === 200, {
      timeoutMs: 60_000,
    });
    const each = events / AGENTS;
    const senders = await round.agents(AGENTS);
    const files = senders.map((sender, at) => prepareAgent(round, sender, at, each));
    const indexed = (least: number) => whenIndexed(round, least);
    const cpu = () => [
      round.usage().cpuSeconds,
      cpuSecondsBelow(/postgres/),
      cpuSecondsBelow(/java/),
    ];
    const agents = files.map((file) => round.installation.startOtherAgent(file));
    const agentCpu = () => agents.reduce((sum, { pid }) => sum + usageOf(pid).cpuSeconds, 0);
    // The first quarter warms the programs up, the rest is measured.
    const already = await indexed(events * WARM_UP_SHARE);
    const startMs = performance.now();
    const [agentBefore, before] = [agentCpu(), cpu()];
    await indexed(events);
    const seconds = (performance.now() - startMs) / 1000;
    const agentSeconds = agentCpu() - agentBefore;
    const after = cpu();
    const measured = events - already;
    const micros = (at: number): number =>
      (((after[at] ?? 0) - (before[at] ?? 0)) * 1e6) / measured;
    await Promise.all(agents.map(stopAgent));
    return {
      eventsPerSecond: measured / seconds,
      collectorMicrosPerEvent: micros(0),
      agentMicrosPerEvent: (agentSeconds * 1e6) / measured,
      postgresMicrosPerEvent: micros(1),
      elasticsearchMicrosPerEvent: micros(2),
      collectorPeakRssMiB: round.usage().peakRssMiB,
    };
  } finally {
    await round.stop();
  }
}

/** Puts every so manieth event into the spool of an agent of its own, since PCs live at the same time; gives its config file. */
function prepareAgent(round: Round, sender: SimulatedAgent, first: number, count: number): string {
  const { url, fingerprint } = round.installation;
  const folder = join(round.installation.folder, sender.agentId);
  const [data, logs] = [join(folder, 'data'), join(folder, 'logs')];
  mkdirSync(join(data, 'spool'), { recursive: true });
  writeLines(
    join(data, 'spool', 'launchbeat.20260302.1.ndjson'),
    count,
    { namespace: round.namespace, agentId: sender.agentId },
    { first, step: AGENTS },
  );
  const file = join(folder, 'launchbeat.yml');
  const ssl = { ca_trusted_fingerprint: fingerprint };
  const config = {
    namespace: round.namespace,
    capture: { source: 'replay', files: ['-'] },
    spool: { max_bytes: '8GiB' },
    output: { collector: { url, api_key: sender.apiKey, ssl } },
    path: { data, logs },
  };
  writeFileSync(file, stringify(config));
  return file;
}

async function stopAgent(agent: Program): Promise<void> {
  agent.stdin.end();
  await agent.stop();
}

/** Waits until so many are indexed, gives how many are. The rate so far says when to look next. */
async function whenIndexed(round: Round, least: number): Promise<number> {
  const startMs = performance.now();
  let first: number | undefined;
  for (;;) {
    const done = await round.metric('index_documents_total');
    if (done >= least) return done;
    first ??= done;
    const passedMs = performance.now() - startMs;
    if (passedMs > TIMEOUT_MS) throw new Error(`Only ${done} of ${least} were indexed.`);
    const leftMs = done > first ? ((least - done) * passedMs) / (done - first) : 0;
    await delay(Math.min(LOOK_MS.most, Math.max(LOOK_MS.least, leftMs / 2)));
  }
}
