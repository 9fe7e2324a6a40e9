/**
 * Goal: what is acknowledged is there once, whatever happens to a transaction. Method: real PostgreSQL, chunks over HTTP or straight
 * into commit; faults are made by locks, killed connections and triggers of the database itself.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventId } from '@launchbeat/ecs-schemas';
import { startCollectorApp } from '../../../tests/support/collector-app.ts';
import { ndjsonLines, processStart } from '../../../tests/support/documents.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { testDatabase } from '../../../tests/support/postgres.ts';
import type { Sql } from './database.ts';

const KEY = 'launchbeat.20261123.7.ndjson@0-999';
const CHATS = { chats: { duty: -1001, boss: 42 } };

async function counts(sql: Sql) {
  const [row] = await sql<{ events: number; chunks: number; alerts: number }[]>`
    select (select count(*) from events)::int as events, (select count(*) from chunks)::int as chunks,
      (select count(*) from alerts)::int as alerts`;
  return { ...row };
}

const some = (number: number) => Array.from({ length: number }, () => processStart());

/** More than an agent does: what happens behind the door is meant here. */
const MANY_AT_ONCE = { chunks_per_agent_max: 200, chunks_at_once: 100 };

test('commit writes ledger, events and alerts, hands the chunk to index and wakes notify', async (t) => {
  const app = await startCollectorApp(t, { alerts: CHATS });
  const document = processStart({ '@timestamp': '2026-11-23T11:03:27.1239999Z' });
  const answer = await app.send(
    ndjsonLines([document, '{}', processStart({ launchbeat: { launch: false } })]),
  );
  assert.equal(answer.status, 200);
  assert.equal(answer.body.accepted, 2);
  assert.deepEqual(
    answer.body.rejected.map((one: { line: number }) => one.line),
    [2],
  );
  const [row] = await app.sql`select * from events where event_id = ${document.event.id}`;
  assert.equal(row?.['username'], 'Иванов');
  assert.equal(row?.['process_name'], 'chrome.exe');
  assert.equal(row?.['host_name'], 'pc-042.acme.local');
  assert.equal(row?.['program'], 'Google Chrome');
  assert.equal(row?.['agent_id'], document.agent.id);
  assert.equal(row?.['timestamp'].toISOString(), '2026-11-23T11:03:27.123Z');
  const [ledger] =
    await app.sql`select *, leased_until > now() + interval '10 s' as leased from chunks`;
  assert.equal(ledger?.['indexed_at'], null);
  assert.equal(ledger?.['leased'], true);
  assert.deepEqual(ledger?.['receipt'], answer.body);
  assert.deepEqual(await counts(app.sql), { events: 2, chunks: 1, alerts: 2 });
  const [chunk] = app.offered;
  assert.equal(chunk?.id, Number(ledger?.['id']));
  assert.deepEqual(chunk?.rejectedLines, [2]);
  assert.deepEqual(chunk?.body, ledger?.['body']);
  assert.deepEqual(chunk?.lineIds, ledger?.['line_ids']);
  assert.equal(chunk?.lineIds.toString('base64url', 0, 16), document.event.id);
  assert.equal(app.woken(), 1);
});

test('commit gives a chunk that comes again its receipt again and changes nothing', async (t) => {
  const app = await startCollectorApp(t, { alerts: CHATS });
  const body = ndjsonLines([...some(2), 'bad']);
  const first = await app.send(body, { idempotencyKey: KEY });
  const before = await counts(app.sql);
  const again = await app.send(body, { idempotencyKey: KEY });
  assert.equal(again.status, 200);
  assert.deepEqual(again.body, first.body);
  assert.deepEqual(await counts(app.sql), before);
  assert.equal(app.offered.length, 1);
});

test('commit takes the same events in another encoding for the same chunk', async (t) => {
  const app = await startCollectorApp(t);
  const body = ndjsonLines(some(2));
  const first = await app.send(body, { idempotencyKey: KEY, encoding: 'zstd' });
  const again = await app.send(body, { idempotencyKey: KEY, encoding: 'gzip' });
  assert.deepEqual(again.body, first.body);
});

test('commit answers 409 when a key comes again with other events, and stores none of them', async (t) => {
  const app = await startCollectorApp(t);
  await app.send(ndjsonLines(some(2)), { idempotencyKey: KEY });
  const answer = await app.send(ndjsonLines(some(2)), { idempotencyKey: KEY });
  assert.equal(answer.status, 409);
  assert.equal(answer.body.type, 'urn:launchbeat:problem:conflict');
  assert.deepEqual(await counts(app.sql), { events: 2, chunks: 1, alerts: 0 });
});

test('commit stores an event once that comes in two chunks, and indexes it with the first only', async (t) => {
  const app = await startCollectorApp(t, { alerts: CHATS });
  const [one, two, three] = some(3);
  assert.ok(one && two && three);
  await app.send(ndjsonLines([one, two]));
  const answer = await app.send(ndjsonLines([two, three, three]));
  assert.deepEqual(answer.body, { accepted: 1, duplicates: 2, rejected: [] });
  assert.deepEqual(await counts(app.sql), { events: 3, chunks: 2, alerts: 6 });
  assert.deepEqual(app.offered[1]?.rejectedLines, [1, 3]);
});

