/**
 * Rows: what the agent takes while nothing happens, and at 50 events a second. The real agent with a stand-in for the Windows
 * reader (its CPU and memory are not counted) and a sink that takes everything.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../tests/support/eventually.ts';
import { startSink } from '../start-sink.ts';
import { startBenchAgent } from './bench-agent.ts';

const BRIDGE = fileURLToPath(new URL('../paced-bridge.ts', import.meta.url));
/** The first garbage collections and compilations are the start's. */
const SETTLE_SECONDS = 5;

export interface Footprint {
  readonly [figure: string]: number;
  readonly rssMiB: number;
  /** Of one core. */
  readonly cpuPercent: number;
}

/** Watches it for `seconds`; `rate` is events per second, 0 = idle. */
export async function measureFootprint(
  folder: string,
  rate: number,
  seconds: number,
): Promise<Footprint> {
  const sink = await startSink();
  const agent = startBenchAgent({
    folder,
    asOnAPc: true,
    collectorUrl: sink.url,
    capture: {
      source: 'security-log',
      command: [process.execPath, BRIDGE, '--rate', String(rate)],
    },
  });
  try {
    await agent.program.waitForLine(/starts/);
    if (rate > 0) await eventually(async () => (await sink.counts()).events > 0);
    await delay(Math.min(seconds, SETTLE_SECONDS) * 1000);
    const before = agent.usage().cpuSeconds;
    const startMs = performance.now();
    await delay(seconds * 1000);
    const usage = agent.usage();
    const tookSeconds = (performance.now() - startMs) / 1000;
    return {
      rssMiB: usage.rssMiB,
      cpuPercent: ((usage.cpuSeconds - before) / tookSeconds) * 100,
    };
  } finally {
    await agent.stop();
    await sink.stop();
  }
}
