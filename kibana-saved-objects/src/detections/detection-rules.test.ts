/**
 * Goal: the detection rules are ones that Kibana takes. Method: the checker on the committed file and on broken ones.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkRules, holdsRules } from '../check/check-rules.ts';
import { type Json, objectOf, textOf } from '../check/json.ts';
import { RULES_FILE, rulesText } from './detection-rules.ts';
import { HABIT_RULES } from './habit-rules.ts';
import { TRAIT_RULES } from './trait-rules.ts';

/** The rules, then the summary. */
const lines = (): Json[] =>
  rulesText()
    .trimEnd()
    .split('\n')
    .map((line) => objectOf(JSON.parse(line)));

const rules = (): Json[] => lines().slice(0, -1);

test(`${RULES_FILE} is what the sources give`, () => {
  assert.equal(
    readFileSync(new URL(`../../${RULES_FILE}`, import.meta.url), 'utf8'),
    rulesText(),
    'run: node kibana-saved-objects/src/write-bundle.ts',
  );
});

test('checkRules() finds nothing wrong with our rules: all off, each with what to do when it fires', () => {
  assert.ok(holdsRules(rulesText()));
  assert.deepEqual(checkRules(rulesText()), []);
  assert.equal(rules().length, 15);
  assert.ok(rules().every((rule) => rule['enabled'] === false));
  for (const rule of rules())
    assert.match(textOf(rule['note']), /^## Triage and analysis\n\n1\. .+\n2\. /);
});

test('ten of the rules mirror one that alerts.yml ships or shows, by its name there', () => {
  const alerts = readFileSync(new URL('../../../collector/alerts.yml', import.meta.url), 'utf8');
  const ids = new Set([...alerts.matchAll(/^ +#?- id: ([a-z-]+)$/gm)].map(([, id]) => id));
  const mirrored = [...TRAIT_RULES, ...HABIT_RULES].flatMap(({ mirrors = [] }) => mirrors);
  assert.equal(new Set(mirrored).size, 10);
  assert.deepEqual(
    mirrored.filter((id) => !ids.has(id)),
    [],
  );
});

/** Changes of the first rule of a type, with what is told of them. */
const BROKEN: readonly (readonly [what: string, type: string, change: object, told: RegExp])[] = [
  ['a query that does not parse', 'query', { query: 'launchbeat.flags : (' }, /KQL/],
  ['a field that is not indexed', 'query', { query: 'launchbeat.flag : "lolbin"' }, /not indexed/],
  ['another type of rule', 'query', { type: 'eql' }, /must be one of query/],
  ['a severity that is none', 'query', { severity: 'urgent' }, /must be one of low/],
  ['a score of another severity', 'query', { risk_score: 21 }, /must be 73 to 98/],
  ['another index', 'query', { index: ['logs-*'] }, /must name logs-/],
  ['a gap between two runs', 'query', { from: 'now-5m' }, /leaves a gap/],
  ['a key that is none', 'query', { alert: true }, /has alert/],
  ['an empty guide', 'query', { note: ' ' }, /must be a text that is not empty/],
  ['no name', 'query', { name: '' }, /must be a text that is not empty/],
  ['a span that is none', 'query', { interval: 'often' }, /must be spans/],
  ['a threshold in a query rule', 'query', { threshold: {} }, /has threshold/],
  ['a threshold rule without one', 'threshold', { threshold: undefined }, /lacks threshold/],
  [
    'a threshold of nothing',
    'threshold',
    { threshold: { field: ['host.name'], value: 0, cardinality: [] } },
    /at least 1/,
  ],
  [
    'a threshold by a field that is not indexed',
    'threshold',
    { threshold: { field: ['host.nam'], value: 5, cardinality: [] } },
    /host\.nam is not indexed/,
  ],
  [
    'a threshold by words of a text',
    'threshold',
    { threshold: { field: ['process.command_line.text'], value: 5, cardinality: [] } },
    /cannot be grouped by/,
  ],
  [
    'a threshold that counts what it groups by',
    'threshold',
    {
      threshold: {
        field: ['host.name'],
        value: 5,
        cardinality: [{ field: 'host.name', value: 5 }],
      },
    },
    /names a field twice/,
  ],
  ['new terms of no field', 'new_terms', { new_terms_fields: [] }, /1 to 3 fields/],
  [
    'new terms of four fields',
    'new_terms',
    { new_terms_fields: ['host.name', 'user.name', 'process.name', 'process.executable'] },
    /1 to 3 fields/,
  ],
  [
    'a history that is shorter than a run looks back',
    'new_terms',
    { history_window_start: 'now-60m' },
    /longer than from/,
  ],
];

for (const [what, type, change, told] of BROKEN) {
  test(`checkRules() tells of ${what}`, () => {
    const first = rules().find((rule) => rule['type'] === type);
    assert.ok(first);
    const found = checkRules(JSON.stringify({ ...first, ...change }));
    assert.match(found.map((problem) => problem.what).join('\n'), told);
    assert.deepEqual(checkRules(JSON.stringify(first)), []);
  });
}

test('checkRules() tells of a summary that counts wrong', () => {
  const [first, second] = rulesText().split('\n');
  const summary = rulesText().trimEnd().split('\n').at(-1);
  const told = checkRules(`${first}\n${second}\n${summary}\n`);
  assert.match(told[0]?.what ?? '', /exported_count must be 2/);
});

test('checkRules() tells of a rule that stands twice, of broken JSON and of a wrong page of ATT&CK', () => {
  const [line = ''] = rulesText().split('\n');
  const told = checkRules(`${line}\n${line.replace('tactics/TA0002/', 'tactics/TA0001/')}\n{`);
  const text = told.map(({ where, what }) => `${where}: ${what}`).join('\n');
  assert.match(text, /line 2: rule: ".+" stands twice/);
  assert.match(text, /line 2: threat: TA0002 names the page of another/);
  assert.match(text, /line 3: rule: is not JSON/);
});
