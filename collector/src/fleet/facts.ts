/**
 * Health facts as they are kept and read. Table agent_facts.
 * Keeps: a fact stands once under its id, however often it is told.
 */
import type { FactLevel, HealthFact } from '@launchbeat/ecs-schemas';
import type { ISql } from 'postgres';
import { RECENT_FACTS_MS, type RecentFacts } from './agent-state.ts';

/** Who found a fact. */
export type FoundBy = 'agent' | 'collector';

/** A fact that was not known before. */
export interface NewFact {
  readonly fact: HealthFact;
  readonly foundBy: FoundBy;
  readonly receivedAt: Date;
}

/** A fact as it is listed. */
export interface ListedFact {
  readonly kind: string;
  readonly level: FactLevel;
  readonly at: Date;
  readonly until: Date | null;
  readonly count: number;
  readonly from: number | null;
  readonly to: number | null;
  readonly reason: string;
  readonly foundBy: FoundBy;
}

/** Stores facts of an agent; gives those that were not known. */
export async function storeFacts(
  sql: ISql,
  agentId: string,
  facts: readonly HealthFact[],
  about: { readonly foundBy: FoundBy; readonly receivedAt: Date },
): Promise<readonly NewFact[]> {
  if (facts.length === 0) return [];
  const { foundBy, receivedAt } = about;
  const byId = new Map(facts.map((fact) => [fact.id, fact]));
  const rows = [...byId.values()].map((fact) => ({
    ...{ agent_id: agentId, fact_id: fact.id, kind: fact.kind, level: fact.level, at: fact.at },
    ...{ until: fact.until ?? null, count: fact.count, from_record: fact.from ?? null },
    ...{ to_record: fact.to ?? null, reason: fact.reason, found_by: foundBy },
    received_at: receivedAt,
  }));
  const stored = await sql<{ fact_id: string }[]>`
    insert into agent_facts ${sql(rows)} on conflict (agent_id, fact_id) do nothing returning fact_id`;
  const fresh = new Set(stored.map((one) => one.fact_id));
  return [...byId.values()]
    .filter((fact) => fresh.has(fact.id))
    .map((fact) => ({ fact, foundBy, receivedAt }));
}

/** What happened to an agent lately, by kind and level. */
export async function recentFacts(
  sql: ISql,
  agentId: string,
  nowMs: number,
): Promise<readonly RecentFacts[]> {
  return await sql<RecentFacts[]>`
    select kind, level, sum(count)::float8 as count from agent_facts
    where agent_id = ${agentId} and received_at > ${new Date(nowMs - RECENT_FACTS_MS)}
    group by kind, level order by level, kind`;
}

/** The last facts of an agent, newest first. */
export async function listFacts(
  sql: ISql,
  agentId: string,
  limit: number,
): Promise<readonly ListedFact[]> {
  return await sql<ListedFact[]>`
    select kind, level, at, until, count::float8 as count, from_record::float8 as "from",
      to_record::float8 as "to", reason, found_by as "foundBy"
    from agent_facts where agent_id = ${agentId} order by at desc, id desc limit ${limit}`;
}
