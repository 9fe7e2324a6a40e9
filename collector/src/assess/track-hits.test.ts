/**
 * Goal: rules that count give the alerts that their words promise, whatever comes late, twice or after a restart.
 * Method: a model in the simplest code (tests/support/rule-models.ts) is held against trackHits() and trackSpikes(), which forget what
 * they can and are handed only what PostgreSQL would hand them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { processStart } from '../../../tests/support/documents.ts';
import {
  candidateOf,
  chunksOf,
  type Given,
  modelOf,
  NOW_MS,
  newOf,
  ruleOf,
  runsOr,
  SECOND_MS,
  scenario,
} from '../../../tests/support/rule-models.ts';
import { alertsConfigSchema } from './alerts-config.ts';
import { createCandidates, type TrackedRule } from './candidates.ts';
import { type Hit, trackHits } from './track-hits.ts';
import { type Bucket, trackSpikes } from './track-spikes.ts';

/** The engine as commit runs it: chunk by chunk, each event once, with what is stored around the chunk's times. */
function engine(rule: TrackedRule, chunks: readonly (readonly Given[])[], nowMs: number): string[] {
  let stored: Hit[] = [];
  const alerts: string[] = [];
  for (const fresh of chunks.filter((chunk) => chunk.length > 0)) {
    const times = fresh.map((one) => one.atMs);
    const reachMs = rule.windowMs + rule.grainMs;
    const [from, to] = [Math.min(...times) - reachMs, Math.max(...times) + reachMs];
    // A rare rule keeps little, and is handed all of it.
    const near = stored.filter(
      (one) => rule.kind === 'rare' || (one.atMs >= from && one.atMs <= to),
    );
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

/** Spikes as commit counts them. */
function spikes(rule: TrackedRule, chunks: readonly (readonly Given[])[]): string[] {
  let stored: Bucket[] = [];
  const alerts: string[] = [];
  for (const fresh of chunks.filter((chunk) => chunk.length > 0)) {
    const candidates = fresh.map((one) => candidateOf(rule, one));
    const outcome = trackSpikes(rule, stored, candidates, TIMES);
    const others = stored.filter((one) => !outcome.changed.some(({ slot }) => slot === one.slot));
    stored = JSON.parse(JSON.stringify([...others, ...outcome.changed])) as Bucket[];
    alerts.push(...outcome.raised.map((one) => one.eventId));
  }
  return alerts;
}

/** Some windows of the scenarios lie before it. */
const TIMES = { nowMs: NOW_MS, knownFromMs: NOW_MS - 90 * SECOND_MS };
const NUM_RUNS = runsOr(1000);

for (const kind of ['threshold', 'cardinality', 'sequence', 'rare', 'spike'] as const) {
  test(`${kind}: engine and model agree on late, doubled and out-of-order events`, () => {
    let alerts = 0;
    fc.assert(
      fc.property(scenario, (one) => {
        const rule = ruleOf(kind, one.windowS * SECOND_MS, one.count);
        const fresh = newOf(chunksOf(one, kind));
        const want = modelOf(rule, fresh, TIMES);
        const found = kind === 'spike' ? spikes(rule, fresh) : engine(rule, fresh, NOW_MS);
        assert.deepEqual(found.sort(), want.sort());
        alerts += want.length;
      }),
      { numRuns: NUM_RUNS },
    );
    assert.ok(alerts > NUM_RUNS / 10, `only ${alerts} alerts in all`);
  });
}

test('rare: at most one value more than the border is kept', () => {
  const rule = ruleOf('rare', 1000 * SECOND_MS, 3);
  const candidates = Array.from({ length: 500 }, (_, at) =>
    candidateOf(rule, {
      id: `e${at}`,
      atMs: NOW_MS - 50_000 + at * 100,
      value: `v${at}`,
      part: 'hit',
    }),
  );
  const { added, raised } = trackHits(rule, [], candidates, NOW_MS);
  assert.equal(added.length, 4);
  assert.deepEqual(
    raised.map((one) => one.eventId),
    ['e0', 'e1', 'e2'],
  );
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
