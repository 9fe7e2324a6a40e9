/**
 * Faults of PostgreSQL under load: restarted, standing still, its disk full. Each ends with every event there once, and no chunk in part.
 */
import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import postgres from 'postgres';
import { eventually } from '../support/eventually.ts';
import { type Site, scenario } from './fault-site.ts';
import { freeze } from './freeze.ts';
import { halfChunks } from './half-chunks.ts';
import { mountSmallDisk } from './small-disk.ts';

/** A whole minute in `make faults`, which writes a table; in `make test` longer than a commit may take. */
const PAUSE_MS = process.env['LAUNCHBEAT_FAULTS_TABLE'] === undefined ? 5_000 : 60_000;
const DISK_BYTES = 4 * 1024 * 1024;

async function inPostgres<T>(site: Site, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(site.stores.postgresUrl, { max: 1, onnotice: () => undefined });
  try {
    return await work(sql);
  } finally {
    await sql.end();
  }
}

async function noHalfChunks(site: Site): Promise<void> {
  await eventually(async () => assert.deepEqual(await halfChunks(site.stores.postgresUrl), []));
}

scenario(
  29,
  'PostgreSQL is restarted in good order, again and again',
  async (site) => {
    for (let restart = 0; restart < 3; restart += 1) {
      await wait(site.random.between(300, 900));
      await site.postgres?.stop();
      site.injected();
      await site.postgres?.start();
    }
    await noHalfChunks(site);
  },
  { privatePostgres: true },
);

scenario(
  29,
  'PostgreSQL stands still',
  async (site) => {
    assert.ok(site.postgres);
    await site.reached(20);
    const goOn = freeze(site.postgres);
    site.injected();
    try {
      await wait(PAUSE_MS);
    } finally {
      goOn();
    }
    await noHalfChunks(site);
  },
  { privatePostgres: true, collector: { postgresql: { commit_timeout: '2s' } } },
);

/** Puts what a commit writes onto a disk of its own and fills it; where none can be mounted, a trigger says what a full disk says. */
async function fillDisk(site: Site): Promise<() => Promise<void>> {
  const disk = mountSmallDisk(DISK_BYTES);
  if (disk === undefined) {
    await inPostgres(site, (sql) =>
      sql.unsafe(`
        create function disk_full() returns trigger language plpgsql as $$
          begin raise exception 'No space left on device' using errcode = 'disk_full'; end $$;
        create trigger disk_full before insert on events for each row execute function disk_full()`),
    );
    return async () => {
      await inPostgres(site, (sql) => sql`drop trigger disk_full on events`);
    };
  }
  site.t.after(() => disk.unmount());
  await inPostgres(site, async (sql) => {
    await sql.unsafe(`create tablespace small_disk location '${disk.folder}'`);
    const tables = await sql<{ name: string }[]>`
      select relname as name from pg_class
      where relname in ('chunks', 'events_other_days') or (relname like 'events_2026%' and relkind = 'r')`;
    for (const { name } of tables)
      await sql.unsafe(`alter table ${name} set tablespace small_disk`);
  });
  disk.fill();
  return async () => disk.empty();
}

scenario(
  30,
  'the disk of PostgreSQL is full',
  async (site) => {
    await site.reached(20);
    const makeRoom = await fillDisk(site);
    site.injected();
    await eventually(
      () => assert.match(site.collector.stderr(), /No space left on device|could not extend file/),
      { timeoutMs: 30_000 },
    );
    await noHalfChunks(site);
    await makeRoom();
  },
  { privatePostgres: true },
);
