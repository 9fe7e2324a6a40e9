/**
 * Goal: whatever a real Elasticsearch answers, every document is there once at the end, and the dead letters are the poison alone.
 * Method: a cluster of this file's own with users, a bound of request sizes and little memory for requests; templates are broken and
 * mended under a running indexer. Between tests nothing but the namespace is another.
 */
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import {
  dataStreamName,
  indexTemplate,
  type ProcessStart,
  TEMPLATE_NAME,
} from '@launchbeat/ecs-schemas';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { openDatabase, type Sql } from '../../collector/src/commit/database.ts';
import { createIndexer, type Indexer } from '../../collector/src/index/create-indexer.ts';
import { elasticsearchConfigSchema } from '../../collector/src/index/elasticsearch-config.ts';
import { COLLECTOR_ROLE } from '../../docker/set-up/elasticsearch.ts';
import { insertChunk } from '../support/chunks-table.ts';
import { processStart } from '../support/documents.ts';
import { uniqueNamespace } from '../support/elasticsearch.ts';
import { eventually } from '../support/eventually.ts';
import { testDatabase } from '../support/postgres.ts';
import {
  REQUEST_BYTES_MAX,
  type SecuredElasticsearch,
  startSecuredElasticsearch,
} from './secured-elasticsearch.ts';

const MIB = 1024 * 1024;
const PATIENCE = { timeoutMs: 60_000 };

let cluster: SecuredElasticsearch;
let database: Awaited<ReturnType<typeof testDatabase>>;
let sql: Sql;

before(async () => {
  [cluster, database] = await Promise.all([startSecuredElasticsearch(), testDatabase()]);
  sql = openDatabase({ url: database.url, connections_max: 4 });
});
after(async () => {
  await sql.end({ timeout: 1 });
  await database.drop();
  await cluster.server.stop();
});

interface Lab {
  readonly namespace: string;
  readonly indexer: Indexer;
  /** WARN and ERROR lines, level first. */
  readonly lines: string[];
  offer(documents: readonly (ProcessStart | string)[], ids?: readonly string[]): Promise<void>;
  /** Chunks of the namespace that wait. */
  waiting(): Promise<number>;
  allIndexed(): Promise<void>;
  letters(): Promise<string[]>;
}

interface LabOptions {
  readonly maySetUp?: boolean;
  readonly config?: Readonly<Record<string, unknown>>;
}

/** A namespace with an indexer that runs until the test ends. */
function lab(t: TestContext, { maySetUp = false, config = {} }: LabOptions = {}): Lab {
  const namespace = uniqueNamespace();
  const lines: string[] = [];
  const write = (level: string) => (fields: object, message: string) =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const log: Log = {
    debug: () => undefined,
    info: () => undefined,
    warn: write('warn'),
    error: write('error'),
  };
  const indexer = createIndexer({
    ...{ sql, log, maySetUp },
    config: elasticsearchConfigSchema.parse({
      hosts: [cluster.server.url],
      ...cluster.admin,
      namespaces: [namespace],
      template: { build: 'core' },
      backoff: { init: '20ms', max: '200ms' },
      bulk: { linger: '5ms' },
      queue: { sweep_interval: '50ms' },
      ...config,
    }),
  });
  const stop = new AbortController();
  const running = indexer.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await running;
    await indexer.close();
    await sql`delete from chunks where namespace = ${namespace}`;
  });
  const waiting = async (): Promise<number> =>
    (await sql`select from chunks where namespace = ${namespace} and indexed_at is null`).length;
  return {
    namespace,
    indexer,
    lines,
    waiting,
    async offer(documents, ids) {
      indexer.offer(
        await insertChunk(sql, { namespace, documents, ...(ids === undefined ? {} : { ids }) }),
      );
    },
    allIndexed: async () => {
      await eventually(async () => (await waiting()) === 0, PATIENCE);
    },
    async letters() {
      const rows = await sql`
        select event_id from dead_letters join chunks on chunks.id = chunk_id where namespace = ${namespace} order by 1`;
      return rows.map((row) => String(row['event_id']));
    },
  };
}

