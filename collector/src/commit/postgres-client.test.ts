/**
 * Goal: a PostgreSQL that ends connections never ends the collector. Method: the real client on real PostgreSQL, killed at the worst time.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '../../../tests/support/eventually.ts';
import { testDatabase } from '../../../tests/support/postgres.ts';
import { openDatabase } from './database.ts';
import { mendConnection } from './postgres-client.ts';

test('mendConnection() finds what it mends in the installed version', () => {
  const text = readFileSync(
    new URL('connection.js', new URL('.', import.meta.resolve('postgres'))),
    'utf8',
  );
  assert.ok(mendConnection(text).length > text.length + 100);
});

test('mendConnection() leaves another version as it is', () => {
  assert.equal(
    mendConnection('const x = socket?.write(chunk, fn)\n'),
    'const x = socket?.write(chunk, fn)\n',
  );
});

test('a transaction whose connection is killed rejects, and the pool goes on', async (t) => {
  const { url } = await testDatabase(t);
  const sql = openDatabase({ url, connections_max: 4 });
  const killer = openDatabase({ url, connections_max: 1 });
  t.after(async () => {
    await sql.end({ timeout: 1 });
    await killer.end({ timeout: 1 });
  });
  for (let round = 0; round < 5; round += 1) {
    const broken = Array.from({ length: 4 }, () =>
      sql.begin(async (transaction) => {
        const [row] = await transaction`select pg_backend_pid() as pid`;
        await killer`select pg_terminate_backend(${row?.['pid']})`;
        await transaction`select pg_sleep(5)`;
      }),
    );
    for (const { status } of await Promise.allSettled(broken)) assert.equal(status, 'rejected');
    await eventually(async () => (await sql`select 1`).length === 1);
  }
});

test('a reserved connection that is killed while idle rejects its next query', async (t) => {
  const { url } = await testDatabase(t);
  const sql = openDatabase({ url, connections_max: 1 });
  const killer = openDatabase({ url, connections_max: 1 });
  t.after(async () => {
    await sql.end({ timeout: 1 });
    await killer.end({ timeout: 1 });
  });
  const reserved = await sql.reserve();
  const [row] = await reserved`select pg_backend_pid() as pid`;
  await killer`select pg_terminate_backend(${row?.['pid']}, 5000)`;
  await assert.rejects(reserved`select 1`);
});
