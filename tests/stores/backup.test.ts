/**
 * Goal: yesterday's backup of PostgreSQL and what the agents keep on disk are enough: nothing is lost, nothing is there twice.
 * Method: the real programs; an online backup of the running server as pg_basebackup makes it (by the same two functions and a copy
 * of its files), more events, the server destroyed, the backup put in its place, `spool resend` on the agent.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { dataStreamName } from '@launchbeat/ecs-schemas';
import postgres from 'postgres';
import { giveEvents, writeRecording } from '../faults/given-events.ts';
import { halfChunks } from '../faults/half-chunks.ts';
import { testElasticsearch, uniqueNamespace } from '../support/elasticsearch.ts';
import { eventually } from '../support/eventually.ts';
import { type Installation, installLaunchbeat } from '../support/launchbeat.ts';
import { passingFolder } from '../support/passing-folder.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { runProgram } from '../support/processes.ts';
import { allThere, storeCounts } from '../support/store-counts.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { handOver } from '../support/unprivileged.ts';

const PATIENCE = { timeoutMs: 60_000, intervalMs: 100 };

/** Copies the running server's files; what vanishes meanwhile (cp ends with 1) is in the write-ahead log. */
async function backUp(server: PostgresServer, target: string): Promise<void> {
  const data = join(server.folder, 'data');
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined });
  const copy = (from: string, to: string): void => {
    const { status, stderr } = spawnSync('cp', ['-a', from, to], { encoding: 'utf8' });
    assert.ok(status === 0 || status === 1, stderr);
  };
  try {
    await sql`select pg_backup_start('yesterday', true)`;
    copy(data, target);
    const [stopped] = await sql<
      { labelfile: string }[]
    >`select labelfile from pg_backup_stop(false)`;
    writeFileSync(join(target, 'backup_label'), stopped?.labelfile ?? '');
    rmSync(join(target, 'pg_wal'), { recursive: true });
    copy(join(data, 'pg_wal'), join(target, 'pg_wal'));
    rmSync(join(target, 'postmaster.pid'), { force: true });
  } finally {
    await sql.end();
  }
}

/** The server's disk is gone; the backup is put on a new one. */
async function restore(server: PostgresServer, backup: string): Promise<void> {
  await server.stop('SIGKILL');
  const data = join(server.folder, 'data');
  rmSync(data, { recursive: true });
  assert.equal(spawnSync('cp', ['-a', backup, data]).status, 0);
  handOver(data);
  await server.start();
}

/** Runs the agent over a recording until everything is acknowledged. */
async function ship(site: Installation, file: string): Promise<void> {
  const agent = site.startAgent(
    '-E',
    'capture.source=replay',
    '-E',
    `capture.files=${file}`,
    '-E',
    'select=all',
  );
  assert.equal((await agent.exited).code, 0, agent.stderr());
}

test('yesterday’s backup and the segments that agents keep: every event in both stores, once', async (t) => {
  const server = await startPostgres();
  t.after(() => server.stop());
  const { url } = await testElasticsearch();
  const namespace = uniqueNamespace();
  const folder = temporaryFolder(t);
  const site = await installLaunchbeat({
    folder: join(folder, 'site'),
    postgresUrl: server.url,
    elasticsearchUrl: url,
    namespace,
  });
  const collector = await site.startCollector();
  t.after(() => collector.stop('SIGKILL'));
  const given = giveEvents({ count: 300 });
  const files = ['yesterday', 'today', 'nothing'].map((name) => join(folder, `${name}.xml`));
  const [yesterday = '', today = '', nothing = ''] = files;
  writeRecording(yesterday, given.slice(0, 180));
  writeRecording(today, given.slice(180));
  writeRecording(nothing, []);
  const counts = () => storeCounts(server.url, url, namespace);
  const have = async (count: number): Promise<void> => {
    await eventually(async () => assert.deepEqual(await counts(), allThere(count)), PATIENCE);
  };

  await ship(site, yesterday);
  const backup = join(passingFolder('backup'), 'data');
  await backUp(server, backup);
  await ship(site, today);
  await have(300);
  // In a new backing index a second `create` of an id would be a second document.
  await fetch(`${url}/${dataStreamName(namespace)}/_rollover`, { method: 'POST' });

  await restore(server, backup);
  await eventually(async () => assert.equal((await counts()).rows, 180), PATIENCE);
  const resent = await runProgram(process.execPath, [
    'agent/src/main.ts',
    ...[
      'spool',
      'resend',
      '--all',
      '-c',
      join(site.folder, 'launchbeat.yml'),
      '--path.config',
      site.folder,
    ],
  ]);
  assert.equal(resent.code, 0, resent.stdout + resent.stderr);
  await ship(site, nothing);
  await have(300);
  assert.deepEqual(await halfChunks(server.url), []);
});
