/**
 * Runs a simulated fleet against one real collector and holds what PostgreSQL has afterwards against what was sent.
 */
import { fileURLToPath } from 'node:url';
import { openDatabase } from '../../collector/src/commit/database.ts';
import { startProgram } from '../../tests/support/processes.ts';
import { startRound } from '../collector/installation.ts';
import { cpuSecondsBelow } from '../process-usage.ts';
import type { FleetResult, FleetTask } from './simulate-agents.ts';

const SCRIPT = fileURLToPath(new URL('simulate-agents.ts', import.meta.url));
const PREPARE_MS = 120_000;
const CALM_AGENTS = 20;

export interface FleetSizes {
  readonly agents: number;
  readonly seconds: number;
  readonly backlog: number;
  readonly chunkBytes: number;
}

export interface FleetFigures extends FleetResult {
  readonly sent: number;
  /** Events that were sent and are not there, or there more than once. */
  readonly lost: number;
  readonly doubled: number;
  /** CPU seconds of the collector and of PostgreSQL, at one event a second each and while the backlog drains. */
  readonly cpu: {
    readonly trickle: { readonly collector: number; readonly postgres: number };
    readonly drain: { readonly collector: number; readonly postgres: number };
  };
  /** Of events with its indexes, and of the chunks that are kept. */
  readonly storedBytes: { readonly events: number; readonly chunks: number };
  readonly peakRssMiB: number;
}

export interface RunFleetOptions extends FleetSizes {
  readonly folder: string;
  readonly postgresUrl: string;
  readonly timeoutMs: number;
}

/** Runs it once. Rejects when the fleet does not come to its end in time. */
export async function runFleet(options: RunFleetOptions): Promise<FleetFigures> {
  const { folder, postgresUrl, timeoutMs, agents, ...sizes } = options;
  const round = await startRound({ folder, postgresUrl });
  try {
    const { url, caFile } = round.installation;
    const task: FleetTask = {
      ...{ url, caFile, namespace: round.namespace, agents: await round.agents(agents) },
      calm: await round.agents(Math.min(CALM_AGENTS, agents)),
      ...{ seconds: sizes.seconds, backlog: sizes.backlog, chunkBytes: sizes.chunkBytes },
    };
    const program = startProgram(process.execPath, [SCRIPT], {
      env: { FLEET_TASK: JSON.stringify(task) },
    });
    try {
      await program.waitForLine(/^ready/, { timeoutMs: PREPARE_MS });
      const cpu = () => ({
        collector: round.usage().cpuSeconds,
        postgres: cpuSecondsBelow(/postgres/),
      });
      const before = cpu();
      program.stdin.write('go\n');
      await program.waitForLine(/^backlog/, { timeoutMs });
      const between = cpu();
      const line = await program.waitForLine(/^\{"answers/, { timeoutMs });
      const result = JSON.parse(line) as FleetResult;
      const after = cpu();
      const stored = await storedIn(round.databaseUrl);
      const sent = result.accepted + result.duplicates;
      return {
        ...result,
        ...{ sent, lost: Math.max(0, sent - stored.ids), doubled: stored.rows - stored.ids },
        cpu: { trickle: minus(between, before), drain: minus(after, between) },
        storedBytes: { events: stored.events, chunks: stored.chunks },
        peakRssMiB: round.usage().peakRssMiB,
      };
    } finally {
      await program.stop();
    }
  } finally {
    await round.stop();
  }
}

interface Cpu {
  readonly collector: number;
  readonly postgres: number;
}

const minus = (one: Cpu, other: Cpu): Cpu => ({
  collector: one.collector - other.collector,
  postgres: one.postgres - other.postgres,
});

interface Stored {
  readonly rows: number;
  readonly ids: number;
  /** Bytes on disk, indexes and long values with them. */
  readonly events: number;
  readonly chunks: number;
}

async function storedIn(url: string): Promise<Stored> {
  const sql = openDatabase({ url, connections_max: 1 });
  try {
    const [row] = await sql<Stored[]>`
      select count(*)::int as rows, count(distinct event_id)::int as ids,
        (select sum(pg_total_relation_size(inhrelid))::float8 from pg_inherits
          where inhparent = 'events'::regclass) as events,
        pg_total_relation_size('chunks')::float8 as chunks
      from events`;
    if (row === undefined) throw new Error('PostgreSQL gave no row.');
    return row;
  } finally {
    await sql.end({ timeout: 5 });
  }
}
