/** Faults of the stores: PostgreSQL restarted, its connections ended; Elasticsearch cut off, half-answering, read-only, poisoned. */
import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { dataStreamName } from '@launchbeat/ecs-schemas';
import postgres from 'postgres';
import { eventually } from '../support/eventually.ts';
import { type Site, scenario } from './fault-site.ts';

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

scenario(28, 'answers of Elasticsearch are cut', async (site) => {
  for (let cut = 0; cut < 8; cut += 1) {
    site.index.cutAfter(site.random.between(1, 800), 'answer');
    site.injected();
    await wait(400);
  }
});

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
