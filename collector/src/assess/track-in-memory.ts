/**
 * Takes events one after the other, gives the alerts of the rules that count: the same counting as commit's, with its memory in memory.
 * Keeps: for trying rules on events from before; what no event can need any more is forgotten.
 */
import type { ProcessStart } from '@launchbeat/ecs-schemas';
import type { AlertsConfig } from './alerts-config.ts';
import { type Candidate, createCandidates, type TrackedRule } from './candidates.ts';
import type { TagsOf } from './pc-groups.ts';
import { type Hit, type Raised, saidOf, trackHits } from './track-hits.ts';
import { addPulse, isListening, type Pulse, quietSinceMs } from './track-silence.ts';
import { type Bucket, trackSpikes } from './track-spikes.ts';

export interface TrackOptions {
  /** What new_value sees first is not new until it has looked on for the rule's warm-up. */
  readonly warmsUp: boolean;
  /** What the fleet knows of agents; absent = nothing. */
  readonly tagsOf?: TagsOf;
}

/** Takes each event once; `nowMs` is when it came, Unix milliseconds. */
export type TrackInMemory = (document: ProcessStart, nowMs: number) => Raised[];

/** Keys in memory, at which those that cannot matter any more are looked for. */
const KEYS_LOOKED_THROUGH = 50_000;
/** So often silence is listened for. */
const LISTEN_MS = 1000;

/** What is kept for one rule and key. */
interface Kept {
  readonly rule: TrackedRule;
  /** No event can need it after this moment. */
  readonly expiresMs: number;
  readonly hits: readonly Hit[];
  readonly buckets: readonly Bucket[];
  readonly pulse?: Pulse;
  readonly said?: Raised;
  readonly isTold?: boolean;
}

/** Makes the counting. */
export function createTrackInMemory(config: AlertsConfig, options: TrackOptions): TrackInMemory {
  const find = createCandidates(config, options.tagsOf);
  const memory = new Map<string, Kept>();
  const seen = new Set<string>();
  /** Names of keys that silence is listened for. */
  const pulses = new Set<string>();
  let listenAtMs = 0;
  let beganMs: number | undefined;
  let lookAt = KEYS_LOOKED_THROUGH;

  const isWarm = (rule: TrackedRule, nowMs: number): boolean =>
    !options.warmsUp || nowMs - (beganMs ?? nowMs) >= rule.warmUpMs;

  function isNew({ rule, key }: Candidate, nowMs: number): boolean {
    const name = `${rule.id}\n${key}`;
    if (seen.has(name)) return false;
    seen.add(name);
    return isWarm(rule, nowMs);
  }

  function track(candidate: Candidate, nowMs: number): readonly Raised[] {
    const { rule, key } = candidate;
    if (rule.kind === 'new_value') return isNew(candidate, nowMs) ? [keyed(candidate)] : [];
    const name = `${rule.id}\n${key}`;
    const known = memory.get(name) ?? { rule, expiresMs: 0, hits: [], buckets: [] };
    const raised = (TRACKS[rule.kind] ?? trackOne)(candidate, known, nowMs);
    memory.set(name, raised.kept);
    if (memory.size > lookAt) forget(nowMs);
    return rule.kind === 'rare' && !isWarm(rule, nowMs) ? [] : raised.raised;
  }

  const knownFromMs = (): number =>
    options.warmsUp ? (beganMs ?? Number.POSITIVE_INFINITY) : Number.NEGATIVE_INFINITY;

  const TRACKS: { readonly [Kind in TrackedRule['kind']]?: typeof trackOne } = {
    spike: (candidate, known, nowMs) => {
      const { rule } = candidate;
      const times = { nowMs, knownFromMs: knownFromMs() };
      const { changed, raised } = trackSpikes(rule, known.buckets, [candidate], times);
      const untouched = known.buckets.filter(
        (one) => !changed.some(({ slot }) => slot === one.slot),
      );
      const keepMs = rule.latenessMs + rule.windowMs * (rule.baseline + 1);
      const buckets = [...untouched, ...changed].filter(
        ({ slot }) => slot * rule.windowMs >= nowMs - keepMs,
      );
      return { raised, kept: { ...known, buckets, expiresMs: nowMs + keepMs } };
    },
    flatline: (candidate, known, nowMs) => {
      const { rule, eventTimeMs } = candidate;
      if (Math.abs(nowMs - eventTimeMs) > rule.latenessMs) return { raised: [], kept: known };
      pulses.add(`${rule.id}\n${candidate.key}`);
      const pulse = addPulse(rule, known.pulse, [eventTimeMs]);
      const isNewest = eventTimeMs >= (known.said?.eventTimeMs ?? 0);
      const said = isNewest || known.said === undefined ? keyed(candidate) : known.said;
      const isTold = known.isTold === true && isSilent(rule, pulse, nowMs);
      // Whoever is silent must not be forgotten for it.
      const expiresMs = Number.POSITIVE_INFINITY;
      return { raised: [], kept: { ...known, pulse, said, isTold, expiresMs } };
    },
  };

  /** Keys that fell silent since the last look. */
  function silences(nowMs: number): Raised[] {
    const raised: Raised[] = [];
    if (nowMs < listenAtMs) return raised;
    listenAtMs = nowMs + LISTEN_MS;
    for (const name of pulses) {
      const kept = memory.get(name);
      if (kept?.pulse === undefined || kept.said === undefined || kept.isTold === true) continue;
      const { rule, pulse, said } = kept;
      if (!isSilent(rule, pulse, nowMs) || !isListening(rule, nowMs)) continue;
      memory.set(name, { ...kept, isTold: true });
      raised.push({ ...said, fields: { ...said.fields, reason: said.fields.time } });
    }
    return raised;
  }

  function forget(nowMs: number): void {
    for (const [name, { expiresMs }] of memory) if (expiresMs < nowMs) memory.delete(name);
    lookAt = memory.size + KEYS_LOOKED_THROUGH;
  }

  return (document, nowMs) => {
    beganMs ??= nowMs;
    const silent = silences(nowMs);
    return [...silent, ...find([document]).flatMap((candidate) => track(candidate, nowMs))];
  };
}

const isSilent = (rule: TrackedRule, pulse: Pulse, nowMs: number): boolean =>
  quietSinceMs(rule, pulse) < nowMs - rule.windowMs;

/** An alert of the event that says what it has in common with others. */
function keyed(candidate: Candidate): Raised {
  const { rule, eventId, fields, key } = candidate;
  const words = (JSON.parse(key) as string[]).join(', ');
  return { ...saidOf(candidate), fields: { ...fields, key: words }, rule, eventId };
}

/** Kinds whose memory is hits. */
function trackOne(
  candidate: Candidate,
  known: Kept,
  nowMs: number,
): { readonly raised: readonly Raised[]; readonly kept: Kept } {
  const { rule } = candidate;
  const keepMs = rule.latenessMs + rule.windowMs + rule.grainMs;
  const stored = known.hits.filter((hit) => hit.atMs >= nowMs - keepMs);
  const { added, removed, raised } = trackHits(rule, stored, [candidate], nowMs);
  const hits = [...stored.filter((hit) => !removed.includes(hit)), ...added];
  const expiresMs = Math.max(...hits.map((hit) => hit.atMs)) + keepMs;
  return { raised, kept: { ...known, hits, expiresMs } };
}
