/**
 * Goal: whoever runs the server finds out what is wrong with the collector, and what to do. Method: the real command on healthy and
 * on broken installations, with real stores.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { insertChunk } from '../../../tests/support/chunks-table.ts';
import { processStart } from '../../../tests/support/documents.ts';
import { testElasticsearch, uniqueNamespace } from '../../../tests/support/elasticsearch.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { type Installation, installLaunchbeat } from '../../../tests/support/launchbeat.ts';
import { testDatabase } from '../../../tests/support/postgres.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { openDatabase, type Sql } from '../commit/database.ts';

interface Told {
  readonly code: number | null;
  readonly text: string;
  /** State and detail of a row. */
  row(check: string): string;
  /** What stands under a row. */
  mend(check: string): string;
}

async function doctor(site: Installation, ...args: string[]): Promise<Told> {
  const { code, stdout, stderr } = await site.collector('doctor', ...args);
  const lines = (stdout + stderr).split('\n');
  const at = (check: string): number => lines.findIndex((line) => line.startsWith(`${check} `));
  return {
    code,
    text: stdout + stderr,
    row: (check) => lines[at(check)]?.slice(16).replace(/\s+/g, ' ') ?? '',
    mend: (check) => lines[at(check) + 1]?.trim() ?? '',
  };
}

async function install(
  t: TestContext,
): Promise<{ site: Installation; sql: Sql; namespace: string }> {
  const [{ url }, database] = await Promise.all([testElasticsearch(), testDatabase()]);
  const sql = openDatabase({ url: database.url, connections_max: 2 });
  t.after(async () => {
    await sql.end({ timeout: 1 });
    await database.drop();
  });
  const namespace = uniqueNamespace();
  const site = await installLaunchbeat({
    folder: join(temporaryFolder(t), 'site'),
    postgresUrl: database.url,
    elasticsearchUrl: url,
    namespace,
  });
  return { site, sql, namespace };
}

test('doctor finds a healthy collector well', async (t) => {
  const { site } = await install(t);
  const collector = await site.startCollector();
  t.after(() => collector.stop('SIGKILL'));
  const told = await eventually(
    async () => {
      const found = await doctor(site);
      return (
        found.row('elasticsearch').startsWith('OK') &&
        found.row('partitions').startsWith('OK') &&
        found
      );
    },
    { timeoutMs: 60_000 },
  );
  assert.equal(told.code, 0, told.text);
  for (const check of [
    'config',
    'log folder',
    'certificate',
    'collector',
    'postgresql',
    'clock',
    'connections',
    'tables',
    'rights',
    'partitions',
    'index queue',
    'dead letters',
    'messages',
    'elasticsearch',
    'telegram',
  ]) {
    assert.match(told.row(check), /^OK /, `${check}\n${told.text}`);
  }
  assert.match(told.row('collector'), /runs at https:\/\/127\.0\.0\.1:\d+, ready/);
  assert.match(told.row('certificate'), /\d+ days left/);
  // The server of the tests trades both for speed.
  assert.match(told.row('durability'), /^WARN fsync (off|on)/);
  assert.match(told.row('role'), /^WARN \w+ is a superuser/);
  assert.match(told.mend('role'), /setup --roles/);
});

test('doctor names what waits, what was refused and who is away, each with its mend', async (t) => {
  const { site, sql, namespace } = await install(t);
  await insertChunk(sql, { namespace, documents: [processStart()] });
  await sql`update chunks set received_at = now() - interval '1 hour'`;
  await sql`
    insert into dead_letters (chunk_id, line, event_id, document, status, reason) values (1, 1, 'e', 'x', 400, 'no')`;
  await sql`
    insert into alerts (rule_id, event_id, event_timestamp, agent_id, chat_id, fields, state)
    values ('r', 'e', now(), gen_random_uuid(), '1', '{}', 'failed')`;
  await sql`insert into agents (id, last_seen_at) values (gen_random_uuid(), now() - interval '1 day')`;
  const told = await doctor(site);
  assert.match(told.row('collector'), /^WARN does not run at .*ECONNREFUSED/);
  assert.match(told.mend('collector'), /launchbeat-collector run/);
  assert.match(told.row('index queue'), /^WARN 1 chunks wait, \d+ bytes, the oldest for 36\d\d s/);
  assert.match(told.row('dead letters'), /^WARN 1 documents/);
  assert.match(told.mend('dead letters'), /dead-letters ls/);
  assert.match(told.row('messages'), /^WARN 0 wait.*1 failed/);
  assert.match(told.row('agents'), /^WARN 1 offline/);
  assert.match(told.row('partitions'), /^WARN events_\d+/);

  const full = await doctor(site, '-E', 'postgresql.queue.max_lines=1');
  assert.match(full.row('index queue'), /^FAIL/);
  assert.equal(full.code, 1);
});

test('doctor names tables that are missing, and a PostgreSQL that is away', async (t) => {
  const { site, sql } = await install(t);
  const [last] = await sql`delete from schema_migrations where name like '0005%' returning name`;
  const lacking = await doctor(site);
  assert.equal(lacking.code, 1);
  assert.match(lacking.row('tables'), /^FAIL lack 0005_/);
  assert.match(lacking.mend('tables'), /launchbeat-collector setup/);
  assert.ok(last);

  const away = await doctor(site, '-E', 'postgresql.url=postgres://nobody@127.0.0.1:1/none');
  assert.equal(away.code, 1);
  assert.match(away.row('postgresql'), /^FAIL .*ECONNREFUSED/);
  assert.equal(away.row('tables'), '', 'what follows from it is not said');
  assert.match(away.row('telegram'), /^OK/, 'the others are');
});

test('doctor names a strange program on the port, a key of another certificate, and an Elasticsearch that is away', async (t) => {
  const { site } = await install(t);
  const stranger = createServer((_request, response) => response.writeHead(418).end()).listen(
    0,
    '127.0.0.1',
  );
  await new Promise((resolve) => stranger.once('listening', resolve));
  t.after(() => stranger.close());
  const { port } = stranger.address() as AddressInfo;
  const told = await doctor(
    site,
    '-E',
    `http.port=${port}`,
    '-E',
    'http.tls.enabled=false',
    '-E',
    'elasticsearch.hosts=http://127.0.0.1:1',
  );
  assert.match(told.row('collector'), /^FAIL .*answers 418: no collector/);
  assert.match(told.row('elasticsearch'), /^FAIL .*ECONNREFUSED/);
  assert.match(told.mend('elasticsearch'), /elasticsearch\.hosts/);

  const key = join(site.folder, 'certs', 'server.key');
  const authority = readFileSync(join(site.folder, 'certs', 'ca.key'));
  writeFileSync(key, authority);
  const file = join(site.folder, 'not-a-folder');
  writeFileSync(file, '');
  const mixed = await doctor(site, '--path.logs', file);
  assert.match(mixed.row('certificate'), /^FAIL .*the key is another one's/);
  assert.match(mixed.row('log folder'), /^FAIL .*cannot be written/);
});

test('doctor says what is wrong in the config, and stops there', async (t) => {
  const { site } = await install(t);
  const told = await doctor(site, '-E', 'postgresql.connections_max=1');
  assert.equal(told.code, 1);
  assert.match(told.row('config'), /^FAIL/);
  assert.match(told.text, /connections_max/);
});
