/**
 * Counts for rules of kind spike, in the transaction that stores the events. Table rule_counts.
 * Keeps: until the rule has counted for as long as its usual takes, nothing is a spike; counts that no event can need are forgotten
 * by the retention.
 */
import type { Candidate, TrackedRule } from '../assess/candidates.ts';
import { type Bucket, type SpikeOutcome, slotOf, trackSpikes } from '../assess/track-spikes.ts';
import type { TransactionSql } from './database.ts';
import { definitionDigest } from './track-new-values.ts';

/** Candidates of one rule and key; `id` is the digest of both. */
interface Track {
  readonly id: Buffer;
  readonly rule: TrackedRule;
  readonly candidates: readonly Candidate[];
}

/** Counts; the track must be locked. */
export async function trackSpikeCounts(
  sql: TransactionSql,
  { id, rule, candidates }: Track,
  nowMs: number,
): Promise<SpikeOutcome> {
  const slots = candidates.map((one) => slotOf(rule, one.eventTimeMs));
  const from = Math.min(...slots) - rule.baseline;
  const stored = await sql<{ slot: string; events: number; told: boolean }[]>`
    select slot, events, told from rule_counts
    where track = ${id} and slot between ${from} and ${Math.max(...slots)}`;
  const buckets = stored.map((row): Bucket => ({ ...row, slot: Number(row.slot) }));
  const knownFromMs = await begunMs(sql, rule);
  const outcome = trackSpikes(rule, buckets, candidates, { nowMs, knownFromMs });
  const { changed } = outcome;
  const keepMs = rule.latenessMs + rule.windowMs * (rule.baseline + 2);
  if (changed.length > 0) {
    await sql`
      insert into rule_counts (track, slot, events, told, expires_at)
      select ${id}, slot::bigint, events::integer, told::boolean, expires_at::timestamptz
      from unnest(
        ${changed.map((one) => String(one.slot))}::text[], ${changed.map((one) => String(one.events))}::text[],
        ${changed.map((one) => String(one.told))}::text[],
        ${changed.map((one) => new Date(one.slot * rule.windowMs + keepMs).toISOString())}::text[]
      ) as given (slot, events, told, expires_at)
      on conflict (track, slot) do update set events = excluded.events, told = excluded.told`;
  }
  return outcome;
}

/** Since when the rule counts; never, where nobody has begun it yet. */
async function begunMs(sql: TransactionSql, rule: TrackedRule): Promise<number> {
  const [row] = await sql<{ begun_ms: number }[]>`
    select (extract(epoch from begun_at) * 1000)::float8 as begun_ms from rule_learning
    where definition = ${definitionDigest(rule)}`;
  return row?.begun_ms ?? Number.POSITIVE_INFINITY;
}
