/**
 * Takes the candidates of new events, gives the alerts of the rules that count, inside the transaction that stores the events.
 * Keeps: who counts under the same key waits for the other's commit, so nothing is counted past each other; what is kept in mind is
 * written with the events, so a chunk that comes again, a crash or a restart changes no count.
 */
import type { Alert } from '../assess/assess.ts';
import type { Candidate } from '../assess/candidates.ts';
import { type Hit, type Raised, type Said, trackHits } from '../assess/track-hits.ts';
import type { TransactionSql } from './database.ts';
import { digestOf } from './digest-of.ts';
import { saidJson } from './storable-said.ts';
import { trackDigest } from './track-digest.ts';
import { isWarm, trackNewValues } from './track-new-values.ts';
import { trackPulses } from './track-pulses.ts';
import { trackSpikeCounts } from './track-spike-counts.ts';

export interface TrackOutcome {
  readonly alerts: readonly Alert[];
  /** Candidates that were too late to count. */
  readonly late: number;
}

const LOCKS = 64;
/** Waiting second parts of one key that a late first part can still make alerts of, in one chunk. */
const THEN_MAX = 1000;

interface Track {
  readonly id: Buffer;
  readonly rule: Candidate['rule'];
  readonly candidates: Candidate[];
}

/** Counts; `nowMs` is the moment of the commit, Unix milliseconds. */
export async function trackCandidates(
  sql: TransactionSql,
  candidates: readonly Candidate[],
  nowMs: number,
): Promise<TrackOutcome> {
  if (candidates.length === 0) return { alerts: [], late: 0 };
  const tracks = tracksOf(candidates);
  const locks = [...new Set([...tracks.values()].map(({ id }) => (id[0] ?? 0) % LOCKS))];
  // In order, so that two chunks never wait for each other.
  for (const lock of locks.sort((one, two) => one - two)) {
    await sql`select pg_advisory_xact_lock(hashtextextended('launchbeat.track', ${lock}::bigint))`;
  }
  const raised: Raised[] = [];
  let late = 0;
  for (const track of tracks.values()) {
    const outcome = await trackOne(sql, track, nowMs);
    raised.push(...outcome.raised);
    late += outcome.late;
  }
  raised.push(...(await trackNewValues(sql, candidates, nowMs)));
  return { alerts: raised.flatMap(alertsOf), late };
}

interface Tracked {
  readonly raised: readonly Raised[];
  readonly late: number;
}

/** By the kind of the rule; new_value is looked at for all keys at once. */
async function trackOne(sql: TransactionSql, track: Track, nowMs: number): Promise<Tracked> {
  switch (track.rule.kind) {
    case 'new_value':
      return { raised: [], late: 0 };
    case 'spike':
      return await trackSpikeCounts(sql, track, nowMs);
    case 'flatline':
      return { raised: [], late: await trackPulses(sql, track, nowMs) };
    case 'rare': {
      const { raised, late } = await trackStored(sql, track, nowMs);
      return { raised: (await isWarm(sql, track.rule, nowMs)) ? raised : [], late };
    }
    case 'threshold':
    case 'cardinality':
    case 'sequence':
      return await trackStored(sql, track, nowMs);
  }
}

async function trackStored(sql: TransactionSql, track: Track, nowMs: number): Promise<Tracked> {
  const outcome = trackHits(track.rule, await readHits(sql, track), track.candidates, nowMs);
  await writeHits(sql, track, outcome);
  return outcome;
}

/** Candidates of one rule and key, in the order of their time: what came in one chunk came at once. */
function tracksOf(candidates: readonly Candidate[]): ReadonlyMap<string, Track> {
  const tracks = new Map<string, Track>();
  const ordered = [...candidates].sort((one, two) => one.eventTimeMs - two.eventTimeMs);
  for (const candidate of ordered) {
    const { rule, key } = candidate;
    const id = trackDigest(rule, key);
    const name = id.toString('hex');
    const track = tracks.get(name) ?? { id, rule, candidates: [] };
    track.candidates.push({ ...candidate, value: digestOf(candidate.value).toString('base64url') });
    tracks.set(name, track);
  }
  return tracks;
}

async function readHits(sql: TransactionSql, { id, rule, candidates }: Track): Promise<Hit[]> {
  const times = candidates.map((one) => one.eventTimeMs);
  const reachMs = rule.windowMs + rule.grainMs;
  const from = rule.kind === 'rare' ? 0 : Math.min(...times) - reachMs;
  // Whatever a rare rule keeps is one value more than its border at most.
  const to = rule.kind === 'rare' ? Number.MAX_SAFE_INTEGER : Math.max(...times) + reachMs;
  const rows = await sql<
    { part: Hit['part']; at_ms: string; value: string; event_id: string; said: Said | null }[]
  >`
    select part, at_ms, value, event_id, said from rule_hits
    where track = ${id} and part = 'hit' and at_ms between ${from} and ${to}
    union all
    (select part, at_ms, value, event_id, said from rule_hits
     where track = ${id} and part = 'then' and at_ms between ${from} and ${to}
     order by at_ms limit ${THEN_MAX})`;
  return rows.map(({ part, at_ms: atMs, value, event_id: eventId, said }) => ({
    part,
    atMs: Number(atMs),
    value,
    eventId,
    ...(said === null ? {} : { said }),
  }));
}

async function writeHits(
  sql: TransactionSql,
  { id, rule }: Track,
  { added, removed }: { readonly added: readonly Hit[]; readonly removed: readonly Hit[] },
): Promise<void> {
  if (removed.length > 0) {
    await sql`
      delete from rule_hits using unnest(
        ${removed.map((one) => one.part)}::text[], ${removed.map((one) => String(one.atMs))}::text[],
        ${removed.map((one) => one.value)}::text[]) as given (part, at_ms, value)
      where track = ${id} and rule_hits.part = given.part and rule_hits.at_ms = given.at_ms::bigint
        and rule_hits.value = given.value`;
  }
  if (added.length === 0) return;
  const keepMs = rule.windowMs + rule.grainMs + rule.latenessMs;
  await sql`
    insert into rule_hits (track, part, at_ms, value, event_id, said, expires_at)
    select ${id}, part, at_ms::bigint, value, event_id, said::jsonb, expires_at::timestamptz
    from unnest(
      ${added.map((one) => one.part)}::text[], ${added.map((one) => String(one.atMs))}::text[],
      ${added.map((one) => one.value)}::text[], ${added.map((one) => one.eventId)}::text[],
      ${added.map((one) => (one.said === undefined ? null : saidJson(one.said)))}::text[],
      ${added.map((one) => new Date(one.atMs + keepMs).toISOString())}::text[]
    ) as given (part, at_ms, value, event_id, said, expires_at)
    on conflict do nothing`;
}

/** Alerts that were noted before said who hears them are heard by all of the rule's chats. */
export function alertsOf({ rule, chatIds, eventId, eventTimeMs, ...said }: Raised): Alert[] {
  const eventTimestamp = new Date(eventTimeMs).toISOString();
  const { agentId, fields } = said;
  return ((chatIds as Raised['chatIds'] | undefined) ?? rule.chatIds).map((chatId) => ({
    ruleId: rule.id,
    eventId,
    eventTimestamp,
    eventTimeMs,
    agentId,
    chatId,
    fields,
  }));
}
