/**
 * Goal: rules that count and remember are right in the store too: through chunks that come again, come late or at once, and through
 * a restart. Method: real PostgreSQL, chunks over HTTP; every app that starts anew is a restart, since all memory is in the tables.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ProcessStart, systemTimeMs } from '@launchbeat/ecs-schemas';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { startCollectorApp } from '../../../tests/support/collector-app.ts';
import { ndjsonLines, type Overrides, processStart } from '../../../tests/support/documents.ts';
import { testDatabase } from '../../../tests/support/postgres.ts';
import { alertsConfigSchema } from '../assess/alerts-config.ts';
import { trackedRules } from '../assess/candidates.ts';
import { openDatabase, type Sql } from './database.ts';
import { learnRules } from './learn-rules.ts';
import { createRetention } from './retention.ts';

const START_MS = Date.UTC(2026, 10, 23, 11);
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** An event so many minutes after the start. */
const at = (minutes: number, overrides: Overrides = {}): ProcessStart =>
  processStart({
    '@timestamp': new Date(START_MS + minutes * MINUTE_MS).toISOString(),
    ...overrides,
  });

/** The alerts as minutes after the start, with what they say of their count and key. */
async function alertsOf(sql: Sql): Promise<string[]> {
  const rows = await sql<{ ms: number; fields: Record<string, string> }[]>`
    select extract(epoch from event_timestamp)::float8 * 1000 as ms, fields from alerts order by event_timestamp`;
  return rows.map(
    ({ ms, fields }) =>
      `${(ms - START_MS) / MINUTE_MS}: ${[fields['count'], fields['key']].filter(Boolean).join(' ')}`,
  );
}

const fileOf = (rule: Record<string, unknown>) => ({
  chats: { duty: 1 },
  rules: [{ id: 'r', ...rule }],
});
const now = (): number => START_MS + 60 * MINUTE_MS;

test('threshold: late and doubled chunks count once, in their window, over a restart', async (t) => {
  const alerts = fileOf({ kind: 'threshold', key: ['user'], count: 3, within: '10m' });
  const { url: databaseUrl } = await testDatabase(t);
  const first = await startCollectorApp(t, { databaseUrl, alerts, now });
  const early = ndjsonLines([at(0), at(9)]);
  await first.send(early);
  await first.send(early);
  await first.send(ndjsonLines([at(20), at(30.5)]));
  assert.deepEqual(await alertsOf(first.sql), []);
  const second = await startCollectorApp(t, { databaseUrl, alerts, now });
  // Late: with 0 and 9 it makes three in ten minutes; 20 and 30.5 are another window.
  const late = ndjsonLines([at(5)]);
  await second.send(late);
  await second.send(late);
  assert.deepEqual(await alertsOf(second.sql), ['5: 3 acme\\иванов']);
  await second.send(ndjsonLines([at(1), at(2)]));
  assert.equal((await alertsOf(second.sql)).length, 1, 'what an alert was made of is spent');
});

test('threshold: chunks at the same time are not counted past each other', async (t) => {
  const alerts = fileOf({ kind: 'threshold', key: ['host'], count: 5, within: '1h' });
  const admit = { chunks_per_agent_max: 200, chunks_at_once: 100 };
  const postgresql = { connections_max: 12 };
  const app = await startCollectorApp(t, { ...{ alerts, now, admit, postgresql } });
  const chunks = Array.from({ length: 50 }, () => [at(1), at(1)]);
  const bodies = chunks.map((chunk) => ndjsonLines(chunk));
  await Promise.all([...bodies, ...bodies].map((body) => app.send(body)));
  assert.equal((await alertsOf(app.sql)).length, 20);
  assert.equal((await app.sql`select from rule_hits`).length, 0);
});

test('cardinality: one person on many PCs', async (t) => {
  const alerts = fileOf({
    kind: 'cardinality',
    key: ['user'],
    of: 'host',
    count: 3,
    within: '10m',
  });
  const app = await startCollectorApp(t, { alerts, now });
  const on = (minutes: number, name: string): ProcessStart => at(minutes, { host: { name } });
  await app.send(ndjsonLines([on(0, 'pc-1'), on(1, 'PC-1'), on(2, 'pc-2'), on(3, 'pc-2')]));
  assert.deepEqual(await alertsOf(app.sql), []);
  await app.send(ndjsonLines([on(4, 'pc-3')]));
  assert.deepEqual(await alertsOf(app.sql), ['4: 3 acme\\иванов']);
});

