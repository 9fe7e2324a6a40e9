/**
 * What rules that count or remember promise, in the simplest code: every event is kept for ever, and every window is looked at anew.
 * Engines are held against it. Gives random scenarios too: late, doubled and out-of-order events, in chunks.
 */
import fc from 'fast-check';
import type { Candidate, TrackedRule } from '../../collector/src/assess/candidates.ts';

export const SECOND_MS = 1000;
export const NOW_MS = Date.UTC(2026, 10, 23, 12);
export const LATENESS_MS = 100 * SECOND_MS;

/** An event as a rule sees it. */
export interface Given {
  readonly id: string;
  readonly atMs: number;
  readonly value: string;
  readonly part: Candidate['part'];
}

export type CountingKind = TrackedRule['kind'];

/** A rule of which only the numbers matter. */
export function ruleOf(kind: CountingKind, windowMs: number, count: number): TrackedRule {
  const isCoarse = kind === 'cardinality' || kind === 'rare';
  return {
    id: 'r',
    kind,
    definition: '',
    words: { id: 'r', severity: 'low', labels: [], mitre: [] },
    keyFields: [],
    ofField: undefined,
    windowMs,
    grainMs: isCoarse ? Math.max(1, Math.floor(windowMs / 100)) : 1,
    count,
    times: 2,
    baseline: 3,
    warmUpMs: 0,
    latenessMs: LATENESS_MS,
    isTime: undefined,
    chatIds: ['1'],
  };
}

const COUNTS_VALUES: readonly CountingKind[] = ['cardinality', 'rare'];

/** What the engine is handed for an event; of new_value the value is the key. */
export function candidateOf(rule: TrackedRule, { id, atMs, value, part }: Given): Candidate {
  return {
    rule,
    key: rule.kind === 'new_value' ? JSON.stringify([value]) : '[]',
    value: COUNTS_VALUES.includes(rule.kind) ? value : id,
    part,
    eventId: id,
    eventTimeMs: atMs,
    agentId: '6f1c1f5e-7d9d-4f3e-9d39-4c8f5a0d2b11',
    fields: { time: '', key: '', reason: '' } as Candidate['fields'],
    chatIds: ['1'],
  };
}

const inTime = (rule: TrackedRule, events: readonly Given[], nowMs: number): Given[] =>
  events.filter((event) => Math.abs(nowMs - event.atMs) <= rule.latenessMs);
const floorTo = (rule: TrackedRule, atMs: number): number =>
  Math.floor(atMs / rule.grainMs) * rule.grainMs;

/** Every window that begins at an event, looked at anew for each event; nothing is forgotten but what an alert was made of. */
function modelOfWindow(rule: TrackedRule, events: readonly Given[]): string[] {
  let left: { slot: number; value: string }[] = [];
  const alerts: string[] = [];
  for (const event of events) {
    const slot = floorTo(rule, event.atMs);
    left.push({ slot, value: rule.kind === 'cardinality' ? event.value : event.id });
    const starts = left.map((one) => one.slot).sort((one, two) => one - two);
    const full = starts
      .filter((start) => start <= slot && slot <= start + rule.windowMs)
      .find((start) => {
        const inside = left.filter((one) => one.slot >= start && one.slot <= start + rule.windowMs);
        return new Set(inside.map((one) => one.value)).size >= rule.count;
      });
    if (full === undefined) continue;
    alerts.push(event.id);
    left = left.filter((one) => one.slot < full || one.slot > full + rule.windowMs);
  }
  return alerts;
}

/** A second part is told once both parts are there, in whatever order they came. */
function modelOfSequence(rule: TrackedRule, events: readonly Given[]): string[] {
  return events
    .filter((one) => one.part === 'then')
    .filter((then) =>
      events.some(
        (first) =>
          first.part === 'hit' && first.atMs < then.atMs && then.atMs - first.atMs <= rule.windowMs,
      ),
    )
    .map((one) => one.id);
}

/** A value that was not there since a window before the event, while there were few others. */
function modelOfRare(rule: TrackedRule, events: readonly Given[]): string[] {
  return events
    .filter((event, at) => {
      const since = floorTo(rule, event.atMs) - rule.windowMs;
      const before = events.slice(0, at).filter((one) => floorTo(rule, one.atMs) >= since);
      const values = new Set(before.map((one) => one.value));
      return !values.has(event.value) && values.size + 1 <= rule.count;
    })
    .map((one) => one.id);
}

