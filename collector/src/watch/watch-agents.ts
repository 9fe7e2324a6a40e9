/**
 * Takes the rules about agents, looks at the tables of the fleet, puts an alert into the outbox for each trouble that begins.
 * Keeps: a trouble is told once until it is over, whoever looks how often: what was told stands in rule_spells, written with its
 * alerts.
 */
import {
  type AgentFact,
  type AgentHealth,
  type AgentRule,
  type Trouble,
  troublesOf,
} from '../assess/agent-rules.ts';
import { ALERT_FIELDS, type AlertFields } from '../assess/alert-fields.ts';
import type { Alert } from '../assess/assess.ts';
import type { Sql, TransactionSql } from '../commit/database.ts';
import { digestOf } from '../commit/digest-of.ts';
import { insertAlerts } from '../commit/insert-alerts.ts';

export interface WatchAgentsOptions {
  readonly rules: readonly AgentRule[];
  readonly nowMs: number;
  readonly offlineAfterMs: number;
}

const LOCK = 'launchbeat.watch.agents';
/** A fact is looked at for so long. */
const FACT_MS = 24 * 3_600_000;
/** Besides what is lost: the log was cleared, or made anew. */
const FACT_KINDS = ['reader_warning', 'log_recreated', 'clock_skew'];

/** Looks once; gives the number of alerts. Rejects when PostgreSQL cannot be used. */
export async function watchAgents(sql: Sql, options: WatchAgentsOptions): Promise<number> {
  const { rules, nowMs, offlineAfterMs } = options;
  return await sql.begin(async (transaction) => {
    const [lock] = await transaction<{ mine: boolean }[]>`
      select pg_try_advisory_xact_lock(hashtextextended(${LOCK}, 0)) as mine`;
    if (lock?.mine !== true) return 0;
    const troubles =
      rules.length === 0
        ? []
        : troublesOf(rules, await readAgents(transaction), await readFacts(transaction, nowMs), {
            ...{ nowMs, offlineAfterMs },
          });
    const begun = await noteSpells(transaction, troubles);
    return await insertAlerts(
      transaction,
      begun.flatMap((trouble) => alertsOf(trouble, nowMs)),
    );
  });
}

async function readAgents(sql: TransactionSql): Promise<AgentHealth[]> {
  return await sql<AgentHealth[]>`
    select id, name, host, tags, revoked_at is not null as revoked, reasons,
      (extract(epoch from last_seen_at) * 1000)::float8 as "lastSeenMs"
    from agents where last_seen_at is not null order by id`;
}

async function readFacts(sql: TransactionSql, nowMs: number): Promise<AgentFact[]> {
  return await sql<AgentFact[]>`
    select agent_id as "agentId", fact_id as "factId", kind, reason from agent_facts
    where received_at > ${new Date(nowMs - FACT_MS)}
      and (level = 'error' or kind = any(${FACT_KINDS}::text[]))
    order by id`;
}

/** Writes down what is going on; gives what was not before. */
async function noteSpells(sql: TransactionSql, troubles: readonly Trouble[]): Promise<Trouble[]> {
  const byName = new Map(troubles.map((one) => [nameOf(one.rule.rule.id, one.subject), one]));
  const now = [...byName.values()];
  const rules = now.map((one) => one.rule.rule.id);
  const subjects = now.map((one) => one.subject);
  await sql`
    delete from rule_spells where (rule_id, subject) not in (
      select rule_id, subject from unnest(${rules}::text[], ${subjects}::text[]) as going (rule_id, subject))`;
  const begun = await sql<{ rule_id: string; subject: string }[]>`
    insert into rule_spells (rule_id, subject)
    select rule_id, subject from unnest(${rules}::text[], ${subjects}::text[]) as going (rule_id, subject)
    on conflict do nothing returning rule_id, subject`;
  return begun.flatMap((row) => byName.get(nameOf(row.rule_id, row.subject)) ?? []);
}

const nameOf = (ruleId: string, subject: string): string => `${ruleId}\n${subject}`;

const EMPTY = Object.fromEntries(Object.keys(ALERT_FIELDS).map((name) => [name, '']));

function alertsOf({ rule, subject, agent, place, reason }: Trouble, nowMs: number): Alert[] {
  const { id, severity, labels, mitre } = rule.rule;
  const fields = {
    ...EMPTY,
    time: rule.writeTime(nowMs),
    host: agent.host === '' ? agent.name : agent.host,
    agent: agent.name,
    agent_id: agent.id,
    rule: id,
    severity,
    labels: labels.join(', '),
    mitre: mitre.join(', '),
    reason,
  } as AlertFields;
  const about = { timeMs: nowMs, groups: () => rule.groupsOf(place) };
  return rule.listeners.of(about).map((chatId) => ({
    ruleId: id,
    // No event: what begins again later is another alert.
    eventId: `agent-${digestOf(subject, String(nowMs)).toString('hex')}`,
    eventTimestamp: new Date(nowMs).toISOString(),
    eventTimeMs: nowMs,
    agentId: agent.id,
    chatId,
    fields,
  }));
}
