/**
 * Goal: the template is what we want, nobody else's work is overwritten, and without it nothing is indexed; an Elasticsearch that
 * goes away loses nothing. Method: an Elasticsearch of this file's own, since the template is the whole cluster's.
 */
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { dataStreamName, indexTemplate, TEMPLATE_NAME } from '@launchbeat/ecs-schemas';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { insertChunk } from '../../../tests/support/chunks-table.ts';
import { processStart } from '../../../tests/support/documents.ts';
import {
  type ElasticsearchServer,
  startElasticsearch,
  uniqueNamespace,
} from '../../../tests/support/elasticsearch.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { testDatabase } from '../../../tests/support/postgres.ts';
import { openDatabase, type Sql } from '../commit/database.ts';
import { createIndexer, type Indexer } from './create-indexer.ts';
import { elasticsearchConfigSchema } from './elasticsearch-config.ts';

let server: ElasticsearchServer;
let sql: Sql;
let database: Awaited<ReturnType<typeof testDatabase>>;

before(async () => {
  [server, database] = await Promise.all([startElasticsearch(), testDatabase()]);
  sql = openDatabase({ url: database.url, connections_max: 4 });
});
after(async () => {
  await sql.end({ timeout: 1 });
  await database.drop();
  await server.stop();
});

function indexerOf(config: Record<string, unknown> = {}): Indexer {
  return createIndexer({
    sql,
    log: SILENT_LOG,
    config: elasticsearchConfigSchema.parse({
      hosts: [server.url],
      backoff: { init: '20ms', max: '100ms' },
      queue: { sweep_interval: '50ms' },
      ...config,
    }),
  });
}

type Template = {
  version: number;
  _meta?: { build?: string };
  template: { lifecycle?: { data_retention?: string } };
};

