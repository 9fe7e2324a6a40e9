/**
 * Row: a thousand agents come back at once, each with a backlog. Measured until each has its last receipt; the index may follow.
 */
import { eventually } from '../../tests/support/eventually.ts';
import { startRound } from './installation.ts';
import { prepareLoad } from './run-load.ts';

const TIMEOUT_MS = 900_000;

export interface CatchUp {
  readonly [figure: string]: number;
  /** Until the last receipt. */
  readonly seconds: number;
  readonly peakRssMiB: number;
  /** Until Elasticsearch has everything; 0 without Elasticsearch. */
  readonly indexedSeconds: number;
  /** Answers 429 and 503, which agents wait out. */
  readonly waits: number;
}

export interface CatchUpOptions {
  readonly folder: string;
  readonly postgresUrl: string;
  readonly elasticsearchUrl?: string | undefined;
  readonly agents: number;
  readonly eventsEach: number;
}

/** All at once, each with a connection of its own. */
export async function measureCatchUp(options: CatchUpOptions): Promise<CatchUp> {
  const { agents, eventsEach } = options;
  const round = await startRound(options);
  try {
    const { url, caFile } = round.installation;
    const load = await prepareLoad({
      ...{ url, caFile, namespace: round.namespace, atOnce: agents, eventsEach },
      agents: await round.agents(agents),
    });
    const startMs = performance.now();
    const { seconds, waits } = await load.run();
    if (options.elasticsearchUrl !== undefined) {
      await eventually(
        async () => (await round.metric('index_documents_total')) >= agents * eventsEach,
        { timeoutMs: TIMEOUT_MS, intervalMs: 250 },
      );
    }
    const indexedSeconds = (performance.now() - startMs) / 1000;
    return {
      seconds,
      waits,
      peakRssMiB: round.usage().peakRssMiB,
      indexedSeconds: options.elasticsearchUrl === undefined ? 0 : indexedSeconds,
    };
  } finally {
    await round.stop();
  }
}
