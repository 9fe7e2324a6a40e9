/**
 * Takes what a spike rule has counted for one key and the candidates that came, gives the alerts and the counts.
 * Keeps: pure; time is the events', in windows that stand side by side. A window alerts once, with the event that makes it so many
 * times the usual; a late event counts in its own window.
 */
import type { Candidate, TrackedRule } from './candidates.ts';
import { type Raised, saidOf } from './track-hits.ts';

/** One window of one key. */
export interface Bucket {
  /** Number of the window since 1970. */
  readonly slot: number;
  readonly events: number;
  /** An alert was made of it. */
  readonly told: boolean;
}

export interface SpikeOutcome {
  readonly raised: readonly Raised[];
  readonly changed: readonly Bucket[];
  readonly late: number;
}

export interface SpikeTimes {
  readonly nowMs: number;
  /** Since when the rule has counted; before it there is no usual. Unix milliseconds. */
  readonly knownFromMs: number;
}

/** Number of the window that a moment lies in. */
export const slotOf = (rule: Pick<TrackedRule, 'windowMs'>, atMs: number): number =>
  Math.floor(atMs / rule.windowMs);

/** Counts the candidates of one rule and key, in the order in which they came. */
export function trackSpikes(
  rule: TrackedRule,
  stored: readonly Bucket[],
  candidates: readonly Candidate[],
  { nowMs, knownFromMs }: SpikeTimes,
): SpikeOutcome {
  const buckets = new Map(stored.map((bucket) => [bucket.slot, bucket]));
  const changed = new Map<number, Bucket>();
  const raised: Raised[] = [];
  let late = 0;
  for (const candidate of candidates) {
    if (Math.abs(nowMs - candidate.eventTimeMs) > rule.latenessMs) {
      late += 1;
      continue;
    }
    const slot = slotOf(rule, candidate.eventTimeMs);
    const before = buckets.get(slot) ?? { slot, events: 0, told: false };
    const events = before.events + 1;
    const usual = usualOf(buckets, slot, rule.baseline);
    const isKnown = (slot - rule.baseline) * rule.windowMs >= knownFromMs;
    const isSpike = isKnown && events >= rule.count && events >= rule.times * usual;
    const bucket = { slot, events, told: before.told || isSpike };
    if (isSpike && !before.told) raised.push(raisedOf(rule, candidate, events, usual));
    buckets.set(slot, bucket);
    changed.set(slot, bucket);
  }
  return { raised, changed: [...changed.values()], late };
}

/** Events of a window on average over those before it. */
function usualOf(buckets: ReadonlyMap<number, Bucket>, slot: number, baseline: number): number {
  let events = 0;
  for (let at = slot - baseline; at < slot; at += 1) events += buckets.get(at)?.events ?? 0;
  return events / baseline;
}

function raisedOf(rule: TrackedRule, candidate: Candidate, events: number, usual: number): Raised {
  const said = saidOf(candidate);
  const fields = {
    ...said.fields,
    count: String(events),
    key: (JSON.parse(candidate.key) as string[]).join(', '),
    // Whole numbers stay whole: 3, 2.5.
    reason: String(Math.round(usual * 10) / 10),
  };
  return { ...said, fields, rule, eventId: candidate.eventId };
}
