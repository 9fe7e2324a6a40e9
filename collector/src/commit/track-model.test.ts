/**
 * Goal: rules that count or remember tell what their words promise, whatever comes late, twice, out of order or after a restart.
 * Method: random scenarios run through PostgreSQL as commit does it, held against the models of tests/support/rule-models.ts; each
 * kind of rule that has a memory. Nothing but the tables is kept between two chunks. LAUNCHBEAT_TEST_RUNS=10000 is the long form.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { testDatabase } from '../../../tests/support/postgres.ts';
import {
  type CountingKind,
  candidateOf,
  chunksOf,
  type Given,
  type Look,
  modelOf,
  modelOfFlatline,
  NOW_MS,
  newOf,
  ruleOf,
  runsOr,
  SECOND_MS,
  scenario,
} from '../../../tests/support/rule-models.ts';
import type { TrackedRule } from '../assess/candidates.ts';
import { watchSilence } from '../watch/watch-silence.ts';
import { openDatabase, type Sql } from './database.ts';
import { migrate } from './migrate.ts';
import { trackCandidates } from './track-candidates.ts';
import { definitionDigest } from './track-new-values.ts';

const NUM_RUNS = runsOr(25);
const KNOWN_FROM_MS = NOW_MS - 170 * SECOND_MS;

async function openTables(t: TestContext): Promise<Sql> {
  const database = await testDatabase(t);
  const sql = openDatabase({ url: database.url, connections_max: 2 });
  t.after(async () => sql.end({ timeout: 1 }));
  await migrate(sql);
  return sql;
}

let rules = 0;

/** A rule that nobody had; one database has room for all scenarios. */
async function newRule(
  sql: Sql,
  kind: CountingKind,
  { windowS, count }: { readonly windowS: number; readonly count: number },
): Promise<TrackedRule> {
  rules += 1;
  const rule = { ...ruleOf(kind, windowS * SECOND_MS, count), id: `r${rules}`, definition: kind };
  const begun = new Date(KNOWN_FROM_MS).toISOString();
  await sql`
    insert into rule_learning (definition, rule_id, begun_at, known_from, learnt_at)
    values (${definitionDigest(rule)}, ${rule.id}, ${begun}, ${begun}, ${begun})`;
  return rule;
}

/** One chunk as commit counts it; gives the events that are alerts. */
async function countChunk(
  sql: Sql,
  rule: TrackedRule,
  fresh: readonly Given[],
): Promise<readonly string[]> {
  const candidates = fresh.map((one) => candidateOf(rule, one));
  const { alerts } = await sql.begin(async (transaction) =>
    trackCandidates(transaction, candidates, NOW_MS),
  );
  return alerts.map((one) => one.eventId);
}

const KINDS = ['threshold', 'cardinality', 'sequence', 'rare', 'spike', 'new_value'] as const;

for (const kind of KINDS) {
  test(`${kind}: tables and model agree on late, doubled and out-of-order events`, async (t) => {
    const sql = await openTables(t);
    let alerts = 0;
    await fc.assert(
      fc.asyncProperty(scenario, async (one) => {
        const rule = await newRule(sql, kind, one);
        const fresh = newOf(chunksOf(one, kind));
        const found: string[] = [];
        for (const chunk of fresh) found.push(...(await countChunk(sql, rule, chunk)));
        const times = { nowMs: NOW_MS, knownFromMs: KNOWN_FROM_MS };
        assert.deepEqual(found.sort(), modelOf(rule, fresh, times).sort());
        alerts += found.length;
      }),
      { numRuns: NUM_RUNS, endOnFailure: true },
    );
    assert.ok(alerts >= NUM_RUNS / 10, `only ${alerts} alerts in all`);
  });
}

test('flatline: silence is told once until there are signs of life again, as the model says', async (t) => {
  const sql = await openTables(t);
  let told = 0;
  await fc.assert(
    fc.asyncProperty(
      scenario,
      fc.array(fc.nat({ max: 250 }), { maxLength: 12 }),
      async (one, at) => {
        const rule = await newRule(sql, 'flatline', one);
        const fresh = newOf(chunksOf(one, 'flatline'));
        // Somebody looks now and then, at moments that only rise, between chunks that come meanwhile.
        const moments = at.sort((a, b) => a - b).map((s) => NOW_MS + (s - 125) * SECOND_MS);
        const looks = moments.map((atMs, index): Look => {
          const chunks = Math.ceil((fresh.length * index) / moments.length);
          return { atMs, chunks };
        });
        const found: number[] = [];
        let came = 0;
        for (const look of looks) {
          for (; came < look.chunks; came += 1) await countChunk(sql, rule, fresh[came] ?? []);
          if ((await watchSilence(sql, [rule], look.atMs)) > 0) found.push(look.atMs);
        }
        assert.deepEqual(found, [...new Set(modelOfFlatline(rule, fresh, looks))]);
        told += found.length;
      },
    ),
    { numRuns: NUM_RUNS, endOnFailure: true },
  );
  assert.ok(told >= NUM_RUNS / 10, `only ${told} in all`);
});
