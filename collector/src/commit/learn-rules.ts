/**
 * Teaches rules that compare with before what there was: from the events of the table, when a rule begins.
 * Keeps: safe to call at any time, by several collectors at once; one batch is in memory.
 */
import type { Log } from '@launchbeat/ecs-schemas/beat';
import type { TrackedRule } from '../assess/candidates.ts';
import type { KeyField } from '../assess/rule-kinds.ts';
import type { Sql } from './database.ts';
import { digestOf } from './digest-of.ts';
import { trackDigest } from './track-digest.ts';
import { definitionDigest, remember } from './track-new-values.ts';

/** Kinds that need to know since when they look on. */
const LEARNERS: ReadonlySet<TrackedRule['kind']> = new Set(['new_value', 'rare', 'spike']);

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
  for (const rule of rules.filter((one) => LEARNERS.has(one.kind))) {
    const definition = definitionDigest(rule);
    const [learning] = await sql<{ learnt: boolean }[]>`
      insert into rule_learning (definition, rule_id, begun_at, known_from)
      select ${definition}, ${rule.id}, ${now},
        least(${now}::timestamptz, (select min(received_at) from chunks))
      on conflict (definition) do update set used_at = now()
      returning learnt_at is not null as learnt`;
    if (learning?.learnt === true) continue;
    const keys = await learnRule(sql, rule, { nowMs: options.nowMs, signal });
    if (signal.aborted) return;
    await sql`update rule_learning set learnt_at = ${now} where definition = ${definition} and learnt_at is null`;
    log.info({ 'launchbeat.rule.keys': keys }, `Rule ${rule.id} has learnt what there was.`);
  }
}

interface Lesson {
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** Gives how many keys there were. */
async function learnRule(sql: Sql, rule: TrackedRule, lesson: Lesson): Promise<number> {
  if (rule.kind === 'new_value') return await learnKeys(sql, rule, lesson.signal);
  return rule.kind === 'rare' ? await learnValues(sql, rule, lesson) : 0;
}

/** As keyText() writes them. */
function columnOf(sql: Sql, field: KeyField) {
  return {
    user: sql`lower(coalesce(user_domain, '') || '\\' || coalesce(username, ''))`,
    host: sql`lower(host_name)`,
    process: sql`lower(coalesce(process_name, ''))`,
    program: sql`lower(coalesce(program, process_name, ''))`,
    executable: sql`lower(coalesce(executable, ''))`,
    parent: sql`lower(coalesce(parent_name, ''))`,
    command_line: sql`lower(coalesce(command_line, ''))`,
  }[field];
}

function keyColumn(sql: Sql, rule: TrackedRule) {
  const list = rule.keyFields.map((field) => columnOf(sql, field));
  const array = list.reduce((before, one) => sql`${before}, ${one}`);
  return sql`array[${array}]::text[]`;
}

async function learnKeys(sql: Sql, rule: TrackedRule, signal: AbortSignal): Promise<number> {
  let total = 0;
  const rows = sql<{ key: string[] }[]>`
    select distinct ${keyColumn(sql, rule)} as key from events`;
  for await (const batch of rows.cursor(BATCH_ROWS)) {
    if (signal.aborted) return total;
    const keys = batch.map(({ key }) => digestOf(JSON.stringify(key)).toString('base64url'));
    await remember(sql, rule, [...new Set(keys)]);
    total += keys.length;
  }
  return total;
}

/** Of each key the newest values, one more than the rule's border, as trackHits() keeps them. */
async function learnValues(sql: Sql, rule: TrackedRule, lesson: Lesson): Promise<number> {
  const { nowMs, signal } = lesson;
  const since = new Date(nowMs - rule.windowMs - rule.latenessMs).toISOString();
  const until = new Date(nowMs + rule.latenessMs).toISOString();
  const value = columnOf(sql, rule.ofField ?? 'host');
  let total = 0;
  const rows = sql<{ key: string[]; value: string; last_ms: number; event_id: string }[]>`
    select key, value, (extract(epoch from last) * 1000)::float8 as last_ms, event_id from (
      select key, value, last, event_id, row_number() over (partition by key order by last desc) as place from (
        select ${keyColumn(sql, rule)} as key, ${value} as value, max("timestamp") as last,
          max(event_id) as event_id
        from events where "timestamp" between ${since} and ${until} group by 1, 2
      ) as pairs
    ) as placed where place <= ${rule.count + 1}`;
  for await (const batch of rows.cursor(BATCH_ROWS)) {
    if (signal.aborted) return total;
    for (const row of batch) {
      const atMs = Math.floor(row.last_ms / rule.grainMs) * rule.grainMs;
      const expires = new Date(atMs + rule.windowMs + rule.grainMs + rule.latenessMs).toISOString();
      const track = trackDigest(rule, JSON.stringify(row.key));
      await sql`
        insert into rule_hits (track, part, at_ms, value, event_id, expires_at)
        select ${track}, 'hit', ${atMs}, ${digestOf(row.value).toString('base64url')}, ${row.event_id}, ${expires}
        where not exists (select from rule_hits where track = ${track}
          and value = ${digestOf(row.value).toString('base64url')})
        on conflict do nothing`;
    }
    total += batch.length;
  }
  return total;
}
