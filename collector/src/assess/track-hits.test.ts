/**
 * Goal: rules that count give the alerts that their words promise, whatever comes late, twice or after a restart.
 * Method: a model in the simplest code, which keeps every event for ever and looks at every window, is held against trackHits(), which
 * forgets what it can and is handed only what PostgreSQL would hand it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { processStart } from '../../../tests/support/documents.ts';
import { alertsConfigSchema } from './alerts-config.ts';
import { type Candidate, createCandidates, type TrackedRule } from './candidates.ts';
import { type Hit, trackHits } from './track-hits.ts';

const SECOND_MS = 1000;
const NOW_MS = Date.UTC(2026, 10, 23, 12);
const LATENESS_MS = 100 * SECOND_MS;

interface Given {
  readonly id: string;
  readonly atMs: number;
  readonly value: string;
  readonly part: Candidate['part'];
}

function ruleOf(kind: TrackedRule['kind'], windowMs: number, count: number): TrackedRule {
  return {
    id: 'r',
    kind,
    definition: '',
    keyFields: [],
    windowMs,
    grainMs: kind === 'cardinality' ? Math.max(1, Math.floor(windowMs / 100)) : 1,
    count,
    warmUpMs: 0,
    latenessMs: LATENESS_MS,
    words: { id: 'r', severity: 'low', labels: [], mitre: [] },
    ofField: undefined,
    times: 2,
    baseline: 3,
    isTime: undefined,
    chatIds: ['1'],
  };
}

function candidateOf(rule: TrackedRule, { id, atMs, value, part }: Given): Candidate {
  return {
    rule,
    key: '[]',
    value: rule.kind === 'cardinality' ? value : id,
    part,
    eventId: id,
    eventTimeMs: atMs,
    agentId: '',
    fields: {} as Candidate['fields'],
    chatIds: ['1'],
  };
}

/** Every window that begins at an event, looked at anew for each event; nothing is forgotten but what an alert was made of. */
function modelOfWindow(rule: TrackedRule, events: readonly Given[], nowMs: number): string[] {
  let left: { slot: number; value: string }[] = [];
  const alerts: string[] = [];
  for (const event of events) {
    if (Math.abs(nowMs - event.atMs) > rule.latenessMs) continue;
    const slot = Math.floor(event.atMs / rule.grainMs) * rule.grainMs;
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
function modelOfSequence(rule: TrackedRule, events: readonly Given[], nowMs: number): string[] {
  const taken = events.filter((one) => Math.abs(nowMs - one.atMs) <= rule.latenessMs);
  return taken
    .filter((one) => one.part === 'then')
    .filter((then) =>
      taken.some(
        (first) =>
          first.part === 'hit' && first.atMs < then.atMs && then.atMs - first.atMs <= rule.windowMs,
      ),
    )
    .map((one) => one.id)
    .sort();
}

/** The engine as commit runs it: chunk by chunk, each event once, with what is stored around the chunk's times. */
function engine(rule: TrackedRule, chunks: readonly (readonly Given[])[], nowMs: number): string[] {
  let stored: Hit[] = [];
  const seen = new Set<string>();
  const alerts: string[] = [];
  for (const chunk of chunks) {
    const fresh = chunk.filter(({ id }) => !seen.has(id) && seen.add(id));
    if (fresh.length === 0) continue;
    const times = fresh.map((one) => one.atMs);
    const reachMs = rule.windowMs + rule.grainMs;
    const [from, to] = [Math.min(...times) - reachMs, Math.max(...times) + reachMs];
    const near = stored.filter((one) => one.atMs >= from && one.atMs <= to);
    const candidates = fresh.map((one) => candidateOf(rule, one));
    const outcome = trackHits(rule, near, candidates, nowMs);
    // A restart keeps what can be written down and nothing else.
    stored = JSON.parse(
      JSON.stringify([...stored.filter((one) => !outcome.removed.includes(one)), ...outcome.added]),
    ) as Hit[];
    alerts.push(...outcome.raised.map((one) => one.eventId));
  }
  return alerts;
}

const NUM_RUNS = Number(process.env['LAUNCHBEAT_TEST_RUNS'] ?? 300);

const scenario = fc.record({
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

/** The events in the order in which they come, in chunks, some of which come again later. */
function chunksOf({
  events,
  cuts,
  again,
}: typeof scenario extends fc.Arbitrary<infer T> ? T : never) {
  const given = events.map(
    ({ atS, ms, value, part }, at): Given => ({
      id: `e${String(at).padStart(2, '0')}`,
      atMs: NOW_MS + atS * SECOND_MS + ms,
      value,
      part,
    }),
  );
  const chunks: Given[][] = [];
  for (let from = 0, cut = 0; from < given.length; cut += 1) {
    const length = cuts[cut % cuts.length] ?? 1;
    const chunk = given.slice(from, from + length);
    chunks.push(chunk.sort((one, two) => one.atMs - two.atMs));
    from += length;
  }
  const order = chunks.flat();
  for (const at of again) chunks.push(...chunks.slice(at, at + 1));
  return { order, chunks };
}

for (const kind of ['threshold', 'cardinality'] as const) {
  test(`${kind}: engine and model agree on late, doubled and out-of-order events`, () => {
    let alerts = 0;
    fc.assert(
      fc.property(scenario, (one) => {
        const rule = ruleOf(kind, one.windowS * SECOND_MS, one.count);
        const { order, chunks } = chunksOf(one);
        const hits = (events: readonly Given[]) => events.filter(({ part }) => part === 'hit');
        const want = modelOfWindow(rule, hits(order), NOW_MS);
        assert.deepEqual(engine(rule, chunks.map(hits), NOW_MS), want);
        alerts += want.length;
      }),
      { numRuns: NUM_RUNS },
    );
    assert.ok(alerts > NUM_RUNS / 10, `only ${alerts} alerts in all`);
  });
}

test('sequence: engine and model agree on late, doubled and out-of-order events', () => {
  let alerts = 0;
  fc.assert(
    fc.property(scenario, (one) => {
      const rule = ruleOf('sequence', one.windowS * SECOND_MS, 1);
      const { order, chunks } = chunksOf(one);
      const want = modelOfSequence(rule, order, NOW_MS);
      assert.deepEqual(engine(rule, chunks, NOW_MS).sort(), want);
      alerts += want.length;
    }),
    { numRuns: NUM_RUNS },
  );
  assert.ok(alerts > NUM_RUNS / 10, `only ${alerts} alerts in all`);
});

test('sequence: of many first parts only those are kept in mind that can still matter', () => {
  const rule = ruleOf('sequence', 10 * SECOND_MS, 1);
  const candidates = Array.from({ length: 500 }, (_, at) =>
    candidateOf(rule, { id: `e${at}`, atMs: NOW_MS - 50_000 + at * 100, value: '', part: 'hit' }),
  );
  const { added } = trackHits(rule, [], candidates, NOW_MS);
  assert.ok(added.length <= 12, `${added.length} are kept`);
});

test('candidates: the key tells people apart, the value is what is counted, a changed rule is another one', () => {
  const find = (rule: Record<string, unknown>) =>
    createCandidates(
      alertsConfigSchema.parse({
        chats: { duty: 1 },
        rules: [{ id: 'r', kind: 'cardinality', count: 3, within: '10m', of: 'host', ...rule }],
      }),
    );
  const document = processStart({ host: { name: 'PC-7' } });
  const [one] = find({ key: ['user', 'process'] })([document]);
  assert.equal(one?.key, '["acme\\\\иванов","chrome.exe"]');
  assert.equal(one?.value, 'pc-7');
  const same = find({ key: ['user', 'process'], severity: 'high', template: 'x' })([document])[0];
  assert.equal(same?.rule.definition, one?.rule.definition);
  const other = find({ key: ['user', 'process'], within: '20m' })([document])[0];
  assert.notEqual(other?.rule.definition, one?.rule.definition);
});

for (const [rule, want] of [
  [{ kind: 'threshold', count: 3 }, /needs "within"/],
  [{ kind: 'sequence', within: '5m' }, /needs "followed_by"/],
  [{ count: 3 }, /kind any does not use "count"/],
  [{ kind: 'new_value', key: ['user'], within: '5m' }, /new_value does not use "within"/],
  [{ kind: 'cardinality', key: ['user'], within: '5m', of: 'host', count: 101 }, /100 at most/],
  [{ kind: 'threshold', count: 3, within: '100d' }, /from 1s to 31d/],
] as const) {
  test(`a rule ${JSON.stringify(rule)} is refused with the mend`, () => {
    const parsed = alertsConfigSchema.safeParse({ rules: [{ id: 'r', ...rule }] });
    assert.match(
      JSON.stringify(parsed.error?.issues.map((one) => one.message)).replaceAll('\\"', '"'),
      want,
    );
  });
}
