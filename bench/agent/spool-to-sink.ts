/**
 * Row: lines of the spool go to a bare sink, compressed, with a checkpoint on disk before each chunk. The real agent ships a file
 * that is there already; measured from the first receipt to the last.
 */
import { linkSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../tests/support/eventually.ts';
import type { Usage } from '../process-usage.ts';
import { type Sink, type SinkCounts, startSink } from '../start-sink.ts';
import { NO_SOURCE, startBenchAgent } from './bench-agent.ts';

const TIMEOUT_MS = 600_000;

export interface Shipping {
  readonly [figure: string]: number;
  readonly cpuMicrosPerEvent: number;
  readonly wallEventsPerSecond: number;
  readonly wireBytesPerEvent: number;
  readonly peakRssMiB: number;
}

interface Moment {
  readonly counts: SinkCounts;
  readonly usage: Usage;
  readonly atMs: number;
}

/** Watches a program that fills a sink: CPU and time from the first events to the last. Rejects when it ends before that. */
export async function watchShipping(
  sink: Sink,
  events: number,
  usage: () => Usage,
  hasEnded = (): boolean => false,
): Promise<Shipping> {
  const until = async (least: number): Promise<Moment> => {
    const moment = await eventually(
      async () => {
        if (hasEnded()) return 'ended';
        const counts = await sink.counts();
        return counts.events >= least && { counts, usage: usage(), atMs: performance.now() };
      },
      { timeoutMs: TIMEOUT_MS, intervalMs: 5 },
    );
    if (moment === 'ended') throw new Error('It ended before everything was shipped.');
    return moment;
  };
  const first = await until(1);
  const last = await until(events);
  const shipped = last.counts.events - first.counts.events;
  const cpuSeconds = last.usage.cpuSeconds - first.usage.cpuSeconds;
  return {
    cpuMicrosPerEvent: shipped === 0 ? Number.NaN : (cpuSeconds * 1e6) / shipped,
    wallEventsPerSecond: (shipped * 1000) / (last.atMs - first.atMs),
    wireBytesPerEvent: last.counts.bytes / last.counts.events,
    peakRssMiB: last.usage.peakRssMiB,
  };
}

/** Ships `file` (lines of a spool), which is on the same file system as `folder`. */
export async function measureSpoolToSink(
  folder: string,
  file: string,
  events: number,
  asOnAPc = false,
): Promise<Shipping> {
  const sink = await startSink();
  const agent = startBenchAgent({
    folder,
    collectorUrl: sink.url,
    capture: NO_SOURCE,
    asOnAPc,
    prepare: (spool) => linkSync(file, join(spool, 'launchbeat.20260302.1.ndjson')),
  });
  try {
    return await watchShipping(sink, events, agent.usage);
  } finally {
    agent.program.stdin.end();
    await agent.stop();
    await sink.stop();
  }
}
