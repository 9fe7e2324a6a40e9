/**
 * Goal: a collector runs with no more rights than it needs, and people look without seeing keys. Method: the real commands and the
 * real stages, signed in as members of the roles, on a real PostgreSQL.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { startCollectorApp } from '../../../tests/support/collector-app.ts';
import { ndjsonLines, processStart } from '../../../tests/support/documents.ts';
import { installLaunchbeat } from '../../../tests/support/launchbeat.ts';
import { testDatabase } from '../../../tests/support/postgres.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { openDatabase, type Sql } from './database.ts';
import { migrate } from './migrate.ts';
import { createRetention } from './retention.ts';
import { ensureRoles, grantRights, ownerRole, type RoleNames } from './roles.ts';

const DAY_MS = 86_400_000;
const DENIED = { code: '42501' };

interface Lab {
  readonly adminUrl: string;
  readonly admin: Sql;
  readonly names: RoleNames;
  /** URL of a new login that is a member of a role. */
  login(role: string): Promise<string>;
  /** A client that is signed in so; it ends with the test. */
  client(url: string, role?: string): Sql;
}

/** A database with its roles; roles are the whole server's, so they go with the test. */
async function lab(t: TestContext): Promise<Lab> {
  const { url, drop } = await testDatabase();
  const admin = openDatabase({ url, connections_max: 2 });
  const clients = [admin];
  const logins: string[] = [];
  const names = await ensureRoles(admin);
  await grantRights(admin);
  t.after(async () => {
    for (const client of clients) await client.end({ timeout: 1 });
    await drop();
    const server = new URL(url);
    server.pathname = '/postgres';
    const sql = openDatabase({ url: server.href, connections_max: 1 });
    for (const name of [...logins, ...Object.values(names)]) await sql`drop role ${sql(name)}`;
    await sql.end({ timeout: 1 });
  });
  return {
    adminUrl: url,
    admin,
    names,
    async login(role) {
      const name = `login_${randomBytes(6).toString('hex')}`;
      const password = randomBytes(8).toString('hex');
      await admin.unsafe(`create role ${name} login password '${password}' in role "${role}"`);
      logins.push(name);
      const own = new URL(url);
      Object.assign(own, { username: name, password });
      return own.href;
    },
    client(own, role) {
      const sql = openDatabase({ url: own, connections_max: 2, role });
      clients.push(sql);
      return sql;
    },
  };
}

const ago = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString();

test('writer can do all that the stages do: commit, partitions, retention', async (t) => {
  const { names, login } = await lab(t);
  const databaseUrl = await login(names.writer);
  const app = await startCollectorApp(t, { databaseUrl, alerts: { chats: { duty: -1001 } } });
  const documents = [ago(0), ago(40), ago(3000)].map((time) =>
    processStart({ '@timestamp': time }),
  );
  const answer = await app.send(ndjsonLines(documents));
  assert.deepEqual(answer.body, { accepted: 3, duplicates: 0, rejected: [] });
  const places =
    await app.sql`select tableoid::regclass::text as place from events order by "timestamp"`;
  assert.equal(places[0]?.['place'], 'events_other_days');
  assert.match(places[2]?.['place'], /^events_\d{8}$/);
  const config = { retention: 30 * DAY_MS, archive: { retention: 0 } };
  const swept = await createRetention({ sql: app.sql, config, log: SILENT_LOG }).sweep();
  assert.deepEqual([swept.partitions.length, swept.rows], [1, 1]);
  assert.equal((await app.sql`select from events`).length, 1);
});

test('writer can neither change tables nor events, nor take the record of changes back', async (t) => {
  const { names, login, client, admin } = await lab(t);
  await admin`select ensure_events_partition('2026-11-23')`;
  const sql = client(await login(names.writer));
  for (const statement of [
    'create table mine ()',
    'drop table events',
    'drop table events_20261123',
    'truncate events',
    "update events set command_line = ''",
    'delete from events',
    'delete from events_20261123',
    "update audit_log set actor = 'nobody'",
    'delete from schema_migrations',
    'alter table chunks add column mine text',
  ]) {
    await assert.rejects(sql.unsafe(statement), DENIED, statement);
  }
  await assert.rejects(sql`select drop_events_partition('agent_keys')`, /no partition of one day/);
});

test('reader sees the views and the events, and nothing else', async (t) => {
  const { names, login, client } = await lab(t);
  const sql = client(await login(names.reader));
  for (const view of ['launches', 'last_seen', 'first_seen', 'daily_counts', 'events']) {
    await sql`select * from ${sql(view)} limit 1`;
  }
  for (const table of ['agent_keys', 'enrolment_tokens', 'chunks', 'alerts', 'audit_log']) {
    await assert.rejects(sql`select from ${sql(table)}`, DENIED, table);
  }
  await assert.rejects(sql`insert into launches default values`, DENIED);
  await assert.rejects(sql`select ensure_events_partition('2026-11-23')`, DENIED);
});

