/**
 * Goal: people get right answers from the views, without reading every event. Method: a moderate number of events on a real
 * PostgreSQL, and its own plans.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testDatabase } from '../../../tests/support/postgres.ts';
import { openDatabase, type Sql } from './database.ts';

const DAYS = 4;
const EVENTS = 60_000;
/** Every so many-th event is a person's start. */
const LAUNCH_EVERY = 50;
const PEOPLE = 20;

let sql: Sql;
let drop: () => Promise<void>;

before(async () => {
  const database = await testDatabase();
  ({ drop } = database);
  sql = openDatabase({ url: database.url, connections_max: 2 });
  for (let day = 0; day < DAYS; day += 1) {
    await sql`select ensure_events_partition('2026-11-20'::date + ${day}::int)`;
  }
  await sql`
    insert into events (event_id, "timestamp", username, user_domain, process_name, command_line, host_name, program, launch,
      agent_id, chunk_id)
    select 'e' || i, '2026-11-20T00:00:00Z'::timestamptz + i * ${`${DAYS} days`}::interval / ${EVENTS}::int,
      case when i % ${LAUNCH_EVERY} = 0 then 'user' || (i / ${LAUNCH_EVERY}) % ${PEOPLE} else 'SYSTEM' end, 'ACME',
      case when i % 100 = 0 then 'chrome.exe' else 'worker.exe' end, repeat('x', 100), 'pc-' || i % 7,
      case when i % 100 = 0 then 'Google Chrome' end, i % ${LAUNCH_EVERY} = 0, gen_random_uuid(), 1
    from generate_series(0, ${EVENTS - 1}) as i`;
  await sql`vacuum analyze events`;
});
after(async () => {
  await sql.end({ timeout: 1 });
  await drop();
});

async function planOf(query: string): Promise<string> {
  const rows = await sql.unsafe<Record<string, string>[]>(
    `explain (analyze, buffers off, costs off) ${query}`,
  );
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

const BY_INDEX: Readonly<Record<string, string>> = {
  'launches of a person, newest first': `select * from launches where username = 'user7' order by "timestamp" desc limit 20`,
  'when a person was last seen': `select * from last_seen where username = 'user7'`,
  'when a person was first seen': `select * from first_seen where username = 'user7'`,
  'all who were last seen': 'select * from last_seen',
  'counts of a day': `select * from daily_counts where day = '2026-11-21'`,
};

for (const [what, query] of Object.entries(BY_INDEX)) {
  test(`${what}: by the index of launches, no partition is read whole`, async () => {
    const plan = await planOf(query);
    assert.doesNotMatch(plan, /Seq Scan on events_2026/, plan);
    assert.match(plan, /events_2026\d+_left_timestamp_idx/, plan);
  });
}

test('launches of an hour: by the primary key of that day alone', async () => {
  const plan = await planOf(
    `select * from launches where "timestamp" >= '2026-11-21T10:00:00Z' and "timestamp" < '2026-11-21T11:00:00Z'`,
  );
  assert.doesNotMatch(plan, /Seq Scan|20261120|20261122|20261123/, plan);
});

test('the events have the primary key and one index more, which holds launches alone', async () => {
  const indexes = await sql`
    select indexname as name, indexdef as definition from pg_indexes where tablename = 'events' order by 1`;
  assert.deepEqual(
    indexes.map((row) => row['name']),
    ['events_launches', 'events_pkey'],
  );
  assert.match(indexes[0]?.['definition'], /WHERE launch$/);
  const [size] = await sql`
    select sum(pg_relation_size(indexrelid)) filter (where indexrelid::regclass::text like '%left_timestamp%')::float8
         / sum(pg_relation_size(indexrelid))::float8 as share
    from pg_index where indrelid::regclass::text like 'events_2026%'`;
  assert.ok(size?.['share'] < 0.1, `it is ${size?.['share']} of all index bytes`);
});

test('the views count what is there', async () => {
  const launches = EVENTS / LAUNCH_EVERY;
  const [all] = await sql`
    select (select count(*)::int from launches) as launches, (select sum(launches)::int from last_seen) as last,
      (select sum(launches)::int from first_seen) as first, (select sum(launches)::int from daily_counts) as days,
      (select count(distinct day)::int from daily_counts) as distinct_days`;
  assert.deepEqual(
    { ...all },
    {
      launches,
      last: launches,
      first: launches,
      days: launches,
      distinct_days: DAYS,
    },
  );
  const [seen] = await sql`
    select min(first_seen) as first, (select max(last_seen) from last_seen where username = 'user7') as last,
      (select max("timestamp") from events where username = 'user7') as newest,
      (select min("timestamp") from events where username = 'user7') as oldest
    from first_seen where username = 'user7'`;
  assert.deepEqual([seen?.['first'], seen?.['last']], [seen?.['oldest'], seen?.['newest']]);
  const [program] =
    await sql`select array_agg(distinct program order by program) as names from launches`;
  assert.deepEqual(program?.['names'], ['Google Chrome', 'worker.exe']);
});

test('a name of any length can be inserted, and is cut in the views', async () => {
  const long = 'Ж'.repeat(30_000);
  await sql`
    insert into events (event_id, "timestamp", username, host_name, launch, agent_id, chunk_id)
    values ('long', '2001-01-01T00:00:00Z', ${long}, 'pc', true, gen_random_uuid(), 1)`;
  const [row] =
    await sql`select length(username) as length from launches where event_id = 'long' and "timestamp" < '2002-01-01'`;
  assert.equal(row?.['length'], 128);
  await sql`delete from events where event_id = 'long'`;
});
