/** Faults of the stores: PostgreSQL restarted, its connections ended; Elasticsearch cut off, half-answering, read-only, poisoned. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { dataStreamName } from '@launchbeat/ecs-schemas';
import postgres from 'postgres';
import { ndjsonLines, processStart } from '../support/documents.ts';
import { eventually } from '../support/eventually.ts';
import { type Site, scenario } from './fault-site.ts';
import { giveEvents } from './given-events.ts';
import { newKey, postChunk } from './post-chunk.ts';
import { judge } from './verdict.ts';

async function inPostgres(
  site: Site,
  work: (sql: postgres.Sql) => Promise<unknown>,
): Promise<void> {
  const sql = postgres(site.stores.postgresUrl, { max: 1, onnotice: () => undefined });
  try {
    await work(sql);
  } finally {
    await sql.end();
  }
}

scenario(
  29,
  'PostgreSQL is killed and comes back',
  async (site) => {
    for (let kill = 0; kill < 2; kill += 1) {
      await wait(site.random.between(300, 900));
      await site.postgres?.stop('SIGKILL');
      site.injected();
      await wait(site.random.between(200, 1500));
      await site.postgres?.start();
    }
  },
  { privatePostgres: true },
);

scenario(29, 'every connection to PostgreSQL is ended, again and again', async (site) => {
  for (let round = 0; round < 6; round += 1) {
    await wait(site.random.between(200, 600));
    await inPostgres(
      site,
      (sql) => sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`,
    );
    site.injected();
  }
});

scenario(30, 'the partition of the day is missing', async (site) => {
  await site.reached(20);
  await inPostgres(site, (sql) =>
    sql.unsafe(`
    begin; alter table events detach partition events_20261123;
    insert into events select * from events_20261123; drop table events_20261123; commit`),
  );
  site.injected();
});

/** Sets a setting on the namespace's backing indices. */
async function setIndex(site: Site, settings: Readonly<Record<string, unknown>>): Promise<void> {
  const url = `${site.stores.elasticsearchUrl}/${dataStreamName(site.stores.namespace)}/_settings`;
  const answer = await fetch(url, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(settings),
  });
  assert.equal(answer.status, 200, await answer.text());
}

scenario(26, 'Elasticsearch is read-only: its disk is full', async (site) => {
  await eventually(() => setIndex(site, { 'index.blocks.read_only_allow_delete': true }));
  site.injected();
  await wait(4000);
  await setIndex(site, { 'index.blocks.read_only_allow_delete': null });
});

scenario(
  27,
  'Elasticsearch answers nothing for a while',
  async (site) => {
    await site.reached(20);
    site.index.pause();
    site.injected();
    await wait(4000);
    site.index.resume();
  },
  { collector: { elasticsearch: { timeout: '2s' } } },
);

scenario(
  27,
  'Elasticsearch throttles every request (429); messages go out meanwhile',
  async (site) => {
    await site.reached(20);
    site.index.refuse(429);
    site.injected();
    await site.reached(site.given.length);
    const alerts = site.given.filter((one) => one.alert).length;
    await eventually(() => site.telegram.messages().length >= alerts && site.index.refused() >= 5, {
      timeoutMs: 60_000,
    });
    assert.equal(site.agent.stderr().includes('503'), false, 'agents are not held up');
    site.index.resume();
  },
);

scenario(
  28,
  'answers of Elasticsearch are cut',
  async (site) => {
    for (let cut = 0; cut < 8; cut += 1) {
      site.index.cutAfter(site.random.between(1, 800), 'answer');
      site.injected();
      await wait(400);
    }
  },
  { short: true },
);

scenario(
  2,
  'collector is killed while Elasticsearch has taken what it does not know of',
  async (site) => {
    for (let kill = 0; kill < 3; kill += 1) {
      site.index.cutAfter(1, 'answer');
      await wait(site.random.between(200, 700));
      await site.collector.stop('SIGKILL');
      site.injected();
      site.collector = await site.startCollector();
    }
  },
  // A message whose answer the kill took is sent again: at least once.
  { repeatedMax: 3 },
);