test('nobody else may connect to the database', async (t) => {
  const { client, admin, login } = await lab(t);
  const name = `stranger_${randomBytes(6).toString('hex')}`;
  await admin.unsafe(`create role ${name}`);
  const stranger = client(await login(name));
  await assert.rejects(stranger`select 1`, DENIED);
  await admin.unsafe(`drop role ${name}`);
});

test('whoever is a member of the owner makes tables that are the owner’s; a second run changes nothing', async (t) => {
  const { names, login, client, admin } = await lab(t);
  const url = await login(names.owner);
  const role = await ownerRole(client(url));
  assert.equal(role, names.owner);
  const sql = client(url, role);
  await sql`create table probe ()`;
  const owners = await admin`
    select distinct pg_get_userbyid(relowner) as owner from pg_class
    where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p', 'v', 'S')`;
  assert.deepEqual(
    owners.map((row) => row['owner']),
    [names.owner],
  );
  assert.deepEqual(await migrate(sql), []);
  assert.deepEqual(await ensureRoles(admin), names);
  await grantRights(sql);
  const writer = client(await login(names.writer));
  assert.equal(await ownerRole(writer), undefined);
});

test('writer does not start on tables that lack something, and is told what to do', async (t) => {
  const { admin, names, login, client } = await lab(t);
  const writer = client(await login(names.writer));
  assert.deepEqual(await migrate(writer), []);
  await admin`delete from schema_migrations where name like '0005%'`;
  await assert.rejects(migrate(writer), /lacks 0005_.*may not make tables.*postgresql\.setup_url/);
});

test('setup --roles of an empty database by its owner, who is no superuser', async (t) => {
  const { url, drop } = await testDatabase();
  const server = openDatabase({ url, connections_max: 2 });
  const name = `fresh_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(8).toString('hex');
  await server.unsafe(`create role ${name} login createrole password '${password}'`);
  await server.unsafe(`create database ${name} owner ${name}`);
  const own = new URL(url);
  Object.assign(own, { username: name, password, pathname: `/${name}` });
  const options = { url: own.href, connections_max: 2 };
  t.after(async () => {
    await server.unsafe(`drop database if exists ${name} with (force)`);
    for (const role of ['owner', 'writer', 'reader'])
      await server.unsafe(`drop role ${name}_${role}`);
    await server.unsafe(`drop role ${name}`);
    await server.end({ timeout: 1 });
    await drop();
  });
  const founder = openDatabase(options);
  const { owner } = await ensureRoles(founder);
  assert.equal(await ownerRole(founder), owner);
  const asOwner = openDatabase({ ...options, role: owner });
  assert.ok((await migrate(asOwner)).length >= 4);
  await grantRights(asOwner);
  const [row] = await founder`
    select count(*)::int as others from pg_class
    where relnamespace = current_schema()::regnamespace and pg_get_userbyid(relowner) <> ${owner}`;
  assert.equal(row?.['others'], 0);
  await asOwner.end({ timeout: 1 });
  await founder.end({ timeout: 1 });
});

test('setup --roles says how to make logins; the collector starts as a writer, and doctor names a right that is gone', async (t) => {
  const { names, login, admin, adminUrl } = await lab(t);
  const installation = await installLaunchbeat({
    folder: join(temporaryFolder(t), 'site'),
    postgresUrl: await login(names.writer),
    namespace: 'default',
    collector: { postgresql: { setup_url: adminUrl } },
  });
  const told = await installation.collector('setup', '--roles');
  assert.equal(told.code, 0, told.stderr);
  assert.match(told.stdout, new RegExp(`in role "${names.writer}"`));
  assert.match(told.stdout, /tables are up to date/);
  assert.doesNotMatch(told.stdout + told.stderr, new RegExp(new URL(adminUrl).password));
  const collector = await installation.startCollector();
  t.after(() => collector.stop('SIGKILL'));
  assert.equal((await collector.stop()).code, 0, collector.stderr());
  const well = await installation.collector('doctor');
  assert.match(well.stdout, /^role +OK +login_\w+, no superuser$/m);
  assert.match(well.stdout, /^rights +OK/m);
  await admin.unsafe(`revoke insert on events from "${names.writer}"`);
  const refused = await installation.collector('doctor');
  assert.match(refused.stdout, /^rights +FAIL +lacks INSERT on events\n.*setup_url/m);
});