/** The event that makes its window large, by what had come until then. */
function modelOfSpike(rule: TrackedRule, events: readonly Given[], knownFromMs: number): string[] {
  const slotOf = (event: Given): number => Math.floor(event.atMs / rule.windowMs);
  const told = new Set<number>();
  return events
    .filter((event, at) => {
      const slot = slotOf(event);
      const came = events.slice(0, at + 1).map(slotOf);
      const now = came.filter((one) => one === slot).length;
      const before = came.filter((one) => one < slot && one >= slot - rule.baseline).length;
      const isKnown = (slot - rule.baseline) * rule.windowMs >= knownFromMs;
      const isLarge = now >= rule.count && now >= (rule.times * before) / rule.baseline;
      if (!isKnown || !isLarge || told.has(slot)) return false;
      told.add(slot);
      return true;
    })
    .map((one) => one.id);
}

/** The oldest event of the first chunk that a value is in; lateness does not matter. */
function modelOfNewValue(chunks: readonly (readonly Given[])[]): string[] {
  const seen = new Set<string>();
  return chunks.flatMap((chunk) => {
    const firsts = chunk.filter(({ value }) => !seen.has(value) && seen.add(value));
    return firsts.map((one) => one.id);
  });
}

/** When somebody looks: moments, and how many chunks had come by then. */
export interface Look {
  readonly atMs: number;
  readonly chunks: number;
}

/** Looks at which silence is told: fewer signs than the rule asks for since a window, and it was not told since the last sign of life. */
export function modelOfFlatline(
  rule: TrackedRule,
  chunks: readonly (readonly Given[])[],
  looks: readonly Look[],
): number[] {
  let isTold = false;
  return looks
    .filter(({ atMs, chunks: came }) => {
      const times = inTime(rule, chunks.slice(0, came).flat(), NOW_MS).map((one) => one.atMs);
      if (times.length === 0) return false;
      const since = atMs - rule.windowMs;
      const isYoung = Math.min(...times) >= since;
      const isAlive = times.filter((time) => time >= since).length >= rule.count;
      const isSilent = !isYoung && !isAlive;
      const isNews = isSilent && !isTold;
      isTold = isSilent;
      return isNews;
    })
    .map(({ atMs }) => atMs);
}

/** Ids of the events that alerts are made of. `chunks` are those that were new, each with its new events, oldest first. */
export function modelOf(
  rule: TrackedRule,
  chunks: readonly (readonly Given[])[],
  { nowMs, knownFromMs }: { readonly nowMs: number; readonly knownFromMs: number },
): string[] {
  const events = inTime(rule, chunks.flat(), nowMs);
  switch (rule.kind) {
    case 'threshold':
    case 'cardinality':
      return modelOfWindow(rule, events);
    case 'sequence':
      return modelOfSequence(rule, events);
    case 'rare':
      return modelOfRare(rule, events);
    case 'spike':
      return modelOfSpike(rule, events, knownFromMs);
    case 'new_value':
      return modelOfNewValue(chunks);
    case 'flatline':
      return [];
  }
}

/** Random events as they come. */
export const scenario = fc.record({
  windowS: fc.integer({ min: 1, max: 60 }),
  count: fc.integer({ min: 2, max: 4 }),
  events: fc.array(
    fc.record({
      // Past the lateness on both sides; many at the same moment.
      atS: fc.integer({ min: -120, max: 110 }),
      ms: fc.constantFrom(0, 0, 7, 999),
      value: fc.constantFrom('a', 'b', 'c', 'd'),
      part: fc.constantFrom('hit' as const, 'then' as const),
    }),
    { minLength: 6, maxLength: 40, size: 'max' },
  ),
  cuts: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 10 }),
  again: fc.array(fc.nat({ max: 30 }), { maxLength: 5 }),
});
export type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

/** The events in the order in which they come, in chunks, some of which come again later. A sequence alone has second parts. */
export function chunksOf({ events, cuts, again }: Scenario, kind: CountingKind): Given[][] {
  const given = events
    .map(
      ({ atS, ms, value, part }, at): Given => ({
        id: `e${String(at).padStart(2, '0')}`,
        atMs: NOW_MS + atS * SECOND_MS + ms,
        value,
        part,
      }),
    )
    .filter(({ part }) => kind === 'sequence' || part === 'hit');
  const chunks: Given[][] = [];
  for (let from = 0, cut = 0; from < given.length; cut += 1) {
    const length = cuts[cut % cuts.length] ?? 1;
    chunks.push(given.slice(from, from + length).sort((one, two) => one.atMs - two.atMs));
    from += length;
  }
  for (const at of again) chunks.push(...chunks.slice(at, at + 1));
  return chunks;
}

/** The chunks without what came before. */
export function newOf(chunks: readonly (readonly Given[])[]): Given[][] {
  const seen = new Set<string>();
  return chunks.map((chunk) => chunk.filter(({ id }) => !seen.has(id) && seen.add(id)));
}

/** How many scenarios a test looks at; LAUNCHBEAT_TEST_RUNS makes the long form. */
export const runsOr = (usual: number): number =>
  Number(process.env['LAUNCHBEAT_TEST_RUNS'] ?? usual);
