/**
 * Takes what a rule has in mind for one key and the candidates that came, gives the alerts and what is to be kept in mind.
 * Keeps: pure; candidates are taken in the order in which they came, and their time is the events': a late one counts in the window
 * that it belongs to. What an alert was made of is forgotten, so nothing alerts twice.
 */
import type { AlertFields } from './alert-fields.ts';
import type { Candidate, TrackedRule } from './candidates.ts';

/** One event that is kept in mind. */
export interface Hit {
  readonly part: Candidate['part'];
  /** Unix milliseconds, to the grain of the rule. */
  readonly atMs: number;
  readonly value: string;
  readonly eventId: string;
  /** Of `then`: what is said of it should its first part come late. */
  readonly said?: Said;
}

export interface Said {
  /** Exact time, Unix milliseconds. */
  readonly eventTimeMs: number;
  readonly agentId: string;
  readonly fields: AlertFields;
  readonly chatIds: readonly string[];
}

/** An alert for each chat of the rule. */
export interface Raised extends Said {
  readonly rule: TrackedRule;
  readonly eventId: string;
}

export interface Outcome {
  readonly raised: readonly Raised[];
  readonly added: readonly Hit[];
  readonly removed: readonly Hit[];
  /** Candidates that were too late, or from too far in the future, to count. */
  readonly late: number;
}

/** Counts the candidates of one rule and key. `stored` is what is in mind around their times. */
export function trackHits(
  rule: TrackedRule,
  stored: readonly Hit[],
  candidates: readonly Candidate[],
  nowMs: number,
): Outcome {
  const inMind = new Map(stored.map((hit) => [nameOf(hit), hit]));
  const raised: Raised[] = [];
  let late = 0;
  for (const candidate of candidates) {
    if (Math.abs(nowMs - candidate.eventTimeMs) > rule.latenessMs) {
      late += 1;
      continue;
    }
    const hit = hitOf(candidate);
    raised.push(...adderOf(rule)(rule, inMind, hit, candidate));
  }
  const before = new Map(stored.map((hit) => [nameOf(hit), hit]));
  return {
    raised,
    added: [...inMind].filter(([name]) => !before.has(name)).map(([, hit]) => hit),
    removed: [...before].filter(([name]) => !inMind.has(name)).map(([, hit]) => hit),
    late,
  };
}

type InMind = Map<string, Hit>;
type Add = (rule: TrackedRule, inMind: InMind, hit: Hit, candidate: Candidate) => Raised[];

function adderOf({ kind }: TrackedRule): Add {
  if (kind === 'sequence') return addToSequence;
  return kind === 'rare' ? addToRare : addToWindow;
}

const nameOf = ({ part, atMs, value }: Hit): string => `${part} ${atMs} ${value}`;

function hitOf(candidate: Candidate): Hit {
  const { rule, part, value, eventId, eventTimeMs } = candidate;
  const atMs = Math.floor(eventTimeMs / rule.grainMs) * rule.grainMs;
  return part === 'then'
    ? { part, atMs, value, eventId, said: saidOf(candidate) }
    : { part, atMs, value, eventId };
}

/** What is said of an event. */
export const saidOf = ({ eventTimeMs, agentId, fields, chatIds }: Candidate): Said => ({
  eventTimeMs,
  agentId,
  fields,
  chatIds,
});

/** threshold and cardinality: the first window around the hit that holds enough is an alert, and is forgotten. */
function addToWindow(rule: TrackedRule, inMind: InMind, hit: Hit, candidate: Candidate): Raised[] {
  inMind.set(nameOf(hit), hit);
  const near = [...inMind.values()]
    .filter((one) => Math.abs(one.atMs - hit.atMs) <= rule.windowMs)
    .sort((one, two) => one.atMs - two.atMs);
  const window = firstFullWindow(near, hit.atMs, rule);
  if (window === undefined) return [];
  for (const one of window.hits) inMind.delete(nameOf(one));
  const said = saidOf(candidate);
  const fields = {
    ...said.fields,
    count: String(window.values),
    key: (JSON.parse(candidate.key) as string[]).join(', '),
  };
  return [{ ...said, fields, rule, eventId: candidate.eventId }];
}

