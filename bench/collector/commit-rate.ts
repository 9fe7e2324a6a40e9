/**
 * Row: chunks over HTTPS into PostgreSQL; admit, assess with the shipped rule, commit. No Elasticsearch, no chat.
 */
import { cpuSecondsBelow } from '../process-usage.ts';
import type { DocumentForm } from './chunks.ts';
import { startRound } from './installation.ts';
import { prepareLoad } from './run-load.ts';

const AGENTS = 10;
const AT_ONCE = 8;

export interface CommitRate {
  readonly [figure: string]: number;
  /** Per second of the collector's CPU time. */
  readonly eventsPerSecond: number;
  readonly wallEventsPerSecond: number;
  readonly postgresMicrosPerEvent: number;
  readonly peakRssMiB: number;
  readonly wireBytesPerEvent: number;
  readonly rawBytesPerEvent: number;
}

/** Sends `events` of ten agents; the first tenth only warms up. */
export async function measureCommitRate(
  folder: string,
  postgresUrl: string,
  events: number,
  form: DocumentForm,
): Promise<CommitRate> {
  const round = await startRound({ folder, postgresUrl });
  try {
    const { url, caFile } = round.installation;
    const load = async (eventsEach: number) =>
      prepareLoad({
        ...{ url, caFile, namespace: round.namespace, form, atOnce: AT_ONCE, eventsEach },
        agents: await round.agents(AGENTS),
      });
    const warmUp = await load(Math.ceil(events / AGENTS / 10));
    const measured = await load(events / AGENTS);
    await warmUp.run();
    const [own, stores] = [round.usage().cpuSeconds, cpuSecondsBelow(/postgres/)];
    const result = await measured.run();
    const usage = round.usage();
    return {
      eventsPerSecond: result.events / (usage.cpuSeconds - own),
      wallEventsPerSecond: result.events / result.seconds,
      postgresMicrosPerEvent: ((cpuSecondsBelow(/postgres/) - stores) * 1e6) / result.events,
      peakRssMiB: usage.peakRssMiB,
      wireBytesPerEvent: result.wireBytes / result.events,
      rawBytesPerEvent: result.rawBytes / result.events,
    };
  } finally {
    await round.stop();
  }
}
