/**
 * Takes the rules of kind flatline, puts an alert into the outbox for each key that has fallen silent.
 * Keeps: silence is told once until there are signs of life again; the note of it is written with its alerts.
 */
import type { TrackedRule } from '../assess/candidates.ts';
import type { Said } from '../assess/track-hits.ts';
import { isListening } from '../assess/track-silence.ts';
import type { Sql, TransactionSql } from '../commit/database.ts';
import { digestOf } from '../commit/digest-of.ts';
import { insertAlerts } from '../commit/insert-alerts.ts';
import { alertsOf } from '../commit/track-candidates.ts';
import { definitionDigest } from '../commit/track-new-values.ts';

/** Keys that are told in one go; the others follow with the next look. */
const KEYS_MAX = 500;

/** Looks once; gives the number of alerts. Rejects when PostgreSQL cannot be used. */
export async function watchSilence(
  sql: Sql,
  rules: readonly TrackedRule[],
  nowMs: number,
): Promise<number> {
  let alerts = 0;
  for (const rule of rules.filter((one) => one.kind === 'flatline')) {
    alerts += await sql.begin(async (transaction) => await watchRule(transaction, rule, nowMs));
  }
  return alerts;
}

interface Silent {
  readonly key: string;
  readonly said: Said;
}

async function watchRule(sql: TransactionSql, rule: TrackedRule, nowMs: number): Promise<number> {
  const definition = definitionDigest(rule);
  const border = new Date(nowMs - rule.windowMs).toISOString();
  await sql`
    update rule_pulses set told = false
    where definition = ${definition} and told and quiet_since >= ${border}`;
  if (!isListening(rule, nowMs)) return 0;
  const silent = await sql<Silent[]>`
    update rule_pulses set told = true where track in (
      select track from rule_pulses
      where definition = ${definition} and not told and quiet_since < ${border}
      order by quiet_since limit ${KEYS_MAX} for update skip locked)
    returning key, said`;
  return await insertAlerts(
    sql,
    silent.flatMap(({ key, said }) => alertsOf(raisedOf(rule, key, said, nowMs))),
  );
}

/** The last event is shown, at the moment of now: what is told is that nothing follows. */
function raisedOf(rule: TrackedRule, key: string, said: Said, nowMs: number) {
  return {
    ...said,
    rule,
    eventTimeMs: nowMs,
    eventId: `silence-${digestOf(rule.id, key, String(nowMs)).toString('hex')}`,
    fields: { ...said.fields, key, reason: said.fields.time },
  };
}