const some = (count: number): ProcessStart[] => Array.from({ length: count }, () => processStart());
const idsOf = (documents: readonly ProcessStart[]): string[] =>
  documents.map((one) => one.event.id).sort();
/** Ids of the documents of a namespace that match. */
async function found(namespace: string, query: object = { match_all: {} }): Promise<string[]> {
  const stream = dataStreamName(namespace);
  await cluster.ask('POST', `/${stream}/_refresh`);
  const body = { query, size: 10_000, _source: false };
  const answer = await cluster.ask('POST', `/${stream}/_search`, body);
  if (answer.status === 404) return [];
  const { hits } = (await answer.json()) as { hits: { hits: { _id: string }[] } };
  return hits.hits.map((hit) => hit._id).sort();
}

/** Puts our template, with changes, or takes it away. */
async function putTemplate(
  change: ((template: Tree) => void) | undefined,
  name = TEMPLATE_NAME,
): Promise<void> {
  if (change === undefined) {
    await cluster.ask('DELETE', `/_index_template/${name}`);
    return;
  }
  const template = structuredClone(indexTemplate({ build: 'core' })) as unknown as Tree;
  change(template);
  const answer = await cluster.ask('PUT', `/_index_template/${name}`, template);
  assert.equal(answer.status, 200, await answer.text());
}

interface Tree {
  index_patterns: string[];
  version: number;
  priority: number;
  _meta?: object;
  template: { mappings: { properties: Record<string, object> } };
}

const sound = async (): Promise<void> => putTemplate(() => undefined);
/** Every document of ours has an object there, so that none is taken. */
const broken = async (): Promise<void> =>
  putTemplate((template) => {
    template.template.mappings.properties['process'] = { type: 'keyword' };
  });

// A template that streams use cannot be deleted: these two come first.
test('a foreign template of the same priority is named by the cluster itself', async (t) => {
  await putTemplate(undefined);
  const rival = 'rival-of-same-rank';
  await putTemplate((template) => {
    Object.assign(template, { index_patterns: ['logs-system.*-*'], _meta: {} });
  }, rival);
  t.after(() => putTemplate(undefined, rival));
  const { indexer } = lab(t);
  await assert.rejects(indexer.setup(), /rival-of-same-rank.*same priority/);
});

test('a template that somebody deletes while it runs is set up again by itself', async (t) => {
  await sound();
  const { namespace, offer, allIndexed } = lab(t, { maySetUp: true });
  await eventually(async () => (await found(namespace)).length === 0);
  const documents = some(5);
  await putTemplate(undefined);
  await offer(documents);
  await allIndexed();
  assert.deepEqual(await found(namespace), idsOf(documents));
});

test('a cluster that takes no large request and little at once gets small ones, and all of it', async (t) => {
  await sound();
  const { namespace, indexer, offer, allIndexed, letters } = lab(t, {
    config: { bulk: { max_bytes: '2MiB', linger: '20ms' } },
  });
  const pad = 'x'.repeat(2000);
  const documents = some(900).map((one) => ({ ...one, message: pad }));
  const probe = await cluster.ask(
    'POST',
    `/${dataStreamName(namespace)}/_bulk`,
    'x'.repeat(REQUEST_BYTES_MAX),
  );
  assert.equal(probe.status, 413, 'the bound is real');
  for (let at = 0; at < documents.length; at += 300) await offer(documents.slice(at, at + 300));
  await allIndexed();
  assert.deepEqual(await found(namespace), idsOf(documents));
  assert.deepEqual(await letters(), []);
  assert.ok(
    indexer.counts().windowBytes < 2 * MIB,
    'it was throttled, and went on with less at once',
  );
  assert.ok(indexer.counts().retries > 0);
});

