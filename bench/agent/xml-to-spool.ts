/**
 * Row: events as XML become durable lines of the spool. The real agent replays a file; no collector answers, so that nothing is
 * shipped. Measured between a tenth and the last of the events, so that the start of the program is left out.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../tests/support/eventually.ts';
import { type BenchAgent, startBenchAgent } from './bench-agent.ts';

/** Port 9 is "discard": nobody listens. */
const NOBODY = 'http://127.0.0.1:9';
const TIMEOUT_MS = 600_000;

export interface XmlToSpool {
  /** Per second of CPU time, all threads: what one core does. */
  readonly [figure: string]: number;
  readonly eventsPerSecond: number;
  readonly wallEventsPerSecond: number;
  readonly spoolBytesPerEvent: number;
  readonly peakRssMiB: number;
}

interface Moment {
  readonly bytes: number;
  readonly atMs: number;
  readonly cpuSeconds: number;
}

function look(agent: BenchAgent): Moment {
  const bytes = readdirSync(agent.spool)
    .filter((name) => name.endsWith('.ndjson'))
    .reduce((sum, name) => sum + statSync(join(agent.spool, name)).size, 0);
  return { bytes, atMs: performance.now(), cpuSeconds: agent.usage().cpuSeconds };
}

/** Lines of the same events differ by a few bytes (version, name), so the very last ones are not waited for. */
const LAST_SHARE = 0.95;

export interface XmlFile {
  readonly path: string;
  readonly events: number;
  /** What the lines of all events take on disk, about. */
  readonly lineBytes: number;
}

/** Replays the file into a spool. */
export async function measureXmlToSpool(
  folder: string,
  { path, events, lineBytes }: XmlFile,
  asOnAPc = false,
): Promise<XmlToSpool> {
  const agent = startBenchAgent({
    folder,
    asOnAPc,
    collectorUrl: NOBODY,
    capture: { source: 'replay', files: [path] },
  });
  try {
    const until = async (bytes: number): Promise<Moment> =>
      eventually(
        () => {
          const moment = look(agent);
          return moment.bytes >= bytes && moment;
        },
        { timeoutMs: TIMEOUT_MS, intervalMs: 5 },
      );
    const first = await until(lineBytes / 10);
    const last = await until(lineBytes * LAST_SHARE);
    const bytesPerEvent = lineBytes / events;
    const measured = (last.bytes - first.bytes) / bytesPerEvent;
    return {
      eventsPerSecond: measured / (last.cpuSeconds - first.cpuSeconds),
      wallEventsPerSecond: (measured * 1000) / (last.atMs - first.atMs),
      spoolBytesPerEvent: bytesPerEvent,
      peakRssMiB: agent.usage().peakRssMiB,
    };
  } finally {
    await agent.stop();
  }
}
