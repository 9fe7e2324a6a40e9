/**
 * How much is measured: the sizes of a full run and those of a smoke test, and what the environment says.
 */

/** Sizes of every row. */
export interface Settings {
  /** How often a row is repeated; its figure is the median. */
  readonly rounds: number;
  /** Events of a throughput row of the agent. */
  readonly agentEvents: number;
  /** Seconds that the agent is watched idle, and again at 50 events a second. */
  readonly watchSeconds: number;
  /** The small and the large backlog, in lines. */
  readonly backlogLines: readonly [small: number, large: number];
  /** One more, of so many lines: BACKLOG_LINES of the environment, since ten million take 25 GB of disk and some minutes. */
  readonly moreBacklogLines?: number;
  /** Events of a throughput row of the collector. */
  readonly collectorEvents: number;
  /** Events into both stores: more, so that Elasticsearch is as warm for one program as for the other. */
  readonly bothStoresEvents: number;
  readonly catchUp: { readonly agents: number; readonly eventsEach: number };
  /** Documents that rules look at. */
  readonly assessEvents: number;
  readonly latency: { readonly seconds: number; readonly rates: readonly number[] };
  /** Whether Elasticsearch is started: false leaves out what needs it. */
  readonly elasticsearch: boolean;
}

export const FULL: Settings = {
  rounds: 5,
  agentEvents: 200_000,
  watchSeconds: 20,
  backlogLines: [1_000, 1_000_000],
  collectorEvents: 150_000,
  bothStoresEvents: 300_000,
  catchUp: { agents: 1_000, eventsEach: 1_000 },
  assessEvents: 20_000,
  latency: { seconds: 20, rates: [1, 100, 1_000] },
  elasticsearch: true,
};

/** Enough to see that every row still runs. */
export const SMOKE: Settings = {
  rounds: 1,
  agentEvents: 2_000,
  watchSeconds: 1,
  backlogLines: [100, 2_000],
  collectorEvents: 1_000,
  bothStoresEvents: 1_000,
  catchUp: { agents: 5, eventsEach: 20 },
  assessEvents: 200,
  latency: { seconds: 2, rates: [5] },
  elasticsearch: false,
};

type Environment = Readonly<Record<string, string | undefined>>;

/** The full sizes with ROUNDS and BACKLOG_LINES of the environment. */
export function settingsOf(environment: Environment): Settings {
  const rounds = countOf(environment, 'ROUNDS') ?? FULL.rounds;
  const moreBacklogLines = countOf(environment, 'BACKLOG_LINES');
  return { ...FULL, rounds, ...(moreBacklogLines === undefined ? {} : { moreBacklogLines }) };
}

function countOf(environment: Environment, name: string): number | undefined {
  const text = environment[name];
  if (text === undefined || text === '') return undefined;
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1)
    throw new Error(`${name} is "${text}", not 1 or more.`);
  return count;
}