test('commit raises no alert for an event that was there before the rule was', async (t) => {
  const { url } = await testDatabase(t);
  const before = await startCollectorApp(t, { databaseUrl: url });
  const after = await startCollectorApp(t, { databaseUrl: url, alerts: CHATS });
  const [old, fresh] = some(2);
  assert.ok(old && fresh);
  await before.send(ndjsonLines([old]));
  await after.send(ndjsonLines([old, fresh]));
  assert.deepEqual(await counts(after.sql), { events: 2, chunks: 2, alerts: 2 });
});

test('commit does not queue a chunk for index that has nothing new', async (t) => {
  const app = await startCollectorApp(t);
  const body = ndjsonLines(some(2));
  await app.send(body);
  assert.deepEqual((await app.send(body)).body, { accepted: 0, duplicates: 2, rejected: [] });
  assert.equal(app.offered.length, 1);
  const [row] = await app.sql`select count(*)::int as queued from chunks where indexed_at is null`;
  assert.equal(row?.['queued'], 1);
});

test('commit of the same chunk many times at once writes it once', async (t) => {
  const app = await startCollectorApp(t, { alerts: CHATS, admit: MANY_AT_ONCE });
  const body = ndjsonLines(some(50));
  const answers = await Promise.all(
    Array.from({ length: 12 }, () => app.send(body, { idempotencyKey: KEY })),
  );
  for (const answer of answers) {
    assert.deepEqual([answer.status, answer.body.accepted], [200, 50]);
  }
  assert.deepEqual(await counts(app.sql), { events: 50, chunks: 1, alerts: 100 });
  assert.equal(app.offered.length, 1);
});

test('commit of overlapping chunks at once, in opposite order, locks nothing up', async (t) => {
  const app = await startCollectorApp(t, { admit: MANY_AT_ONCE });
  const documents = some(200);
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, turn) =>
      app.send(ndjsonLines(turn % 2 === 0 ? documents : documents.toReversed())),
    ),
  );
  assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [200]);
  const accepted = answers.reduce((sum, answer) => sum + answer.body.accepted, 0);
  assert.equal(accepted, 200);
  assert.equal((await counts(app.sql)).events, 200);
});