test('a single document over the bound of requests goes to the dead letters, with the reason', async (t) => {
  await sound();
  const { namespace, offer, allIndexed, letters } = lab(t);
  const [small, large] = some(2) as [ProcessStart, ProcessStart];
  await offer([{ ...large, message: 'x'.repeat(REQUEST_BYTES_MAX) }, small]);
  await allIndexed();
  assert.deepEqual(await found(namespace), [small.event.id]);
  assert.deepEqual(await letters(), [large.event.id]);
});

test('a user with the rights that docs name can index; revoked, everything waits and is said once; given back, it goes on', async (t) => {
  await sound();
  await cluster.allow(COLLECTOR_ROLE);
  const { namespace, lines, indexer, offer, allIndexed, letters, waiting } = lab(t, {
    config: { ...cluster.collector },
  });
  const [before, revoked, without] = [some(3), some(3), some(3)];
  await offer(before);
  await allIndexed();
  const retries = () => indexer.counts().retries;

  await cluster.allow(undefined);
  await offer(revoked);
  const atRevoked = retries();
  await eventually(() => retries() >= atRevoked + 3, PATIENCE);
  assert.equal(await waiting(), 1);
  const said = lines.filter((line) => line.startsWith('error') && line.includes('401'));
  assert.equal(said.length, 1, lines.join('\n'));
  assert.match(said[0] ?? '', /check api_key, or username and password/);
  assert.doesNotMatch(lines.join(), new RegExp(cluster.collector.password));
  await cluster.allow(COLLECTOR_ROLE);
  await allIndexed();

  const index = COLLECTOR_ROLE.indices[0];
  const privileges = index.privileges.filter((name) => name !== 'create_doc');
  await cluster.allow({ ...COLLECTOR_ROLE, indices: [{ ...index, privileges }] });
  await offer(without);
  const atForbidden = retries();
  await eventually(() => retries() >= atForbidden + 3, PATIENCE);
  assert.equal(await waiting(), 1);
  assert.match(lines.at(-1) ?? '', /^error .*403/);
  await cluster.allow(COLLECTOR_ROLE);
  await allIndexed();
  assert.deepEqual(await found(namespace), idsOf([...before, ...revoked, ...without]));
  assert.deepEqual(await letters(), []);
});

test('hundreds of poisonous documents among good ones: the dead letters are these, and no other', async (t) => {
  await sound();
  const { namespace, indexer, offer, allIndexed, letters } = lab(t);
  const [good, poison] = [some(200), some(300)];
  for (let at = 0; at < 100; at += 1) {
    const part = [...poison.slice(at * 3, at * 3 + 3), ...good.slice(at * 2, at * 2 + 2)];
    const lines = part.map((one, index) =>
      index < 3 ? JSON.stringify(one).replace('{', '{"message":"a",') : one,
    );
    await offer(
      lines,
      part.map((one) => one.event.id),
    );
  }
  await allIndexed();
  assert.deepEqual(await found(namespace), idsOf(good));
  assert.deepEqual((await letters()).sort(), idsOf(poison));
  assert.equal(indexer.counts().deadLetters, poison.length);
});

test('flood stage is said once, with what to do, and waited out', async (t) => {
  await sound();
  const { namespace, lines, indexer, offer, allIndexed, letters, waiting } = lab(t);
  const block = async (on: boolean): Promise<void> => {
    const settings = { 'index.blocks.read_only_allow_delete': on ? true : null };
    const path = `/${dataStreamName(namespace)}/_settings`;
    assert.equal((await cluster.ask('PUT', path, settings)).status, 200);
  };
  const [before, during] = [some(2), some(3)];
  await offer(before);
  await allIndexed();
  await block(true);
  await offer(during);
  await eventually(() => indexer.counts().retries >= 4, PATIENCE);
  assert.equal(await waiting(), 1);
  const said = lines.filter((line) => line.startsWith('error'));
  assert.equal(said.length, 1, lines.join('\n'));
  assert.match(said[0] ?? '', /disk is nearly full \(flood stage\): make room/);
  await block(false);
  await allIndexed();
  assert.deepEqual(await found(namespace), idsOf([...before, ...during]));
  assert.deepEqual(await letters(), []);
});