scenario(6, 'disk under the collector is full (PostgreSQL says so, 53100)', async (site) => {
  const { installation, stores } = site;
  await site.reached(20);
  const { pid } = site.collector;
  await inPostgres(site, (sql) =>
    sql.unsafe(`
      create function disk_full() returns trigger language plpgsql as $$ begin
        raise exception 'could not extend file: No space left on device' using errcode = '53100';
      end $$;
      create trigger disk_full before insert on chunks for each statement execute function disk_full()`),
  );
  site.injected();
  await site.agent.waitForLine(/Collector takes no events; they are kept\. 503/);
  const raw = ndjsonLines([processStart({ data_stream: { namespace: stores.namespace } })]);
  const { status, headers } = await postChunk(installation, await newKey(installation), {
    raw,
    body: gzipSync(raw),
  });
  assert.equal(status, 503);
  assert.ok(Number(headers['retry-after']) > 0, 'it says when to come again');
  assert.equal((await installation.get('/healthz')).status, 200);
  await inPostgres(site, (sql) => sql.unsafe('drop trigger disk_full on chunks'));
  await site.reached(site.given.length);
  assert.equal(site.collector.pid, pid);
  assert.equal(site.collector.signal('SIGCONT'), true, 'the same collector runs on');
});

const POISON = new Set([210, 250, 300]);

/** Maps a field that the template leaves alone; with a bound, long terms are left out of the index instead of refused. */
async function mapCommandLine(site: Site, bound: object): Promise<void> {
  const stream = dataStreamName(site.stores.namespace);
  const answer = await fetch(`${site.stores.elasticsearchUrl}/${stream}/_mapping`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      properties: {
        winlog: {
          properties: {
            event_data: { properties: { CommandLine: { type: 'keyword', ...bound } } },
          },
        },
      },
    }),
  });
  assert.equal(answer.status, 200, await answer.text());
}

scenario(
  25,
  'a mapping conflict: Elasticsearch will not take three of the events',
  async (site) => {
    const hold = join(site.folder, 'hold');
    await eventually(() => mapCommandLine(site, {}), { timeoutMs: 60_000 });
    rmSync(hold);
    await site.collector.waitForLine(/"log\.level":"error".*Elasticsearch will not take/);
    await eventually(
      () =>
        inPostgres(site, async (sql) => {
          const rows = await sql`select reason from dead_letters`;
          assert.equal(rows.length, POISON.size);
          for (const row of rows)
            assert.match(row['reason'], /failed to parse field .winlog.event_data.CommandLine/);
        }),
      { timeoutMs: 60_000 },
    );
    site.injected();
    await eventually(
      async () => {
        const { lost } = await judge(site.given, site.stores);
        assert.equal(lost.length, POISON.size, 'the others are indexed');
      },
      { timeoutMs: 60_000 },
    );
    // The mapping is mended, then what was refused goes out once more.
    await mapCommandLine(site, { ignore_above: 1024 });
    const again = await site.installation.collector('dead-letters', 'retry', '--all');
    assert.equal(again.code, 0, again.stderr);
  },
  {
    given: giveEvents({
      count: 400,
      payload: (index) => (POISON.has(index) ? ` ${'ы'.repeat(17_000)}` : ''),
    }),
    bridge: (folder) => {
      writeFileSync(join(folder, 'hold'), '');
      return ['--hold', join(folder, 'hold'), '--hold-after', '200'];
    },
  },
);

scenario(
  29,
  'transactions break off half way: connection, conflict, deadlock, a standby that is read-only',
  async (site) => {
    // Behind the events and before their alerts: what is written so far must go with the rest.
    await inPostgres(site, (sql) =>
      sql.unsafe(`
      create sequence fault_turn;
      create function break_off() returns trigger language plpgsql as $$ begin
        case nextval('fault_turn') % 6
          when 1 then perform pg_terminate_backend(pg_backend_pid());
          when 2 then raise exception 'fault' using errcode = '40001';
          when 3 then raise exception 'fault' using errcode = '40P01';
          when 4 then raise exception 'fault' using errcode = '25006';
          else null;
        end case;
        return null;
      end $$;
      create trigger break_off after insert on events for each statement execute function break_off()`),
    );
    await eventually(
      () =>
        inPostgres(site, async (sql) => {
          const [row] = await sql`select last_value::int as turns from fault_turn`;
          assert.ok(row?.['turns'] >= 5, 'a chunk is not tried again until it is in');
        }),
      { timeoutMs: 60_000, intervalMs: 100 },
    );
    for (let turn = 1; turn <= 4; turn += 1) site.injected();
    await inPostgres(site, (sql) => sql.unsafe('drop trigger break_off on events'));
  },
  { short: true },
);
