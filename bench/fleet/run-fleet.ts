/**
 * Runs a simulated fleet against one real collector and holds what PostgreSQL has afterwards against what was sent.
 */
import { fileURLToPath } from 'node:url';
import { openDatabase } from '../../collector/src/commit/database.ts';
import { startProgram } from '../../tests/support/processes.ts';
import { startRound } from '../collector/installation.ts';
import type { FleetResult, FleetTask } from './simulate-agents.ts';

const SCRIPT = fileURLToPath(new URL('simulate-agents.ts', import.meta.url));
const PREPARE_MS = 120_000;

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
  /** CPU seconds of the collector, both parts. */
  readonly cpuSeconds: number;
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
      ...{ seconds: sizes.seconds, backlog: sizes.backlog, chunkBytes: sizes.chunkBytes },
    };
    const program = startProgram(process.execPath, [SCRIPT], {
      env: { FLEET_TASK: JSON.stringify(task) },
    });
    try {
      await program.waitForLine(/^ready/, { timeoutMs: PREPARE_MS });
      const before = round.usage().cpuSeconds;
      program.stdin.write('go\n');
      const line = await program.waitForLine(/^\{"answers/, { timeoutMs });
      const result = JSON.parse(line) as FleetResult;
      const usage = round.usage();
      const stored = await storedIn(round.databaseUrl);
      const sent = result.accepted + result.duplicates;
      return {
        ...result,
        ...{ sent, lost: Math.max(0, sent - stored.ids), doubled: stored.rows - stored.ids },
        ...{ cpuSeconds: usage.cpuSeconds - before, peakRssMiB: usage.peakRssMiB },
      };
    } finally {
      await program.stop();
    }
  } finally {
    await round.stop();
  }
}

async function storedIn(url: string): Promise<{ readonly rows: number; readonly ids: number }> {
  const sql = openDatabase({ url, connections_max: 1 });
  try {
    const [row] = await sql<{ rows: number; ids: number }[]>`
      select count(*)::int as rows, count(distinct event_id)::int as ids from events`;
    return row ?? { rows: 0, ids: 0 };
  } finally {
    await sql.end({ timeout: 5 });
  }
}