/**
 * rare: a value that the key did not have within a window, while it has few of them. Only the newest values are kept, one more than
 * the border: with so many the key is not rare, whichever they are.
 */
function addToRare(rule: TrackedRule, inMind: InMind, hit: Hit, candidate: Candidate): Raised[] {
  const all = [...inMind.values()];
  const lately = all.filter((one) => one.atMs >= hit.atMs - rule.windowMs);
  const before = all.find((one) => one.value === hit.value);
  if (before === undefined || before.atMs < hit.atMs) {
    if (before !== undefined) inMind.delete(nameOf(before));
    inMind.set(nameOf(hit), hit);
  }
  const newest = [...inMind.values()].sort((one, two) => two.atMs - one.atMs);
  for (const one of newest.slice(rule.count + 1)) inMind.delete(nameOf(one));
  const values = lately.length + 1;
  if (lately.some((one) => one.value === hit.value) || values > rule.count) return [];
  const said = saidOf(candidate);
  const key = (JSON.parse(candidate.key) as string[]).join(', ');
  const fields = { ...said.fields, count: String(values), key };
  return [{ ...said, fields, rule, eventId: candidate.eventId }];
}

interface Window {
  readonly hits: readonly Hit[];
  readonly values: number;
}

/** Slides over the hits, which are sorted by time; `atMs` must lie within. */
function firstFullWindow(
  hits: readonly Hit[],
  atMs: number,
  { windowMs, count }: TrackedRule,
): Window | undefined {
  const times = new Map<string, number>();
  let end = 0;
  for (const [start, first] of hits.entries()) {
    if (first.atMs > atMs) return undefined;
    for (let next = hits[end]; isWithin(next, first.atMs + windowMs); next = hits[end]) {
      addTo(times, next.value, 1);
      end += 1;
    }
    if (times.size >= count && first.atMs + windowMs >= atMs) {
      return { hits: hits.slice(start, end), values: times.size };
    }
    addTo(times, first.value, -1);
  }
  return undefined;
}

const isWithin = (hit: Hit | undefined, untilMs: number): hit is Hit =>
  hit !== undefined && hit.atMs <= untilMs;

/** Keeps a multiset: what is there no times is not there. */
function addTo(times: Map<string, number>, value: string, by: 1 | -1): void {
  const now = (times.get(value) ?? 0) + by;
  if (now === 0) times.delete(value);
  else times.set(value, now);
}

/** sequence: a second part with a first one before it, whichever came first. */
function addToSequence(
  rule: TrackedRule,
  inMind: InMind,
  hit: Hit,
  candidate: Candidate,
): Raised[] {
  const { windowMs } = rule;
  const pairs = (first: Hit, then: Hit): boolean =>
    first.atMs < then.atMs && then.atMs - first.atMs <= windowMs;
  const others = [...inMind.values()].filter((one) => one.part !== hit.part);
  const raise = (eventId: string, said: Said): Raised => ({ ...said, rule, eventId });
  if (hit.part === 'then') {
    if (others.some((first) => pairs(first, hit))) return [raise(hit.eventId, saidOf(candidate))];
    inMind.set(nameOf(hit), hit);
    return [];
  }
  inMind.set(nameOf(hit), hit);
  forgetBetween(inMind, windowMs);
  return others
    .filter((then) => pairs(hit, then))
    .flatMap((then) => {
      inMind.delete(nameOf(then));
      return then.said === undefined ? [] : [raise(then.eventId, then.said)];
    });
}

/** A first part between two others that are at most a window apart says nothing more: whatever it precedes, one of them does. */
function forgetBetween(inMind: InMind, windowMs: number): void {
  const firsts = [...inMind.values()]
    .filter((one) => one.part === 'hit')
    .sort((one, two) => one.atMs - two.atMs);
  let last = firsts[0];
  for (let at = 1; at < firsts.length - 1; at += 1) {
    const [here, next] = [firsts[at], firsts[at + 1]];
    if (last === undefined || here === undefined || next === undefined) return;
    if (next.atMs - last.atMs <= windowMs) inMind.delete(nameOf(here));
    else last = here;
  }
}
