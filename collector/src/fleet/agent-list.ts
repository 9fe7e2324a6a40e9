/**
 * Takes the tables of the fleet, gives the agents with their states: those that checked in or enrolled, and those that are known
 * by their key alone.
 */
import type { CheckIn } from '@launchbeat/ecs-schemas';
import type { ISql } from 'postgres';
import { AGENT_STATES, type AgentState, agentState } from './agent-state.ts';

/** An agent as it is listed. */
export interface ListedAgent {
  readonly id: string;
  readonly name: string;
  readonly host: string;
  readonly os: string;
  readonly version: string;
  readonly tags: readonly string[];
  readonly forwarder: boolean;
  readonly state: AgentState;
  /** Why, for people; empty where it is healthy. */
  readonly reasons: readonly string[];
  readonly enrolledAt: Date | null;
  readonly lastSeenAt: Date | null;
  readonly clockSkewMs: number | null;
  /** Since when it is to take a new key; null = it is not, or has done so. */
  readonly rotateAskedAt: Date | null;
  /** What it said last, without its facts; empty before the first check-in. */
  readonly checkIn: Partial<Omit<CheckIn, 'facts'>>;
}

interface Row extends Omit<ListedAgent, 'state'> {
  readonly revokedAt: Date | null;
}

/** All agents by name, or the one of this id. */
export async function listAgents(
  sql: ISql,
  options: { readonly offlineAfterMs: number; readonly id?: string; readonly nowMs?: number },
): Promise<readonly ListedAgent[]> {
  const { offlineAfterMs, id = null, nowMs = Date.now() } = options;
  const rows = await sql<Row[]>`
    select agents.id, coalesce(nullif(agents.name, ''), '') as name, host, os, version, tags, forwarder, reasons,
      enrolled_at as "enrolledAt", last_seen_at as "lastSeenAt", clock_skew_ms::float8 as "clockSkewMs",
      rotate_asked_at as "rotateAskedAt", check_in as "checkIn", revoked_at as "revokedAt"
    from agents where ${id}::uuid is null or agents.id = ${id}
    union all
    select agent_id, (array_agg(name order by created_at desc))[1], '', '', '', '{}', false, '{}',
      null, null, null, null, '{}', case when bool_and(revoked_at is not null) then max(revoked_at) end
    from agent_keys
    where agent_id is not null and (${id}::uuid is null or agent_id = ${id})
      and not exists (select from agents where agents.id = agent_id)
    group by agent_id
    order by 2, 1`;
  return rows.map(({ revokedAt, ...row }) => {
    const standing = {
      revoked: revokedAt !== null,
      lastSeenMs: row.lastSeenAt?.getTime(),
      reasons: row.reasons,
    };
    const state = agentState(standing, nowMs, offlineAfterMs);
    return { ...row, state, reasons: reasonsOf(row, state) };
  });
}

function reasonsOf(row: Omit<Row, 'revokedAt'>, state: AgentState): readonly string[] {
  if (state !== 'offline') return state === 'degraded' ? row.reasons : [];
  return row.lastSeenAt === null ? ['never checked in'] : [];
}

/** How many agents are in each state. Groups first, so that a fleet of any size is a few rows. */
export async function countAgents(
  sql: ISql,
  offlineAfterMs: number,
  nowMs = Date.now(),
): Promise<Readonly<Record<AgentState, number>>> {
  const groups = await sql<
    { revoked: boolean; last: Date | null; reason: string | null; agents: number }[]
  >`
    select revoked_at is not null as revoked, reasons[1] is not null as degraded,
      max(last_seen_at) as last, max(reasons[1]) as reason, count(*)::int as agents
    from agents
    group by revoked_at is not null, reasons[1] is not null,
      coalesce(last_seen_at < ${new Date(nowMs - offlineAfterMs)}, true)`;
  const counts = Object.fromEntries(AGENT_STATES.map((state) => [state, 0])) as Record<
    AgentState,
    number
  >;
  for (const { revoked, last, reason, agents } of groups) {
    const reasons = reason === null ? [] : [reason];
    const standing = { revoked, lastSeenMs: last?.getTime(), reasons };
    counts[agentState(standing, nowMs, offlineAfterMs)] += agents;
  }
  return counts;
}
