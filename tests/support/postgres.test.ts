/**
 * The database harness itself: databases of one's own, a server that keeps its data over stop, crash and start.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDatabase } from '../../collector/src/commit/database.ts';
import { startPostgres, testDatabase } from './postgres.ts';
import { temporaryFolder } from './temporary-folder.ts';

const connect = (url: string) => openDatabase({ url, connections_max: 1 });

test('testDatabase() gives each caller a migrated database of its own and drops it', async () => {
  const [one, two] = await Promise.all([testDatabase(), testDatabase()]);
  const sqlOne = connect(one.url);
  const sqlTwo = connect(two.url);
  await sqlOne`insert into agent_keys (id, secret_sha256) values ('only-in-one', '\\x00')`;
  assert.equal((await sqlOne`select id from agent_keys`).length, 1);
  assert.equal((await sqlTwo`select id from agent_keys`).length, 0);
  await Promise.all([sqlOne.end(), sqlTwo.end()]);

  await Promise.all([one.drop(), two.drop()]);
  const gone = connect(one.url);
  await assert.rejects(gone`select 1`, /does not exist/);
  await gone.end();
});

test('startPostgres() keeps its data and its port over a stop, a crash and a start', async (t) => {
  const server = await startPostgres({ dataFolder: join(temporaryFolder(t), 'postgres') });
  const sql = connect(server.url);
  await sql`create table kept (value integer)`;
  await sql`insert into kept values (1)`;

  await server.stop();
  await assert.rejects(sql`select 1`);
  await server.start();
  await sql`insert into kept values (2)`;
  await server.stop('SIGKILL');
  await server.start();
  assert.deepEqual(
    [...(await sql`select value from kept order by value`)],
    [{ value: 1 }, { value: 2 }],
  );

  await sql.end();
  await server.stop();

  const again = await startPostgres({ dataFolder: server.folder });
  const sqlAgain = connect(again.url);
  assert.equal((await sqlAgain`select value from kept`).length, 2);
  await sqlAgain.end();
  await again.stop();
});