test('sequence: the second part is told, though the first one comes late', async (t) => {
  const alerts = fileOf({
    kind: 'sequence',
    key: ['host'],
    programs: ['winword.exe'],
    followed_by: { programs: ['powershell.exe'] },
    within: '5m',
    launch_only: false,
  });
  const app = await startCollectorApp(t, { alerts, now });
  const of = (minutes: number, name: string): ProcessStart => at(minutes, { process: { name } });
  await app.send(ndjsonLines([of(3, 'powershell.exe'), of(9, 'powershell.exe')]));
  assert.deepEqual(await alertsOf(app.sql), []);
  await app.send(ndjsonLines([of(0, 'WINWORD.EXE')]));
  assert.deepEqual(await alertsOf(app.sql), ['3: ']);
  const [row] = await app.sql`select fields->>'process' as process from alerts`;
  assert.equal(row?.['process'], 'powershell.exe');
  await app.send(ndjsonLines([of(4, 'powershell.exe')]));
  assert.deepEqual(await alertsOf(app.sql), ['3: ', '4: ']);
});

test('an event past the lateness does not count, and is counted as such', async (t) => {
  const rule = fileOf({ kind: 'threshold', key: ['user'], count: 2, within: '10m' });
  const app = await startCollectorApp(t, { alerts: { ...rule, lateness: '30m' }, now });
  await app.send(ndjsonLines([at(0), at(1), at(29), at(91)]));
  assert.deepEqual(await alertsOf(app.sql), []);
});

test('new_value: after the warm-up the first of a pair is told, once, whoever sees it', async (t) => {
  const rule = { kind: 'new_value', key: ['user', 'process'], warm_up: '7d', programs: ['*'] };
  const alerts = fileOf(rule);
  let nowMs = START_MS;
  const { url: databaseUrl } = await testDatabase(t);
  const options = { databaseUrl, alerts, now: () => nowMs };
  const app = await startCollectorApp(t, { ...options, alerts: {} });
  const of = (minutes: number, name: string, user = 'Иванов'): ProcessStart =>
    at(minutes, { process: { name }, launchbeat: { actor: { name: user } } });
  await app.send(ndjsonLines([of(0, 'known.exe')]));
  await app.sql`update chunks set received_at = ${new Date(START_MS).toISOString()}`;
  const rules = trackedRules(alertsConfigSchema.parse(alerts));
  const learn = async (): Promise<void> =>
    learnRules(app.sql, rules, { log: SILENT_LOG, nowMs, signal: new AbortController().signal });
  await Promise.all([learn(), learn()]);
  const one = await startCollectorApp(t, options);
  await one.send(ndjsonLines([of(1, 'known.exe'), of(2, 'cold.exe')]));
  assert.deepEqual(await alertsOf(one.sql), [], 'it is warming up');
  nowMs = START_MS + 7 * DAY_MS;
  await one.send(ndjsonLines([of(3, 'cold.exe'), of(4, 'KNOWN.exe')]));
  assert.deepEqual(await alertsOf(one.sql), []);
  const two = await startCollectorApp(t, options);
  await Promise.all(
    [one, two, one, two].map((each) =>
      each.send(ndjsonLines([of(6, 'new.exe'), of(5, 'new.exe'), of(6, 'known.exe', 'other')])),
    ),
  );
  const rows = await one.sql`select fields->>'key' as key from alerts order by 1`;
  assert.deepEqual(
    rows.map((row) => row['key']),
    ['acme\\other, known.exe', 'acme\\иванов, new.exe'],
  );
});

test('what nobody can need any more is forgotten', async (t) => {
  const alerts = fileOf({ kind: 'threshold', key: ['user'], count: 9, within: '10m' });
  const app = await startCollectorApp(t, { alerts, now });
  await app.send(ndjsonLines([at(0), at(1)]));
  const sweepAt = async (ms: number): Promise<number> => {
    const config = { retention: 0, archive: { retention: 0 } };
    await createRetention({ sql: app.sql, config, log: SILENT_LOG, now: () => ms }).sweep();
    return (await app.sql`select from rule_hits`).length;
  };
  const lastMs = systemTimeMs(at(1)['@timestamp']) ?? 0;
  assert.equal(await sweepAt(lastMs + DAY_MS), 2);
  assert.equal(await sweepAt(lastMs + DAY_MS + 11 * MINUTE_MS), 0);
});

test('a definition is learnt once, and again only when its meaning changes', async (t) => {
  const database = await testDatabase(t);
  const sql = openDatabase({ url: database.url });
  t.after(async () => sql.end({ timeout: 1 }));
  const learn = async (rule: Record<string, unknown>): Promise<number> => {
    const file = fileOf({ kind: 'new_value', key: ['user'], ...rule });
    const rules = trackedRules(alertsConfigSchema.parse(file));
    const signal = new AbortController().signal;
    await learnRules(sql, rules, { log: SILENT_LOG, nowMs: START_MS, signal });
    return (await sql`select from rule_learning where learnt_at is not null`).length;
  };
  assert.equal(await learn({}), 1);
  assert.equal(await learn({ severity: 'high', warm_up: '3d' }), 1);
  assert.equal(await learn({ key: ['host'] }), 2);
});