test('commit whose connection is killed in mid-transaction answers 503 and leaves nothing; the next try is taken', async (t) => {
  const app = await startCollectorApp(t, { alerts: CHATS });
  // The transaction is stopped behind its events by a lock on the outbox, then its server process is killed.
  const blocker = await app.sql.reserve();
  await blocker`begin`;
  await blocker`lock table alerts in access exclusive mode`;
  const body = ndjsonLines(some(3));
  const sending = app.send(body, { idempotencyKey: KEY });
  await eventually(async () => {
    const killed = await app.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and query like '%insert into alerts%'
        and pid <> pg_backend_pid()`;
    return killed.length === 1;
  });
  const answer = await sending;
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get('retry-after'), '5');
  await blocker`rollback`;
  blocker.release();
  assert.deepEqual(await counts(app.sql), { events: 0, chunks: 0, alerts: 0 });
  assert.equal((await app.send(body, { idempotencyKey: KEY })).body.accepted, 3);
  assert.deepEqual(await counts(app.sql), { events: 3, chunks: 1, alerts: 6 });
});

test('commit tries a transaction again that lost against another one', async (t) => {
  const app = await startCollectorApp(t);
  await app.sql.unsafe(`
    create sequence tries;
    create function lose_once() returns trigger language plpgsql as $$
    begin
      if nextval('tries') = 1 then raise exception 'lost' using errcode = '40001'; end if;
      return new;
    end $$;
    create trigger lose_once before insert on chunks for each row execute function lose_once()`);
  assert.equal((await app.send(ndjsonLines(some(1)))).status, 200);
  assert.deepEqual(await counts(app.sql), { events: 1, chunks: 1, alerts: 0 });
});

test('commit answers 503 within its time when PostgreSQL hangs', async (t) => {
  const app = await startCollectorApp(t, { postgresql: { commit_timeout: '200ms' } });
  const blocker = await app.sql.reserve();
  await blocker`begin`;
  await blocker`lock table chunks in access exclusive mode`;
  const body = ndjsonLines(some(1));
  const answer = await app.send(body, { idempotencyKey: KEY });
  assert.equal(answer.status, 503);
  await blocker`rollback`;
  blocker.release();
  // The late transaction may have been committed meanwhile: either way the receipt is the same.
  const again = await eventually(async () => {
    const next = await app.send(body, { idempotencyKey: KEY });
    return next.status === 200 && next;
  });
  assert.deepEqual(again.body, { accepted: 1, duplicates: 0, rejected: [] });
});

test('commit answers 503 while the queue to Elasticsearch is over its bound', async (t) => {
  const app = await startCollectorApp(t, { postgresql: { queue: { max_lines: 3 } } });
  assert.equal((await app.send(ndjsonLines(some(3)))).status, 200);
  const answer = await app.send(ndjsonLines(some(1)));
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get('retry-after'), '30');
  assert.match(answer.body.detail, /queue to Elasticsearch is full/);
});

test('commit queues nothing when the index is switched off', async (t) => {
  const app = await startCollectorApp(t, {
    indexing: false,
    postgresql: { queue: { max_lines: 1 } },
  });
  assert.equal((await app.send(ndjsonLines(some(3)))).status, 200);
  assert.equal((await app.send(ndjsonLines(some(3)))).status, 200);
  const [row] = await app.sql`select count(*)::int as queued from chunks where indexed_at is null`;
  assert.equal(row?.['queued'], 0);
  assert.equal(app.offered.length, 0);
});

test('commit keeps a document with NUL and half surrogates as it came and shows U+FFFD in its row and alert', async (t) => {
  const app = await startCollectorApp(t, { alerts: CHATS });
  const document = processStart({
    host: { name: 'pc\0"\\' },
    launchbeat: { actor: { name: 'a\0b\ud800c' }, flags: ['x"y\\z', 'n\0l', '{,}'] },
  });
  const answer = await app.send(ndjsonLines([document]));
  assert.deepEqual(answer.body, { accepted: 1, duplicates: 0, rejected: [] });
  const [row] = await app.sql`select username, host_name, flags from events`;
  assert.equal(row?.['username'], 'a\uFFFDb\uFFFDc');
  assert.equal(row?.['host_name'], 'pc\uFFFD"\\');
  assert.deepEqual(row?.['flags'], ['x"y\\z', 'n\uFFFDl', '{,}']);
  const [alert] = await app.sql`select fields from alerts`;
  assert.equal(alert?.['fields'].user, 'a\uFFFDb\uFFFDc');
});

test('commit takes events of any time; only days near today get a partition', async (t) => {
  const app = await startCollectorApp(t);
  const today = new Date().toISOString();
  const times = ['1970-01-01T00:00:00Z', '2001-09-09T01:46:40Z', today, '9999-12-31T23:59:59.999Z'];
  const answer = await app.send(
    ndjsonLines(times.map((time) => processStart({ '@timestamp': time }))),
  );
  assert.equal(answer.body.accepted, 4);
  const rows =
    await app.sql`select tableoid::regclass::text as place from events order by "timestamp"`;
  const day = `events_${today.slice(0, 10).replaceAll('-', '')}`;
  const other = 'events_other_days';
  assert.deepEqual(
    rows.map((row) => row['place']),
    [other, other, day, other],
  );
});

test('ensure_events_partition() takes over rows of its day that came before it, and is safe to call at once', async (t) => {
  const app = await startCollectorApp(t);
  const early = processStart({ '@timestamp': '2001-09-09T01:46:40.5Z' });
  await app.send(ndjsonLines([early, processStart({ '@timestamp': '2001-09-10T00:00:00Z' })]));
  await Promise.all(
    Array.from({ length: 6 }, () => app.sql`select ensure_events_partition('2001-09-09')`),
  );
  const rows =
    await app.sql`select event_id, tableoid::regclass::text as place from events order by "timestamp"`;
  assert.deepEqual(
    rows.map((row) => row['place']),
    ['events_20010909', 'events_other_days'],
  );
  assert.equal((await app.send(ndjsonLines([early]))).body.duplicates, 1);
});

test('commit goes on while a day gets its partition', async (t) => {
  const app = await startCollectorApp(t, { admit: MANY_AT_ONCE });
  const chunk = (): Promise<unknown> =>
    app.send(
      ndjsonLines(
        Array.from({ length: 20 }, () => processStart({ '@timestamp': '2001-09-09T01:46:40Z' })),
      ),
    );
  const sent = Promise.all(Array.from({ length: 20 }, chunk));
  const made = app.sql`select ensure_events_partition('2001-09-09')`.catch(
    (error: { code: string }) => {
      assert.equal(error.code, '55P03');
    },
  );
  const answers = (await sent) as { status: number }[];
  await made;
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.equal((await counts(app.sql)).events, 400);
});

test('the id of a document under test is the one that its event has', () => {
  const document = processStart();
  const id = eventId({
    computer: document.winlog.computer_name,
    channel: 'Security',
    providerGuid: document.winlog.provider_guid,
    recordId: document.winlog.record_id,
    timeMs: Date.parse(document['@timestamp']),
    eventCode: '4688',
  });
  assert.equal(document.event.id, id);
});

test('the lag of Elasticsearch is the age of the oldest chunk that waits, 0 when none does', async (t) => {
  const app = await startCollectorApp(t);
  const lag = async (): Promise<number> => {
    const text = await (await fetch(`${app.server.url}/metrics`)).text();
    return Number(/^launchbeat_collector_index_lag_seconds (\S+)$/m.exec(text)?.[1]);
  };
  assert.equal(await lag(), 0);
  await app.send(ndjsonLines(some(1)));
  await app.sql`update chunks set received_at = now() - interval '90 s'`;
  const aged = await eventually(async () => ((await lag()) >= 90 ? lag() : false), {
    timeoutMs: 20_000,
  });
  assert.ok(aged < 200, String(aged));
});
