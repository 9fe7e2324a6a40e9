/**
 * The tags of the agents, as the fleet has them, for the rules.
 * Keeps: assess asks no store; what it sees is some seconds old, and what was known stays known while PostgreSQL is away.
 */
import { type Log, pause } from '@launchbeat/ecs-schemas/beat';
import type { TagsOf } from './assess/pc-groups.ts';
import type { Sql } from './commit/database.ts';

const EVERY_MS = 30_000;
const NONE: readonly string[] = [];

export interface AgentTags {
  readonly tagsOf: TagsOf;
  /** Reads once. Rejects when PostgreSQL cannot be used. */
  read(): Promise<void>;
  /** Reads until aborted. */
  run(signal: AbortSignal): Promise<void>;
}

/** Makes the list; nothing is known before the first read. */
export function createAgentTags(sql: Sql, log: Log): AgentTags {
  let tags: ReadonlyMap<string, readonly string[]> = new Map();

  async function read(): Promise<void> {
    const rows = await sql<{ id: string; tags: string[] }[]>`
      select id, tags from agents where tags <> '{}'`;
    tags = new Map(rows.map((row) => [row.id, row.tags]));
  }

  return {
    tagsOf: (agentId) => tags.get(agentId) ?? NONE,
    read,
    async run(signal) {
      while (!signal.aborted) {
        await read().catch((err: unknown) => {
          log.warn({ err }, 'Tags of agents cannot be read; rules see those from before.');
        });
        await pause(EVERY_MS, signal);
      }
    },
  };
}