test('a broken template: right documents wait, none is a dead letter; set up again by itself, all are there, and the poison alone is not', async (t) => {
  await sound();
  const { namespace, lines, offer, allIndexed, letters } = lab(t, { maySetUp: true });
  await eventually(async () => (await found(namespace)).length === 0);
  // The stream is made while the template is broken: its first backing index stays so.
  await broken();
  const documents = some(20);
  const poison = processStart();
  const bad = JSON.stringify(poison).replace('{', '{"message":"a",');
  await offer(
    [...documents, bad],
    [...documents, poison].map((one) => one.event.id),
  );
  await allIndexed();
  assert.deepEqual(await found(namespace), idsOf(documents));
  assert.deepEqual(await letters(), [poison.event.id]);
  assert.match(lines.join('\n'), /The cluster refused what is right: updated index template/);
});

test('a broken template that may not be set up: everything is held and said, until somebody mends it', async (t) => {
  await sound();
  const { namespace, lines, indexer, offer, allIndexed, letters, waiting } = lab(t);
  await eventually(async () => (await found(namespace)).length === 0);
  await broken();
  const documents = some(20);
  await offer(documents);
  await eventually(() => indexer.counts().retries >= 3, PATIENCE);
  assert.equal(await waiting(), 1);
  assert.match(lines.join('\n'), /error .*was changed by somebody; run/);
  await indexer.setup();
  await allIndexed();
  assert.deepEqual(await found(namespace), idsOf(documents));
  assert.deepEqual(await letters(), []);
});

test('a foreign template that would take the stream is named before the first event, and nothing goes out', async (t) => {
  await sound();
  const rival = 'rival-of-all-logs';
  await putTemplate((template) => {
    Object.assign(template, { index_patterns: ['logs-*-*'], priority: 900, _meta: {} });
  }, rival);
  t.after(() => putTemplate(undefined, rival));
  const { namespace, lines, indexer, offer, allIndexed, waiting } = lab(t);
  await offer(some(2));
  await eventually(() => lines.some((line) => line.startsWith('error')), PATIENCE);
  assert.match(
    lines.join('\n'),
    /rival-of-all-logs \(priority 900\) takes logs-system\.security_launchbeat-\w+ before/,
  );
  await assert.rejects(indexer.setup(), /rival-of-all-logs.*lower its priority/);
  assert.match((await indexer.check()).detail, /rival-of-all-logs/);
  assert.equal(await waiting(), 1);
  assert.equal((await cluster.ask('HEAD', `/${dataStreamName(namespace)}`)).status, 404);
  await putTemplate(undefined, rival);
  await allIndexed();
});

test('an upgrade of the template keeps what was indexed before readable beside what comes after', async (t) => {
  // As an older version would have put it: fewer fields, and one without a text field below it.
  await putTemplate((template) => {
    template.version = 0;
    const { process, launchbeat: _, ...rest } = template.template.mappings.properties;
    template.template.mappings.properties = { ...rest, process: process ?? {} };
  });
  const { namespace, indexer, offer, allIndexed } = lab(t);
  const [old, fresh] = [some(3), some(3)];
  await offer(old);
  await allIndexed();
  assert.equal((await indexer.setup()).action, 'updated');
  await offer(fresh);
  await allIndexed();
  const ids = async (field: string, value: string): Promise<string[]> =>
    found(namespace, { term: { [field]: value } });
  assert.deepEqual(await ids('process.name', 'chrome.exe'), idsOf([...old, ...fresh]));
  assert.deepEqual(
    await ids('launchbeat.program', 'Google Chrome'),
    idsOf(fresh),
    'new fields: from now on',
  );
  assert.equal((await indexer.setup()).action, 'kept');
});
