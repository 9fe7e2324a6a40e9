/**
 * Takes the tables of the fleet, prints agents for people: all in columns, or one with its facts.
 */
import type { Sql } from '../commit/database.ts';
import type { CollectorConfig } from '../config.ts';
import { type ListedAgent, listAgents } from '../fleet/agent-list.ts';
import { type ListedFact, listFacts } from '../fleet/facts.ts';
import { createKeyStore, type ListedKey } from '../fleet/keys.ts';

const FACTS_MAX = 20;

/** Prints a line for each agent, columns parted by tabs. */
export async function printAgents(sql: Sql, config: CollectorConfig): Promise<void> {
  console.log(['AGENT', 'STATE', 'LAST SEEN', 'VERSION', 'NAME', 'HOST', 'WHY'].join('\t'));
  for (const agent of await listAgents(sql, { offlineAfterMs: config.fleet.offline_after })) {
    const { id, state, lastSeenAt, version, name, host, reasons } = agent;
    const seen = lastSeenAt?.toISOString() ?? 'never';
    const cells = [id, state, seen, version || '-', name || '-', host || '-', reasons.join('; ')];
    console.log(cells.join('\t').trimEnd());
  }
}

/** Prints all that is known of one agent. Throws where nothing is. */
export async function printAgent(sql: Sql, config: CollectorConfig, id: string): Promise<void> {
  const offlineAfterMs = config.fleet.offline_after;
  const [agent] = await listAgents(sql, { offlineAfterMs, id });
  if (agent === undefined) throw new Error(`No agent has the id ${id}; see agents status.`);
  for (const [name, value] of agentLines(agent)) console.log(`${`${name}:`.padEnd(13)} ${value}`);
  const keys = (await createKeyStore(sql).list()).filter((key) => key.agentId === id);
  console.log(['KEY', 'STATE', 'LAST USED', 'HOSTS'].join('\t'));
  for (const key of keys) console.log(keyLine(key));
  const facts = await listFacts(sql, id, FACTS_MAX);
  if (facts.length === 0) return;
  console.log(['AT', 'LEVEL', 'FACT', 'COUNT', 'RECORDS', 'REASON'].join('\t'));
  for (const fact of facts) console.log(factLine(fact));
}

function agentLines(agent: ListedAgent): readonly (readonly [string, string])[] {
  const { checkIn, clockSkewMs, enrolledAt, forwarder, lastSeenAt, reasons, tags } = agent;
  const { rotateAskedAt } = agent;
  const { spool, lag_ms: lagMs } = checkIn;
  const lines: (readonly [string, string | undefined])[] = [
    ['agent', agent.id],
    ['name', agent.name],
    ['state', agent.state],
    ['why', reasons.join('; ')],
    ['host', agent.host],
    ['system', agent.os],
    ['version', agent.version],
    ['tags', tags.join(', ')],
    ['forwarder', forwarder ? 'yes' : ''],
    ['enrolled', enrolledAt?.toISOString()],
    ['new key', rotateAskedAt === null ? '' : `asked for at ${rotateAskedAt.toISOString()}`],
    ['last seen', lastSeenAt?.toISOString() ?? 'never'],
    ['started', checkIn.started_at],
    ['source', checkIn.source],
    ['spool', spool === undefined ? '' : `${spool.pending_bytes} bytes without a receipt`],
    ['audited', auditedText(checkIn)],
    ['log', logText(checkIn)],
    ['lag', lagMs === undefined ? '' : `${Math.round(lagMs / 1000)} s`],
    ['clock', clockSkewMs === null ? '' : `${Math.round(clockSkewMs / 1000)} s ahead of ours`],
  ];
  return lines.flatMap(([name, value]) => (value ? [[name, value] as const] : []));
}

const yesNo = (value: boolean | undefined): string =>
  value === undefined ? 'not known' : value ? 'yes' : 'NO';

function auditedText({ auditing, log }: ListedAgent['checkIn']): string {
  if (auditing === undefined || log === undefined) return '';
  const poll = log.polling === true ? '; process-poll stands in' : '';
  return `process starts: ${yesNo(auditing.process_creation)}, command lines: ${yesNo(auditing.command_line)}${poll}`;
}

/** Size, what happens when it is full, how far it reaches back, and what was not read yet. */
function logText({ log }: ListedAgent['checkIn']): string {
  if (log === undefined) return '';
  if (log.readable === false) return 'access is denied';
  const mib = (bytes: number | undefined): string =>
    bytes === undefined ? '?' : String(Math.round(bytes / (1024 * 1024)));
  const parts = [
    `${mib(log.bytes)} of ${mib(log.bytes_max)} MiB`,
    log.mode === undefined ? '' : `when full: ${log.mode}`,
    log.oldest_at === undefined ? '' : `back to ${log.oldest_at}`,
    log.records_behind === undefined ? '' : `${log.records_behind} records not read yet`,
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function keyLine(key: ListedKey): string {
  const used = key.lastUsedAt?.toISOString() ?? 'never';
  const state = key.revokedAt === undefined ? 'valid' : 'revoked';
  return [key.id, state, used, key.hosts?.join(',') ?? 'any'].join('\t');
}

function factLine(fact: ListedFact): string {
  const records = fact.from === null ? '-' : `${fact.from}-${fact.to ?? fact.from}`;
  const { at, level, kind, count, reason } = fact;
  return [at.toISOString(), level, kind, String(count), records, reason].join('\t');
}
