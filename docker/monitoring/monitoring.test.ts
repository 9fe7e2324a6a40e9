/**
 * Goal: no panel and no alert rule asks for what a collector does not have. Method: every name and label value of both files is
 * looked up in what GET /metrics of the real program gives.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { parse } from 'yaml';
import { AGENT_STATES } from '../../collector/src/fleet/agent-state.ts';
import { FACT_KINDS, PROBLEMS } from '../../ecs-schemas/src/index.ts';
import { installLaunchbeat } from '../../tests/support/launchbeat.ts';
import { testDatabase } from '../../tests/support/postgres.ts';
import { temporaryFolder } from '../../tests/support/temporary-folder.ts';
import { dashboard } from './write-dashboard.ts';

const read = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8');
/** Grafana's and Prometheus' own. */
const FOREIGN = new Set(['up']);
const WORDS = new Set(
  'sum max by le rate increase histogram_quantile label_values and or job state status problem kind stage instance'.split(
    ' ',
  ),
);
const NAME = /[a-zA-Z_][a-zA-Z0-9_]*/g;

let text = '';
before(async () => {
  const ends: (() => unknown)[] = [];
  const t = { after: (end: () => unknown) => void ends.push(end) } as never;
  const { url } = await testDatabase(t);
  const installation = await installLaunchbeat({
    ...{ folder: temporaryFolder(t), postgresUrl: url, namespace: 'default' },
  });
  const collector = await installation.startCollector();
  text = (await installation.get('/metrics')).text;
  await collector.stop();
  for (const end of ends.reverse()) await end();
});

/** Metric names that an expression asks for: what is no word of the language, no label and no string. */
function namesIn(expression: string): string[] {
  const bare = expression
    .replace(/"[^"]*"/g, '')
    .replace(/\{[^}]*\}/g, '')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\b\d[\d.]*(e\d+)?\b/g, '');
  return (bare.match(NAME) ?? []).filter((name) => !WORDS.has(name) && !FOREIGN.has(name));
}

/** Label values that an expression names. */
function valuesIn(expression: string): (readonly [label: string, value: string])[] {
  return [...expression.matchAll(/(\w+)(?:=|!=|=~)"([^"]*)"/g)].flatMap(
    ([, label = '', values = '']) => values.split('|').map((value) => [label, value] as const),
  );
}

interface Target {
  readonly expr: string;
}

const expressions = (): string[] => {
  const { panels } = JSON.parse(read('grafana-dashboard.json')) as {
    panels: { targets?: Target[] }[];
  };
  const { groups } = parse(read('prometheus-rules.yml')) as { groups: { rules: Target[] }[] };
  return [
    ...panels.flatMap((panel) => (panel.targets ?? []).map((target) => target.expr)),
    ...groups.flatMap((group) => group.rules.map((rule) => rule.expr)),
  ];
};

test('every metric that a panel or a rule asks for is one of /metrics', () => {
  const there = new Set(
    [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = '', type]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
  const asked = new Set(expressions().flatMap(namesIn));
  assert.ok(asked.size > 25, [...asked].join());
  assert.deepEqual(
    [...asked].filter((name) => !there.has(name)),
    [],
  );
});

test('every label value that a rule names is one that can come', () => {
  const statuses = ['200', ...Object.values(PROBLEMS).map((one) => String(one.status))];
  const known: Readonly<Record<string, readonly string[]>> = {
    state: AGENT_STATES,
    kind: FACT_KINDS,
    status: statuses,
    job: ['launchbeat', '$job'],
  };
  const wrong = expressions()
    .flatMap(valuesIn)
    .filter(([label, value]) => !known[label]?.includes(value));
  assert.deepEqual(wrong, []);
});

test('counters are asked for by rate or increase, gauges as they are', () => {
  for (const expression of expressions()) {
    for (const name of namesIn(expression)) {
      const counts = name.endsWith('_total') || name.endsWith('_bucket');
      const inRate = new RegExp(`(rate|increase)\\(${name}[{[]`).test(expression);
      assert.equal(inRate, counts, `${name} in ${expression}`);
    }
  }
});

test('the dashboard is as its table says, and each collector metric of our own has a panel or a reason', () => {
  assert.deepEqual(JSON.parse(read('grafana-dashboard.json')), dashboard());
  const shown = new Set(
    expressions()
      .flatMap(namesIn)
      .map((name) => name.replace(/_bucket$/, '')),
  );
  const own = [...text.matchAll(/^# TYPE (launchbeat_\w+) /gm)].map((match) => match[1] ?? '');
  const left = own
    .filter((name) => !shown.has(name))
    .map((name) => name.replace('launchbeat_collector_', ''));
  // Details that a person looks up when the panels beside them say something.
  const details =
    /^(chunks_|alerts_|chat_|reports_|messages_maybe|index_(sending|deferred|memory|window|queue_chunks)|index_queue)/;
  assert.deepEqual(
    left.filter((name) => !details.test(name)),
    [],
  );
});

test('every rule says what is wrong and what to look at', () => {
  const { groups } = parse(read('prometheus-rules.yml')) as {
    groups: { rules: { alert: string; labels: object; annotations: Record<string, string> }[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);
  assert.equal(new Set(rules.map((rule) => rule.alert)).size, rules.length);
  for (const { alert, labels, annotations } of rules) {
    assert.match(alert, /^Launchbeat[A-Z]\w+$/);
    assert.match(JSON.stringify(labels), /"severity":"(warning|critical)"/);
    assert.ok(
      (annotations['summary'] ?? '') !== '' && (annotations['description'] ?? '') !== '',
      alert,
    );
  }
});
