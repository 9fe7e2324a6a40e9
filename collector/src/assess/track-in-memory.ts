/**
 * Takes events one after the other, gives the alerts of the rules that count: the same counting as commit's, with its memory in memory.
 * Keeps: for trying rules on events from before; what no event can need any more is forgotten.
 */
import type { ProcessStart } from '@launchbeat/ecs-schemas';
import type { AlertsConfig } from './alerts-config.ts';
import { type Candidate, createCandidates } from './candidates.ts';
import { type Hit, type Raised, trackHits } from './track-hits.ts';

export interface TrackOptions {
  /** What new_value sees first is not new until it has looked on for the rule's warm-up. */
  readonly warmsUp: boolean;
}

/** Takes each event once; `nowMs` is when it came, Unix milliseconds. */
export type TrackInMemory = (document: ProcessStart, nowMs: number) => Raised[];

/** Keys in memory, at which those that cannot matter any more are looked for. */
const KEYS_LOOKED_THROUGH = 50_000;

/** Makes the counting. */
export function createTrackInMemory(config: AlertsConfig, options: TrackOptions): TrackInMemory {
  const find = createCandidates(config);
  const hits = new Map<string, { readonly expiresMs: number; readonly hits: readonly Hit[] }>();
  const seen = new Set<string>();
  let beganMs: number | undefined;
  let lookAt = KEYS_LOOKED_THROUGH;

  function isNew({ rule, key }: Candidate, nowMs: number): boolean {
    const name = `${rule.id}\n${key}`;
    if (seen.has(name)) return false;
    seen.add(name);
    return !options.warmsUp || nowMs - (beganMs ?? nowMs) >= rule.warmUpMs;
  }

  function track(candidate: Candidate, nowMs: number): readonly Raised[] {
    const { rule, key, eventId, eventTimeMs, agentId, fields } = candidate;
    if (rule.kind === 'new_value') {
      const words = (JSON.parse(key) as string[]).join(', ');
      const said = { eventTimeMs, agentId, fields: { ...fields, key: words } };
      return isNew(candidate, nowMs) ? [{ ...said, rule, eventId }] : [];
    }
    const name = `${rule.id}\n${key}`;
    const keepMs = rule.latenessMs + rule.windowMs + rule.grainMs;
    const stored = (hits.get(name)?.hits ?? []).filter((hit) => hit.atMs >= nowMs - keepMs);
    const { added, removed, raised } = trackHits(rule, stored, [candidate], nowMs);
    const kept = [...stored.filter((hit) => !removed.includes(hit)), ...added];
    if (kept.length === 0) hits.delete(name);
    else
      hits.set(name, { hits: kept, expiresMs: Math.max(...kept.map((hit) => hit.atMs)) + keepMs });
    if (hits.size > lookAt) forget(nowMs);
    return raised;
  }

  function forget(nowMs: number): void {
    for (const [name, { expiresMs }] of hits) if (expiresMs < nowMs) hits.delete(name);
    lookAt = hits.size + KEYS_LOOKED_THROUGH;
  }

  return (document, nowMs) => {
    beganMs ??= nowMs;
    return find([document]).flatMap((candidate) => track(candidate, nowMs));
  };
}
