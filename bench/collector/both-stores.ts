/**
 * Row: a spool goes to both stores. The real agent ships a file that is there already, over HTTPS, to the real collector; the clock
 * stops when Elasticsearch has every document (PostgreSQL has the rows by then).
 */
import { linkSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../tests/support/eventually.ts';
import { cpuSecondsBelow, usageOf } from '../process-usage.ts';
import { startRound } from './installation.ts';

const TIMEOUT_MS = 600_000;
/** Each look costs the collector some milliseconds. */
const LOOK_MS = 100;
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
  /** Writes the lines for a namespace, gives the file. */
  readonly lines: (namespace: string) => string;
  readonly events: number;
}

/** Ships the file once, into a new database and a new data stream. */
export async function measureBothStores(options: BothStoresOptions): Promise<BothStores> {
  const { events } = options;
  const round = await startRound({
    folder: options.folder,
    postgresUrl: options.postgresUrl,
    elasticsearchUrl: options.elasticsearchUrl,
    agent: { capture: { source: 'replay', files: ['-'] }, spool: { max_bytes: '8GiB' } },
  });
  try {
    await eventually(async () => (await round.installation.get('/readyz')).status === 200, {
      timeoutMs: 60_000,
    });
    const { installation } = round;
    const file = options.lines(round.namespace);
    mkdirSync(installation.spool, { recursive: true });
    linkSync(file, join(installation.spool, 'launchbeat.20260302.1.ndjson'));
    const indexed = async (least: number) =>
      eventually(async () => (await round.metric('index_documents_total')) >= least, {
        timeoutMs: TIMEOUT_MS,
        intervalMs: LOOK_MS,
      });
    const cpu = () => [
      round.usage().cpuSeconds,
      cpuSecondsBelow(/postgres/),
      cpuSecondsBelow(/java/),
    ];
    const agent = installation.startAgent();
    // The first quarter warms the programs up, the rest is measured.
    await indexed(events * WARM_UP_SHARE);
    const startMs = performance.now();
    const already = await round.metric('index_documents_total');
    const [agentBefore, before] = [usageOf(agent.pid).cpuSeconds, cpu()];
    await indexed(events);
    const seconds = (performance.now() - startMs) / 1000;
    const agentCpu = usageOf(agent.pid).cpuSeconds - agentBefore;
    const after = cpu();
    const measured = events - already;
    const micros = (at: number): number =>
      (((after[at] ?? 0) - (before[at] ?? 0)) * 1e6) / measured;
    agent.stdin.end();
    await agent.stop();
    return {
      eventsPerSecond: measured / seconds,
      collectorMicrosPerEvent: micros(0),
      agentMicrosPerEvent: (agentCpu * 1e6) / measured,
      postgresMicrosPerEvent: micros(1),
      elasticsearchMicrosPerEvent: micros(2),
      collectorPeakRssMiB: round.usage().peakRssMiB,
    };
  } finally {
    await round.stop();
  }
}
