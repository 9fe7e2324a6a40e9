/**
 * Goal: a backtest says what the collector would have said. Method: events go through the real app with the rules in force; the
 * backtest over the same archive must find the same alerts, with nothing in its memory.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCollectorApp } from '../../../tests/support/collector-app.ts';
import { ndjsonLines, processStart } from '../../../tests/support/documents.ts';
import { alertsConfigSchema } from '../assess/alerts-config.ts';
import { backtestReport, backtestRules } from './backtest-rules.ts';

const START_MS = Date.UTC(2026, 10, 23, 11);
const FILE = {
  chats: { duty: { id: 1, budget: 5 }, boss: 2 },
  rules: [
    { id: 'each', chats: ['duty'], suppress: { key: ['user'], for: '10m' } },
    { id: 'many', kind: 'threshold', key: ['user'], count: 3, within: '10m', chats: ['boss'] },
  ],
};

test('backtest finds the alerts that there were, and says what of them is a message', async (t) => {
  const app = await startCollectorApp(t, { alerts: FILE, now: () => START_MS + 60_000 });
  const of = (second: number, user: string) =>
    processStart({
      '@timestamp': new Date(START_MS + second * 1000).toISOString(),
      launchbeat: { actor: { name: user } },
    });
  const doubled = of(1, 'a');
  await app.send(ndjsonLines([doubled, of(2, 'a'), 'no event', of(3, 'b')]));
  await app.send(ndjsonLines([doubled, of(9, 'a'), of(10, 'b'), of(11, 'b')]));
  await app.sql`update chunks set received_at = ${new Date(START_MS + 20_000).toISOString()}`;
  const rows = await app.sql<{ rule_id: string; n: number }[]>`
    select rule_id, count(*)::int as n from alerts group by 1 order by 1`;
  assert.deepEqual(
    [...rows],
    [
      { rule_id: 'each', n: 6 },
      { rule_id: 'many', n: 2 },
    ],
  );

  const alerts = alertsConfigSchema.parse(FILE);
  const since = new Date(START_MS);
  const result = await backtestRules(app.sql, alerts, since);
  assert.deepEqual([...result.rules].sort(), [
    ['each', 6],
    ['many', 2],
  ]);
  assert.deepEqual([result.chunks, result.events, result.unreadable], [2, 6, 0]);
  const report = backtestReport(alerts, result, since).join('\n');
  assert.match(report, /^6 events in 2 chunks since 2026-11-23T11:00:00\.000Z\n/);
  assert.match(report, /would have sent 4 messages to duty \(2 that count others\), 4 suppressed/);
  assert.match(
    report,
    /would have sent 2 messages to boss\n {2}most in an hour: 2\n {2}2026-11-23 {2}█+ 2/,
  );
  const later = await backtestRules(app.sql, alerts, new Date(START_MS + 30_000));
  assert.equal(later.chunks, 0);
  assert.match(backtestReport(alerts, later, since).join('\n'), /Nobody would have heard/);
});

test('backtest goes on past a chunk whose bytes are damaged, and says so', async (t) => {
  const app = await startCollectorApp(t);
  await app.send(ndjsonLines([processStart()]));
  await app.send(ndjsonLines([processStart()]));
  await app.sql`update chunks set body = 'x' where id = (select min(id) from chunks)`;
  const alerts = alertsConfigSchema.parse({ chats: { duty: 1 } });
  const result = await backtestRules(app.sql, alerts, new Date(0));
  assert.deepEqual([result.unreadable, result.events], [1, 1]);
  assert.match(backtestReport(alerts, result, new Date(0)).join('\n'), /1 chunks cannot be read/);
});
