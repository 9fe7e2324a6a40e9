/**
 * Goal: the detection rules are ones that Kibana takes and that find what they are for. Method: the checker on the committed file and
 * on broken ones; each query, made into the request that Kibana would send, on a real Elasticsearch with a month of an office.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { testElasticsearch, uniqueNamespace } from '../../../tests/support/elasticsearch.ts';
import { checkRules, holdsRules } from '../check/check-rules.ts';
import { at, type Json, listOf, objectOf, textOf } from '../check/json.ts';
import { officeMonth } from '../office/office-month.ts';
import { filledStream } from '../panels/filled-stream.ts';
import { kqlToQuery } from '../panels/kql-to-query.ts';
import { RULES_FILE, rulesText } from './detection-rules.ts';

const END = new Date('2026-11-20T18:00:00Z');
/** A rule that finds more than this share of all starts is no rule but a list. */
const SHARE_MAX = 0.01;

const lines = (): Json[] =>
  rulesText()
    .trimEnd()
    .split('\n')
    .map((line) => objectOf(JSON.parse(line)));

test(`${RULES_FILE} is what the sources give`, () => {
  assert.equal(
    readFileSync(new URL(`../../${RULES_FILE}`, import.meta.url), 'utf8'),
    rulesText(),
    'run: node kibana-saved-objects/src/write-bundle.ts',
  );
});

test('checkRules() finds nothing wrong with ten rules, all of them off', () => {
  assert.ok(holdsRules(rulesText()));
  assert.deepEqual(checkRules(rulesText()), []);
  assert.deepEqual(
    lines().map((rule) => rule['enabled']),
    Array.from({ length: 10 }, () => false),
  );
});

/** Changes of the first rule, with what is told of them. */
const BROKEN: readonly (readonly [what: string, change: object, told: RegExp])[] = [
  ['a query that does not parse', { query: 'launchbeat.flags : (' }, /KQL/],
  ['a field that is not indexed', { query: 'launchbeat.flag : "lolbin"' }, /not indexed/],
  ['another type of rule', { type: 'eql' }, /must be one of query/],
  ['a severity that is none', { severity: 'urgent' }, /must be one of low/],
  ['a score of another severity', { risk_score: 21 }, /must be 73 to 98/],
  ['another index', { index: ['logs-*'] }, /must name logs-/],
  ['a gap between two runs', { from: 'now-5m' }, /leaves a gap/],
  ['a key that is none', { alert: true }, /has alert/],
  ['no name', { name: '' }, /must be a text that is not empty/],
  ['a span that is none', { interval: 'often' }, /must be spans/],
];

for (const [what, change, told] of BROKEN) {
  test(`checkRules() tells of ${what}`, () => {
    const [first, ...rest] = lines();
    const text = [{ ...first, ...change }, ...rest].map((one) => JSON.stringify(one)).join('\n');
    assert.match(
      checkRules(text)
        .map(({ what }) => what)
        .join('\n'),
      told,
    );
  });
}

test('checkRules() tells of a rule that stands twice, of broken JSON and of a wrong page of ATT&CK', () => {
  const [line = ''] = rulesText().split('\n');
  const told = checkRules(`${line}\n${line.replace('tactics/TA0002/', 'tactics/TA0001/')}\n{`);
  const text = told.map(({ where, what }) => `${where}: ${what}`).join('\n');
  assert.match(text, /line 2: rule: ".+" stands twice/);
  assert.match(text, /line 2: threat: TA0002 names the page of another/);
  assert.match(text, /line 3: rule: is not JSON/);
});

test('each rule finds something in the month of an office, and none finds the everyday', async () => {
  const { url } = await testElasticsearch();
  const namespace = uniqueNamespace();
  const documents = officeMonth({ end: END, namespace });
  const stream = await filledStream({ url, namespace }, documents);
  const wrong: string[] = [];
  for (const rule of lines()) {
    const query = kqlToQuery(textOf(rule['query']));
    const answer = await stream.search({ size: 1, track_total_hits: true, query });
    const total = Number(at(answer, 'hits', 'total', 'value'));
    if (listOf(at(answer, 'hits', 'hits')).length === 0 || total > documents.length * SHARE_MAX)
      wrong.push(`${String(rule['name'])}: ${total} of ${documents.length}`);
  }
  assert.deepEqual(wrong, []);
});
