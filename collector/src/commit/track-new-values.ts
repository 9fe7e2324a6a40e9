/**
 * What rules of kind new_value have seen: learnt from the events that are there when a rule begins (learn-rules.ts), then from every
 * event.
 * Keeps: a key is new once, however many collectors see it at once; until a rule has learnt, and while it is warming up, nothing is new.
 */
import type { Candidate, TrackedRule } from '../assess/candidates.ts';
import { type Raised, saidOf } from '../assess/track-hits.ts';
import type { Sql, TransactionSql } from './database.ts';
import { digestOf } from './digest-of.ts';

/** The digest of a rule's meaning. */
export const definitionDigest = (rule: TrackedRule): Buffer => digestOf(rule.id, rule.definition);

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
  const { rule, eventId, fields, key } = candidate;
  const words = (JSON.parse(key) as string[]).join(', ');
  return [{ ...saidOf(candidate), fields: { ...fields, key: words }, rule, eventId }];
}

/** Remembers keys (digests, base64url); gives those that were not there, as given. */
export async function remember(
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

/** Whether a rule has learnt and looked on for long enough. */
export async function isWarm(
  sql: TransactionSql,
  rule: TrackedRule,
  nowMs: number,
): Promise<boolean> {
  const warmBefore = new Date(nowMs - rule.warmUpMs).toISOString();
  const [row] = await sql`
    select from rule_learning where definition = ${definitionDigest(rule)}
      and learnt_at is not null and known_from <= ${warmBefore}`;
  return row !== undefined;
}