async function ask(method: string, path: string, body?: unknown): Promise<Response> {
  return await fetch(`${server.url}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function template(): Promise<Template | undefined> {
  const answer = await ask('GET', `/_index_template/${TEMPLATE_NAME}`);
  const { index_templates: found } = (await answer.json()) as {
    index_templates?: { index_template: Template }[];
  };
  return found?.[0]?.index_template;
}

const put = async (body: unknown): Promise<Response> =>
  ask('PUT', `/_index_template/${TEMPLATE_NAME}`, body);

async function withoutTemplate(): Promise<void> {
  await ask('DELETE', `/_index_template/${TEMPLATE_NAME}`);
}

/** This build of Elasticsearch has no x-pack mappers; a full one takes the other build. */
async function knownBuild(): Promise<string> {
  await withoutTemplate();
  const taken = await put(indexTemplate({ build: 'ecs' }));
  await withoutTemplate();
  return taken.ok ? 'ecs' : 'core';
}

test('setup() puts the build that the cluster knows, and nothing the second time', async () => {
  const build = await knownBuild();
  const indexer = indexerOf({ retention: '90d' });
  assert.equal((await indexer.check()).ok, false);
  assert.equal((await indexer.setup()).action, 'created');
  assert.equal((await template())?._meta?.build, build);
  assert.equal((await template())?.template.lifecycle?.data_retention, '90d');
  assert.equal((await indexer.setup()).action, 'kept');
  const check = await indexer.check();
  assert.equal(check.ok, true);
  assert.match(check.detail, /Elasticsearch \d+\.\d+/);
  await indexer.close();
});

test('setup() brings an older template, and another retention, up to date', async () => {
  await put({ ...indexTemplate({ build: 'core' }), version: 0 });
  const indexer = indexerOf({ template: { build: 'core' } });
  assert.equal((await indexer.setup()).action, 'updated');
  assert.equal((await template())?.version, indexTemplate({ build: 'core' })['version']);
  await indexer.close();
  const longer = indexerOf({ template: { build: 'core' }, retention: '7d' });
  assert.equal((await longer.setup()).action, 'updated');
  assert.equal((await longer.setup()).action, 'kept');
  assert.equal((await template())?.template.lifecycle?.data_retention, '7d');
  await longer.close();
});

test('setup() leaves a newer template alone', async () => {
  await put({ ...indexTemplate({ build: 'core' }), version: 999 });
  const indexer = indexerOf();
  assert.equal((await indexer.setup()).action, 'kept');
  assert.equal((await template())?.version, 999);
  await indexer.close();
});

test('setup() refuses to overwrite a template that is not ours', async () => {
  await put({ ...indexTemplate({ build: 'core' }), _meta: { owner: 'somebody' } });
  const indexer = indexerOf();
  await assert.rejects(indexer.setup(), /was not made by Launchbeat.*template\.enabled: false/);
  assert.deepEqual((await template())?._meta, { owner: 'somebody' });
  assert.equal((await indexer.check()).ok, false);
  await indexer.close();
  const off = indexerOf({ template: { enabled: false } });
  assert.equal((await off.setup()).action, 'off');
  await off.close();
});

test('setup() and check() say where there is no Elasticsearch', async () => {
  const indexer = indexerOf({ hosts: ['http://127.0.0.1:1'] });
  await assert.rejects(indexer.setup(), /ECONNREFUSED/);
  assert.match((await indexer.check()).detail, /ECONNREFUSED/);
  await indexer.close();
});

/** Runs an indexer until the test ends. */
function running(t: TestContext, config: Record<string, unknown> = {}): Indexer {
  const stop = new AbortController();
  const indexer = indexerOf(config);
  const run = indexer.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await run;
    await indexer.close();
  });
  return indexer;
}

async function isIndexed(): Promise<boolean> {
  const waiting = await sql`select from chunks where indexed_at is null`;
  return waiting.length === 0;
}

async function countOf(namespace: string): Promise<number> {
  const stream = dataStreamName(namespace);
  await ask('POST', `/${stream}/_refresh`);
  const { count } = (await (await ask('GET', `/${stream}/_count`)).json()) as { count?: number };
  return count ?? -1;
}

test('run() indexes nothing while the template is missing: no stream with guessed types', async (t) => {
  await withoutTemplate();
  const namespace = uniqueNamespace();
  const indexer = running(t, { template: { build: 'core' } });
  indexer.offer(await insertChunk(sql, { namespace, documents: [processStart()] }));
  assert.equal((await indexer.check()).ok, false);
  assert.equal((await ask('HEAD', `/${dataStreamName(namespace)}`)).status, 404);
  await indexer.setup();
  await eventually(isIndexed);
  assert.equal(await countOf(namespace), 1);
});

test('run() holds what it has while Elasticsearch is down, and brings it when it is back', async (t) => {
  const namespace = uniqueNamespace();
  await indexerOf({ template: { build: 'core' } }).setup();
  const indexer = running(t);
  indexer.offer(await insertChunk(sql, { namespace, documents: [processStart()] }));
  await eventually(isIndexed);
  await server.stop();
  for (let chunk = 0; chunk < 5; chunk += 1) {
    const documents = [processStart(), processStart()];
    indexer.offer(await insertChunk(sql, { namespace, documents }));
  }
  await eventually(() => indexer.counts().retries >= 2);
  assert.equal(await isIndexed(), false);
  await server.start();
  await eventually(isIndexed, { timeoutMs: 60_000 });
  assert.equal(await countOf(namespace), 11);
});

test('run() goes on after PostgreSQL cut its connections', async (t) => {
  const namespace = uniqueNamespace();
  const indexer = running(t);
  const other = openDatabase({ url: database.url, connections_max: 1 });
  t.after(async () => other.end({ timeout: 1 }));
  for (let chunk = 0; chunk < 20; chunk += 1) {
    indexer.offer(await insertChunk(other, { namespace, documents: [processStart()] }));
    await other`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`;
  }
  await eventually(async () => (await other`select 1`).length === 1);
  await eventually(isIndexed);
  assert.equal(await countOf(namespace), 20);
});
