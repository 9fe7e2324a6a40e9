/**
 * What rules of kind new_value have seen: learnt from the events that are there when a rule begins, then from every event.
 * Keeps: a key is new once, however many collectors see it at once; until a rule has learnt, and while it is warming up, nothing is new.
 */
import type { Log } from '@launchbeat/ecs-schemas/beat';
import type { Candidate, TrackedRule } from '../assess/candidates.ts';
import type { Raised } from '../assess/track-hits.ts';
import type { Sql, TransactionSql } from './database.ts';
import { digestOf } from './digest-of.ts';

/** The digest of a rule's meaning. */
const definitionDigest = (rule: TrackedRule): Buffer => digestOf(rule.id, rule.definition);

/** Remembers the keys of the candidates; gives an alert for the first event of each that is new. */
export async function trackNewValues(
  sql: TransactionSql,
  candidates: readonly Candidate[],
  nowMs: number,
): Promise<Raised[]> {
  const raised: Raised[] = [];
  const rules = [...firstsOf(candidates)].sort(([one], [two]) => (one.id < two.id ? -1 : 1));
  for (const [rule, firsts] of rules) {
    const fresh = await remember(sql, rule, [...firsts.keys()]);
    if (fresh.length === 0 || !(await isWarm(sql, rule, nowMs))) continue;
    raised.push(...fresh.flatMap((key) => raisedOf(firsts.get(key))));
  }
  return raised.sort((one, two) => one.eventTimeMs - two.eventTimeMs);
}

/** The oldest candidate of each key, by rule. */
function firstsOf(
  candidates: readonly Candidate[],
): ReadonlyMap<TrackedRule, Map<string, Candidate>> {
  const rules = new Map<TrackedRule, Map<string, Candidate>>();
  const ordered = [...candidates].sort((one, two) => one.eventTimeMs - two.eventTimeMs);
  for (const candidate of ordered.filter((one) => one.rule.kind === 'new_value')) {
    const firsts = rules.get(candidate.rule) ?? new Map<string, Candidate>();
    const key = digestOf(candidate.key).toString('base64url');
    if (!firsts.has(key)) firsts.set(key, candidate);
    rules.set(candidate.rule, firsts);
  }
  return rules;
}

function raisedOf(candidate: Candidate | undefined): Raised[] {
  if (candidate === undefined) return [];
  const { rule, eventId, eventTimeMs, agentId, fields, key } = candidate;
  const words = (JSON.parse(key) as string[]).join(', ');
  return [{ rule, eventId, eventTimeMs, agentId, fields: { ...fields, key: words } }];
}

/** Gives those that were not there, as given. */
async function remember(
  sql: TransactionSql | Sql,
  rule: TrackedRule,
  keys: readonly string[],
): Promise<string[]> {
  // In order, so that two chunks never wait for each other.
  const sorted = [...keys].sort();
  const rows = await sql<{ key: Buffer }[]>`
    insert into rule_seen (definition, key)
    select ${definitionDigest(rule)}, decode(key, 'hex')
    from unnest(${sorted.map((key) => Buffer.from(key, 'base64url').toString('hex'))}::text[]) as given (key)
    on conflict do nothing returning key`;
  return rows.map((row) => row.key.toString('base64url'));
}

async function isWarm(sql: TransactionSql, rule: TrackedRule, nowMs: number): Promise<boolean> {
  const warmBefore = new Date(nowMs - rule.warmUpMs).toISOString();
  const [row] = await sql`
    select from rule_learning where definition = ${definitionDigest(rule)}
      and learnt_at is not null and known_from <= ${warmBefore}`;
  return row !== undefined;
}

const BATCH_ROWS = 2000;

/**
 * Learns what is new to rules that begin now from the events of the table. Safe to call at any time, by several collectors at once.
 * Rejects when PostgreSQL cannot be used.
 */
export async function learnRules(
  sql: Sql,
  rules: readonly TrackedRule[],
  options: { readonly log: Log; readonly nowMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const { log, signal } = options;
  const now = new Date(options.nowMs).toISOString();
  for (const rule of rules.filter((one) => one.kind === 'new_value')) {
    const definition = definitionDigest(rule);
    const [learning] = await sql<{ learnt: boolean }[]>`
      insert into rule_learning (definition, rule_id, begun_at, known_from)
      select ${definition}, ${rule.id}, ${now},
        least(${now}::timestamptz, (select min(received_at) from chunks))
      on conflict (definition) do update set used_at = now()
      returning learnt_at is not null as learnt`;
    if (learning?.learnt === true) continue;
    const keys = await learn(sql, rule, signal);
    if (signal.aborted) return;
    await sql`update rule_learning set learnt_at = ${now} where definition = ${definition} and learnt_at is null`;
    log.info({ 'launchbeat.rule.keys': keys }, `Rule ${rule.id} has learnt what there was.`);
  }
}

/** Gives how many keys there were. One batch is in memory. */
async function learn(sql: Sql, rule: TrackedRule, signal: AbortSignal): Promise<number> {
  let total = 0;
  // As keyText() writes them.
  const columns = {
    user: sql`lower(coalesce(user_domain, '') || '\\' || coalesce(username, ''))`,
    host: sql`lower(host_name)`,
    process: sql`lower(coalesce(process_name, ''))`,
    program: sql`lower(coalesce(program, process_name, ''))`,
    executable: sql`lower(coalesce(executable, ''))`,
    parent: sql`lower(coalesce(parent_name, ''))`,
    command_line: sql`lower(coalesce(command_line, ''))`,
  };
  const list = rule.keyFields.map((field) => columns[field]);
  const array = list.reduce((before, one) => sql`${before}, ${one}`);
  const rows = sql<{ key: string[] }[]>`select distinct array[${array}]::text[] as key from events`;
  for await (const batch of rows.cursor(BATCH_ROWS)) {
    if (signal.aborted) return total;
    const keys = batch.map(({ key }) => digestOf(JSON.stringify(key)).toString('base64url'));
    await remember(sql, rule, [...new Set(keys)]);
    total += keys.length;
  }
  return total;
}
