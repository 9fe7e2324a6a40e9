/**
 * Goal: a database and a program always know whether they belong together. Method: real PostgreSQL, folders of small migrations.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { testDatabase } from '../../../tests/support/postgres.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { openDatabase, type Sql } from './database.ts';
import { MigrationError, migrate, pendingMigrations } from './migrate.ts';

/** A database without tables: the migrated one is emptied. */
async function emptyDatabase(t: TestContext): Promise<Sql> {
  const { url } = await testDatabase(t);
  const sql = openDatabase({ url });
  t.after(() => sql.end({ timeout: 1 }));
  await sql`drop schema public cascade`;
  await sql`create schema public`;
  return sql;
}

function folderOf(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder(t);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

test('migrate() applies what is missing in order, and nothing the second time', async (t) => {
  const sql = await emptyDatabase(t);
  const one = { '0001_one.sql': 'create table one (a integer);' };
  assert.deepEqual(await migrate(sql, folderOf(t, one)), ['0001_one.sql']);
  const both = folderOf(t, {
    ...one,
    '0002_two.sql': 'alter table one add b text; create table two ();',
  });
  assert.deepEqual(await pendingMigrations(sql, both), ['0002_two.sql']);
  assert.deepEqual(await migrate(sql, both), ['0002_two.sql']);
  assert.deepEqual(await migrate(sql, both), []);
  assert.deepEqual(await pendingMigrations(sql, both), []);
});

test('migrate() of two at once applies each file once', async (t) => {
  const sql = await emptyDatabase(t);
  const folder = folderOf(t, {
    '0001_one.sql': 'create table one (); select pg_sleep(0.05);',
    '0002_two.sql': 'create table two ();',
  });
  const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(sql, folder)));
  assert.deepEqual(applied.flat().sort(), ['0001_one.sql', '0002_two.sql']);
});

test('migrate() refuses a file that was changed after it was applied', async (t) => {
  const sql = await emptyDatabase(t);
  await migrate(sql, folderOf(t, { '0001_one.sql': 'create table one ();' }));
  const changed = folderOf(t, { '0001_one.sql': 'create table other ();' });
  await assert.rejects(migrate(sql, changed), /0001_one\.sql was changed.*Restore the file/);
  await assert.rejects(pendingMigrations(sql, changed), MigrationError);
});

test('migrate() takes the same file with CRLF for the same file', async (t) => {
  const sql = await emptyDatabase(t);
  await migrate(sql, folderOf(t, { '0001_one.sql': 'create table one ();\n-- end\n' }));
  const crlf = folderOf(t, { '0001_one.sql': 'create table one ();\r\n-- end\r\n' });
  assert.deepEqual(await migrate(sql, crlf), []);
});

test('migrate() refuses a database that is newer than the program', async (t) => {
  const sql = await emptyDatabase(t);
  const one = { '0001_one.sql': 'create table one ();' };
  await migrate(sql, folderOf(t, { ...one, '0002_two.sql': 'create table two ();' }));
  await assert.rejects(
    migrate(sql, folderOf(t, one)),
    /newer than this program: it has 0002_two\.sql/,
  );
});

test('migrate() leaves nothing of a file that fails, and keeps the ones before it', async (t) => {
  const sql = await emptyDatabase(t);
  const folder = folderOf(t, {
    '0001_one.sql': 'create table one ();',
    '0002_two.sql': 'create table two (); create table one ();',
  });
  await assert.rejects(migrate(sql, folder), /0002_two\.sql failed: .*already exists/);
  const [row] =
    await sql`select to_regclass('one') is not null as one, to_regclass('two') is not null as two`;
  assert.deepEqual({ ...row }, { one: true, two: false });
});

test('migrate() refuses a file name without a number', async (t) => {
  const sql = await emptyDatabase(t);
  await assert.rejects(migrate(sql, folderOf(t, { 'fix.sql': '' })), /fix\.sql .* Rename it/);
});
