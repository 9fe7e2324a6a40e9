/**
 * Goal: whatever PostgreSQL refuses for a while is tried again or answered with 503, and never leaves half a chunk. Method: real
 * PostgreSQL; deadlocks are real ones, what a disk or a standby says is said by triggers and settings of the database itself.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CollectorApp, startCollectorApp } from '../../../tests/support/collector-app.ts';
import { ndjsonLines, processStart } from '../../../tests/support/documents.ts';
import { eventually } from '../../../tests/support/eventually.ts';

const KEY = 'launchbeat.20261123.7.ndjson@0-999';
const CHATS = { chats: { duty: -1001 } };

async function counts({ sql }: CollectorApp) {
  const [row] = await sql<{ events: number; chunks: number; alerts: number }[]>`
    select (select count(*) from events)::int as events, (select count(*) from chunks)::int as chunks,
      (select count(*) from alerts)::int as alerts`;
  return { ...row };
}

const NOTHING = { events: 0, chunks: 0, alerts: 0 };
const some = (number: number) => Array.from({ length: number }, () => processStart());

test('commit that deadlocks with somebody is taken in the end, whoever is the victim', async (t) => {
  const app = await startCollectorApp(t);
  const documents = some(2);
  const [one, two] = documents.map((document) => document.event.id).sort();
  const other = await app.sql.reserve();
  await other`set deadlock_timeout = '5s'`;
  await other`begin`;
  const insert = (id: string | undefined) => other`
    insert into events (event_id, "timestamp", host_name, launch, agent_id, chunk_id)
    values (${id ?? ''}, ${documents.find((document) => document.event.id === id)?.['@timestamp'] ?? ''}, 'pc', false, gen_random_uuid(), 0)`;
  // Commit writes in the order of ids: it has the first one and waits for the second, then this one wants the first.
  await insert(two);
  const sending = app.send(ndjsonLines(documents), { idempotencyKey: KEY });
  await eventually(async () => {
    const waiting = await app.sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
        and query like '%insert into events%' and pid <> pg_backend_pid()`;
    return waiting.length === 1;
  });
  const mine = insert(one).catch((error: { code: string }) => error.code);
  // PostgreSQL ends the one of both that looked first: the commit, which is tried again.
  assert.notEqual(await mine, '40P01');
  await other`rollback`;
  other.release();
  const answer = await sending;
  assert.deepEqual([answer.status, answer.body.accepted], [200, 2]);
  assert.deepEqual(await counts(app), { events: 2, chunks: 1, alerts: 0 });
});

/** What a server says, by SQLSTATE; each is raised behind the events, when most of a chunk is written. */
const SAID: Readonly<Record<string, string>> = {
  '53100': 'the disk is full',
  '53200': 'there is no memory',
  '57P01': 'an administrator ends the connection',
  '57014': 'the statement takes too long',
  '58030': 'the disk fails',
  '25006': 'it is a standby now',
};

for (const [code, what] of Object.entries(SAID)) {
  test(`commit answers 503 where ${what} (${code}), leaves nothing, and takes the same chunk later`, async (t) => {
    const app = await startCollectorApp(t, { alerts: CHATS });
    await app.sql.unsafe(`
      create function refuse() returns trigger language plpgsql as $$
        begin raise exception 'as the test wants it' using errcode = '${code}'; end $$;
      create trigger refuse before insert on alerts for each row execute function refuse()`);
    const body = ndjsonLines(some(3));
    const refused = await app.send(body, { idempotencyKey: KEY });
    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get('retry-after'), '5');
    assert.deepEqual(await counts(app), NOTHING);
    await app.sql`drop trigger refuse on alerts`;
    assert.equal((await app.send(body, { idempotencyKey: KEY })).body.accepted, 3);
    assert.deepEqual(await counts(app), { events: 3, chunks: 1, alerts: 3 });
  });
}

test('commit that meets others again and again gives up with 503, and leaves nothing', async (t) => {
  const app = await startCollectorApp(t, { alerts: CHATS });
  await app.sql.unsafe(`
    create function lose() returns trigger language plpgsql as $$
      begin raise exception 'lost' using errcode = '40P01'; end $$;
    create trigger lose before insert on alerts for each row execute function lose()`);
  assert.equal((await app.send(ndjsonLines(some(1)))).status, 503);
  assert.deepEqual(await counts(app), NOTHING);
});

test('commit of a chunk that is sent once more on purpose counts it as touched: Elasticsearch is asked first', async (t) => {
  const app = await startCollectorApp(t);
  await app.send(ndjsonLines(some(1)), { idempotencyKey: `again.zstd.1.${KEY}` });
  await app.send(ndjsonLines(some(1)), { idempotencyKey: KEY });
  assert.deepEqual(
    app.offered.map((chunk) => chunk.attempts),
    [1, 0],
  );
  const rows = await app.sql`select index_attempts as attempts from chunks order by id`;
  assert.deepEqual(
    rows.map((row) => row['attempts']),
    [1, 0],
  );
});
