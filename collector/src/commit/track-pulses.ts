/**
 * Signs of life for rules of kind flatline, noted in the transaction that stores the events. Table rule_pulses; who is silent is
 * found by the watch.
 */
import type { Candidate, TrackedRule } from '../assess/candidates.ts';
import { type Said, saidOf } from '../assess/track-hits.ts';
import { addPulse, quietSinceMs } from '../assess/track-silence.ts';
import type { TransactionSql } from './database.ts';
import { saidJson } from './storable-said.ts';
import { definitionDigest } from './track-new-values.ts';

/** Candidates of one rule and key, oldest first; `id` is the digest of both. */
interface Track {
  readonly id: Buffer;
  readonly rule: TrackedRule;
  readonly candidates: readonly Candidate[];
}

/** Notes the signs; the track must be locked. Gives how many came too late to count. */
export async function trackPulses(
  sql: TransactionSql,
  { id, rule, candidates }: Track,
  nowMs: number,
): Promise<number> {
  const inTime = candidates.filter((one) => Math.abs(nowMs - one.eventTimeMs) <= rule.latenessMs);
  const newest = inTime.at(-1);
  const late = candidates.length - inTime.length;
  if (newest === undefined) return late;
  const [row] = await sql<{ began_ms: number; times_ms: number[]; said: Said }[]>`
    select began_ms, times_ms, said from rule_pulses where track = ${id}`;
  const pulse = addPulse(
    rule,
    row && { beganMs: row.began_ms, timesMs: row.times_ms },
    inTime.map((one) => one.eventTimeMs),
  );
  const said =
    row !== undefined && row.said.eventTimeMs > newest.eventTimeMs ? row.said : saidOf(newest);
  const key = (JSON.parse(newest.key) as string[]).join(', ');
  const quietSince = new Date(quietSinceMs(rule, pulse)).toISOString();
  await sql`
    insert into rule_pulses (track, definition, key, began_ms, times_ms, quiet_since, said)
    values (${id}, ${definitionDigest(rule)}, ${key.replaceAll('\0', ' ')}, ${pulse.beganMs},
      ${[...pulse.timesMs]}::float8[], ${quietSince}, ${saidJson(said)}::text::jsonb)
    on conflict (track) do update set began_ms = excluded.began_ms, times_ms = excluded.times_ms,
      quiet_since = excluded.quiet_since, said = excluded.said, seen_at = now()`;
  return late;
}
