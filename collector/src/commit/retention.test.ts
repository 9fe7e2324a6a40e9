/**
 * Goal: the janitor takes away what is too old and nothing else. Method: real PostgreSQL, chunks of the past, a clock of the test's own.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { type CollectorApp, startCollectorApp } from '../../../tests/support/collector-app.ts';
import { ndjsonLines, processStart } from '../../../tests/support/documents.ts';
import { createRetention } from './retention.ts';

const DAY_MS = 86_400_000;

function janitor(
  app: CollectorApp,
  days: number,
  archiveDays: number,
  now: () => number = Date.now,
) {
  const config = { retention: days * DAY_MS, archive: { retention: archiveDays * DAY_MS } };
  return createRetention({ sql: app.sql, config, log: SILENT_LOG, now });
}

const ago = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString();

test('sweep() drops whole days before the retention, and single events of days without a partition', async (t) => {
  const app = await startCollectorApp(t);
  const times = [ago(5000), ago(40), ago(31), ago(29), ago(0)];
  await app.send(ndjsonLines(times.map((time) => processStart({ '@timestamp': time }))));
  const swept = await janitor(app, 30, 0).sweep();
  assert.equal(swept.partitions.length, 2);
  assert.equal(swept.rows, 1);
  assert.equal((await app.sql`select from events`).length, 2);
  assert.deepEqual(await janitor(app, 30, 0).sweep(), { partitions: [], archived: 0, rows: 0 });
});

test('sweep() keeps all events where the retention is 0', async (t) => {
  const app = await startCollectorApp(t);
  await app.send(ndjsonLines([processStart({ '@timestamp': ago(5000) })]));
  assert.deepEqual((await janitor(app, 0, 0).sweep()).partitions, []);
  assert.equal((await app.sql`select from events`).length, 1);
});

test('sweep() takes the bytes out of chunks that were indexed long ago, never of those that wait', async (t) => {
  const app = await startCollectorApp(t);
  for (let chunk = 0; chunk < 3; chunk += 1) await app.send(ndjsonLines([processStart()]));
  const [old, fresh] = app.offered;
  assert.ok(old && fresh);
  await app.sql`update chunks set indexed_at = now() - interval '8 days' where id = ${old.id}`;
  await app.sql`update chunks set indexed_at = now() - interval '6 days' where id = ${fresh.id}`;
  assert.equal((await janitor(app, 0, 7).sweep()).archived, 1);
  const rows =
    await app.sql`select body is null as emptied, length(line_ids) as ids from chunks order by id`;
  assert.deepEqual(
    rows.map((row) => [row['emptied'], row['ids']]),
    [
      [true, 0],
      [false, 16],
      [false, 16],
    ],
  );
});

test('sweep() with an archive of 0 takes the bytes of what Elasticsearch has, and of nothing else', async (t) => {
  const app = await startCollectorApp(t);
  for (let chunk = 0; chunk < 2; chunk += 1) await app.send(ndjsonLines([processStart()]));
  await app.sql`update chunks set indexed_at = now() - interval '1 s' where id = ${app.offered[0]?.id ?? 0}`;
  assert.equal((await janitor(app, 0, 0).sweep()).archived, 1);
  const rows = await app.sql`select body is null as emptied from chunks order by id`;
  assert.deepEqual(
    rows.map((row) => row['emptied']),
    [true, false],
  );
});

test('sweep() forgets old ledger rows, messages and dead letters, but nothing that somebody waits for', async (t) => {
  const app = await startCollectorApp(t, { alerts: { chats: { duty: 1 } } });
  for (let chunk = 0; chunk < 2; chunk += 1)
    await app.send(ndjsonLines([processStart({ '@timestamp': ago(0) })]));
  const [one] = app.offered;
  assert.ok(one);
  await app.sql`update chunks set received_at = now() - interval '31 days'`;
  await app.sql`update chunks set indexed_at = now() where id = ${one.id}`;
  await app.sql`update alerts set created_at = now() - interval '31 days'`;
  await app.sql`update alerts set state = 'sent' where id = (select min(id) from alerts)`;
  await app.sql`
    insert into dead_letters (chunk_id, line, event_id, document, status, reason, created_at)
    values (${one.id}, 1, '', '', 400, '', now() - interval '31 days')`;
  assert.equal((await janitor(app, 30, 0).sweep()).rows, 3);
  assert.equal((await app.sql`select from chunks where indexed_at is null`).length, 1);
  assert.equal((await app.sql`select from chunks`).length, 1);
  assert.equal((await app.sql`select from alerts where state = 'pending'`).length, 1);
});

test('sweep() of several collectors at once ends well, and makes the partition of tomorrow', async (t) => {
  const app = await startCollectorApp(t);
  await app.send(ndjsonLines([processStart({ '@timestamp': ago(40) })]));
  const sweeps = await Promise.all([1, 2, 3].map(() => janitor(app, 30, 7).sweep()));
  assert.ok(sweeps.some((swept) => swept.partitions.length === 1));
  const tomorrow = `events_${ago(-1).slice(0, 10).replaceAll('-', '')}`;
  const [row] = await app.sql`select to_regclass(${tomorrow}) is not null as there`;
  assert.equal(row?.['there'], true);
});

test('run() ends with its signal', async (t) => {
  const app = await startCollectorApp(t);
  const controller = new AbortController();
  const running = janitor(app, 30, 7).run(controller.signal);
  controller.abort();
  await running;
});
