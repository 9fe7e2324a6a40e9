/**
 * Goal: each line of a chunk is in Elasticsearch once, or in the dead letters, before its chunk counts as indexed.
 * Method: real Elasticsearch, real PostgreSQL; a proxy between them where an answer must get lost or be another one.
 */
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { dataStreamName, type ProcessStart } from '@launchbeat/ecs-schemas';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { type ChunkOptions, insertChunk } from '../../../tests/support/chunks-table.ts';
import { processStart } from '../../../tests/support/documents.ts';
import { testElasticsearch, uniqueNamespace } from '../../../tests/support/elasticsearch.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { testDatabase } from '../../../tests/support/postgres.ts';
import { openDatabase, type Sql } from '../commit/database.ts';
import { createIndexer, type Indexer } from './create-indexer.ts';
import { elasticsearchConfigSchema } from './elasticsearch-config.ts';

interface Lab {
  readonly sql: Sql;
  readonly namespace: string;
  readonly url: string;
  insert(options: Partial<ChunkOptions>): ReturnType<typeof insertChunk>;
  /** Starts an indexer; it ends with the test, or by the function it gives. */
  start(config?: Record<string, unknown>): { indexer: Indexer; stop(): Promise<void> };
  /** Ids in the data stream, one for each document. */
  ids(): Promise<string[]>;
  /** How many rows wait for Elasticsearch. */
  waiting(): Promise<number>;
}

async function lab(t: TestContext): Promise<Lab> {
  const [{ url }, database] = await Promise.all([testElasticsearch(), testDatabase()]);
  const sql = openDatabase({ url: database.url, connections_max: 4 });
  const namespace = uniqueNamespace();
  const stops: (() => Promise<void>)[] = [];
  t.after(async () => {
    for (const stop of stops) await stop();
    await sql.end({ timeout: 1 });
    await database.drop();
  });
  const fast = {
    backoff: { init: '10ms', max: '50ms' },
    bulk: { linger: '5ms' },
    queue: { sweep_interval: '20ms' },
  };
  await createIndexer({
    sql,
    config: elasticsearchConfigSchema.parse({ hosts: [url] }),
    log: SILENT_LOG,
  }).setup();
  return {
    sql,
    namespace,
    url,
    insert: (options) => insertChunk(sql, { namespace, documents: [], ...options }),
    start(config = {}) {
      const stop = new AbortController();
      const indexer = createIndexer({
        sql,
        config: elasticsearchConfigSchema.parse({ hosts: [url], ...fast, ...config }),
        log: SILENT_LOG,
      });
      const running = indexer.run(stop.signal);
      const end = async (): Promise<void> => {
        stop.abort();
        await running;
        await indexer.close();
      };
      stops.push(end);
      return { indexer, stop: end };
    },
    async ids() {
      const stream = `${url}/${dataStreamName(namespace)}`;
      await fetch(`${stream}/_refresh?ignore_unavailable=true`, { method: 'POST' });
      const answer = await fetch(`${stream}/_search?size=10000&ignore_unavailable=true`);
      const { hits } = (await answer.json()) as { hits: { hits: { _id: string }[] } };
      return hits.hits.map((hit) => hit._id).sort();
    },
    async waiting() {
      const rows = await sql<{ n: number }[]>`
        select count(*)::int as n from chunks where indexed_at is null`;
      return rows[0]?.n ?? -1;
    },
  };
}

const idsOf = (documents: readonly ProcessStart[]): string[] =>
  documents.map((one) => one.event.id).sort();
const some = (count: number): ProcessStart[] => Array.from({ length: count }, () => processStart());

type Meddle = (
  request: IncomingMessage,
  forward: () => Promise<Response>,
  response: ServerResponse,
) => Promise<void>;

/** A proxy before Elasticsearch; `meddle` decides what becomes of each `_bulk`. */
async function proxy(t: TestContext, url: string, meddle: Meddle): Promise<string> {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const forward = async (): Promise<Response> =>
      fetch(`${url}${request.url}`, {
        method: request.method ?? 'GET',
        headers: {
          accept: request.headers.accept ?? '*/*',
          'content-type': request.headers['content-type'] ?? 'application/json',
        },
        ...(parts.length === 0 ? {} : { body: Buffer.concat(parts) }),
      });
    if (request.url?.includes('_bulk')) {
      await meddle(request, forward, response);
      return;
    }
    await pass(await forward(), response);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function pass(answer: Response, response: ServerResponse): Promise<void> {
  response.writeHead(answer.status, {
    'content-type': 'application/vnd.elasticsearch+json;compatible-with=8',
    'x-elastic-product': 'Elasticsearch',
  });
  response.end(await answer.text());
}

function refuse(response: ServerResponse, status: number, type = 'test_exception'): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'x-elastic-product': 'Elasticsearch',
  });
  response.end(JSON.stringify({ error: { type, reason: 'as the test wants it' }, status }));
}

test('offer() brings the lines of many chunks into Elasticsearch as they came, and marks them indexed', async (t) => {
  const { sql, insert, start, ids, waiting, namespace, url } = await lab(t);
  const documents = some(30);
  const { indexer } = start();
  // A space after the colon: JSON printed anew would not have it.
  const odd = JSON.stringify(documents[0]).replace('"agent":', '"agent": ');
  for (let at = 0; at < documents.length; at += 10) {
    const part = documents.slice(at, at + 10);
    indexer.offer(
      await insert({
        documents: at === 0 ? [odd, ...part.slice(1)] : part,
        ids: part.map((one) => one.event.id),
      }),
    );
  }
  await eventually(async () => (await waiting()) === 0);
  assert.deepEqual(await ids(), idsOf(documents));
  assert.equal(indexer.counts().indexed, 30);
  assert.equal(indexer.counts().queuedChunks + indexer.counts().sendingChunks, 0);
  const found = await fetch(
    `${url}/${dataStreamName(namespace)}/_search?q=_id:${documents[0]?.event.id}`,
  );
  assert.ok((await found.text()).includes(odd), 'the line is stored byte for byte');
  assert.equal((await sql`select from dead_letters`).length, 0);
});

test('run() sends no line that was rejected at the door', async (t) => {
  const { insert, start, ids, waiting } = await lab(t);
  const documents = some(2);
  const [first, second] = documents as [ProcessStart, ProcessStart];
  start().indexer.offer(await insert({ documents: [first, '{"not":"valid"}', second] }));
  await eventually(async () => (await waiting()) === 0);
  assert.deepEqual(await ids(), idsOf(documents));
});

test('run() puts a line that Elasticsearch never takes into the dead letters, and indexes the others', async (t) => {
  const { sql, insert, start, ids, waiting } = await lab(t);
  const [good, poison] = some(2) as [ProcessStart, ProcessStart];
  // Valid for JSON.parse and the schema; Elasticsearch refuses a key that stands twice.
  const bad = JSON.stringify(poison).replace('{', '{"message":"a",');
  const chunk = await insert({ documents: [bad, good], ids: [poison.event.id, good.event.id] });
  const { indexer } = start();
  indexer.offer(chunk);
  await eventually(async () => (await waiting()) === 0);
  assert.deepEqual(await ids(), [good.event.id]);
  const rows =
    await sql`select chunk_id, line, event_id, document, status, reason from dead_letters`;
  assert.equal(rows.length, 1);
  assert.equal(Number(rows[0]?.['chunk_id']), Number(chunk.id));
  assert.deepEqual([rows[0]?.['line'], rows[0]?.['status']], [1, 400]);
  assert.equal(rows[0]?.['event_id'], poison.event.id);
  assert.equal(String(rows[0]?.['document']), bad);
  assert.match(rows[0]?.['reason'], /Duplicate field/);
  assert.equal(indexer.counts().deadLetters, 1);
});

test('run() takes from the table what nobody holds, and leaves what another collector holds', async (t) => {
  const { insert, start, ids, waiting } = await lab(t);
  const [left, expired, held] = [some(2), some(2), some(2)];
  await insert({ documents: left, leasedUntil: '-infinity' });
  await insert({ documents: expired, leasedUntil: 'expired' });
  await insert({ documents: held, leasedUntil: 'held' });
  start();
  await eventually(async () => (await waiting()) === 1);
  assert.deepEqual(await ids(), idsOf([...left, ...expired]));
});

test('run() of several collectors shares the table: each line once', async (t) => {
  const { insert, start, ids, waiting } = await lab(t);
  const documents = some(60);
  for (let at = 0; at < 60; at += 3) {
    await insert({ documents: documents.slice(at, at + 3), leasedUntil: '-infinity' });
  }
  const [one, two] = [start(), start()];
  await eventually(async () => (await waiting()) === 0);
  assert.deepEqual(await ids(), idsOf(documents));
  const sum = (name: 'indexed' | 'duplicates'): number =>
    one.indexer.counts()[name] + two.indexer.counts()[name];
  assert.deepEqual([sum('indexed'), sum('duplicates')], [60, 0]);
});

test('run() looks up what a collector left half done: no double, not even in a new backing index', async (t) => {
  const { sql, insert, start, ids, waiting, namespace, url } = await lab(t);
  const documents = some(6);
  const first = start();
  first.indexer.offer(await insert({ documents: documents.slice(0, 4) }));
  await eventually(async () => (await waiting()) === 0);
  await first.stop();
  const rolled = await fetch(`${url}/${dataStreamName(namespace)}/_rollover`, { method: 'POST' });
  assert.equal(rolled.status, 200);
  await sql`delete from chunks`;
  await insert({ documents, leasedUntil: 'expired' });
  const { indexer } = start();
  await eventually(async () => (await waiting()) === 0);
  assert.deepEqual(await ids(), idsOf(documents));
  assert.deepEqual([indexer.counts().indexed, indexer.counts().duplicates], [2, 4]);
});

test('run() looks up an answer that was lost, and a rollover in between makes no double', async (t) => {
  const { insert, start, ids, waiting, namespace, url } = await lab(t);
  const documents = some(5);
  let bulks = 0;
  const host = await proxy(t, url, async (request, forward, response) => {
    bulks += 1;
    const answer = await forward();
    if (bulks > 1) return pass(answer, response);
    await fetch(`${url}/${dataStreamName(namespace)}/_rollover`, { method: 'POST' });
    request.socket.destroy();
  });
  const { indexer } = start({ hosts: [host] });
  indexer.offer(await insert({ documents }));
  await eventually(async () => (await waiting()) === 0);
  assert.deepEqual(await ids(), idsOf(documents));
  assert.equal(bulks, 1, 'all were found, nothing was sent again');
  assert.equal(indexer.counts().duplicates, 5);
});

test('run() repeats the items of an answer that were turned away, and only those', async (t) => {
  const { insert, start, ids, waiting, url } = await lab(t);
  const documents = some(4);
  const sizes: number[] = [];
  const host = await proxy(t, url, async (_request, forward, response) => {
    const answer = (await (await forward()).json()) as { items: { create: { status: number } }[] };
    sizes.push(answer.items.length);
    if (sizes.length === 1) {
      answer.items[2] = {
        create: { status: 429, error: { type: 'es_rejected_execution_exception' } } as never,
      };
    }
    await pass(Response.json(answer), response);
  });
  const { indexer } = start({ hosts: [host] });
  indexer.offer(await insert({ documents }));
  await eventually(async () => (await waiting()) === 0);
  assert.deepEqual(sizes, [4, 1]);
  assert.deepEqual(await ids(), idsOf(documents));
  assert.equal(indexer.counts().retries, 1);
});

for (const [status, why] of [
  [413, 'too large'],
  [429, 'throttled'],
  [503, 'down'],
  [401, 'a wrong key'],
  [403, 'a key without the right'],
  [404, 'a wrong path'],
  [400, 'a request that is not understood'],
] as const) {
  test(`run() loses nothing to HTTP ${status} (${why}) for the whole request`, async (t) => {
    const { sql, insert, start, ids, waiting, url } = await lab(t);
    const documents = some(4);
    let requests = 0;
    const host = await proxy(t, url, async (_request, forward, response) => {
      requests += 1;
      if (requests <= 2) return refuse(response, status);
      return pass(await forward(), response);
    });
    start({ hosts: [host] }).indexer.offer(await insert({ documents }));
    await eventually(async () => (await waiting()) === 0);
    assert.deepEqual(await ids(), idsOf(documents));
    assert.equal((await sql`select from dead_letters`).length, 0);
    assert.equal(requests, status === 413 ? 6 : 3);
  });
}

const UNREADABLE: Readonly<Record<string, (text: string) => string>> = {
  'is cut in the middle': (text) => text.slice(0, text.length / 2),
  'is a page of a proxy': () => '<html>It works!</html>',
  'has fewer items than lines': () => '{"errors":false,"items":[{"create":{"status":201}}]}',
  'is empty': () => '',
};

for (const [what, spoil] of Object.entries(UNREADABLE)) {
  test(`run() looks the ids up where an answer 200 ${what}, and doubles nothing`, async (t) => {
    const { sql, insert, start, ids, waiting, namespace, url } = await lab(t);
    const documents = some(4);
    let bulks = 0;
    const host = await proxy(t, url, async (_request, forward, response) => {
      bulks += 1;
      const answer = await forward();
      if (bulks > 1) return pass(answer, response);
      await fetch(`${url}/${dataStreamName(namespace)}/_rollover`, { method: 'POST' });
      await pass(new Response(spoil(await answer.text())), response);
    });
    start({ hosts: [host] }).indexer.offer(await insert({ documents }));
    await eventually(async () => (await waiting()) === 0);
    assert.deepEqual(await ids(), idsOf(documents));
    assert.equal((await sql`select from dead_letters`).length, 0);
  });
}

test('run() counts an item 409 as done: Elasticsearch has it', async (t) => {
  const { insert, start, ids, waiting } = await lab(t);
  const [there, fresh] = [some(3), some(2)];
  const { indexer } = start();
  indexer.offer(await insert({ documents: there }));
  await eventually(async () => (await waiting()) === 0);
  // As new chunks, so that nobody asks before: the answers themselves say it.
  indexer.offer(await insert({ documents: [...there, ...fresh] }));
  await eventually(async () => (await waiting()) === 0);
  assert.deepEqual(await ids(), idsOf([...there, ...fresh]));
  const { indexed, duplicates, retries } = indexer.counts();
  assert.deepEqual([indexed, duplicates, retries], [5, 3, 0]);
});

test('run() gives a single line that is too large to the dead letters', async (t) => {
  const { sql, insert, start, waiting, url } = await lab(t);
  const host = await proxy(t, url, async (_request, _forward, response) => refuse(response, 413));
  start({ hosts: [host] }).indexer.offer(await insert({ documents: some(2) }));
  await eventually(async () => (await waiting()) === 0);
  assert.deepEqual(
    (await sql`select line, status from dead_letters order by line`).map((row) => ({ ...row })),
    [
      { line: 1, status: 413 },
      { line: 2, status: 413 },
    ],
  );
});

test('run() waits while the cluster is read-only (flood stage), and goes on when it is not', async (t) => {
  const { sql, insert, start, ids, waiting, namespace, url } = await lab(t);
  const block = async (on: boolean): Promise<void> => {
    const answer = await fetch(`${url}/${dataStreamName(namespace)}/_settings`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ 'index.blocks.read_only_allow_delete': on ? true : null }),
    });
    assert.equal(answer.status, 200);
  };
  const [before, during] = [some(1), some(3)];
  const { indexer } = start();
  indexer.offer(await insert({ documents: before }));
  await eventually(async () => (await waiting()) === 0);
  await block(true);
  indexer.offer(await insert({ documents: during }));
  await eventually(() => indexer.counts().retries >= 2);
  assert.equal(await waiting(), 1);
  await block(false);
  await eventually(async () => (await waiting()) === 0);
  assert.deepEqual(await ids(), idsOf([...before, ...during]));
  assert.equal((await sql`select from dead_letters`).length, 0);
});

test('offer() keeps memory bounded: what is over goes back to the table, and comes from there', async (t) => {
  const { sql, insert, start, ids, waiting } = await lab(t);
  const documents = some(40);
  const { indexer } = start({ queue: { max_bytes: 1, sweep_interval: '20ms' } });
  for (const document of documents) indexer.offer(await insert({ documents: [document] }));
  await eventually(async () => (await waiting()) === 0);
  assert.deepEqual(await ids(), idsOf(documents));
  const [row] = await sql<
    { n: number }[]
  >`select count(*)::int as n from chunks where index_attempts > 0`;
  assert.equal(row?.n, indexer.counts().deferredChunks);
});

test('run() gives back what it could not finish when it is stopped', async (t) => {
  const { sql, insert, start, ids, waiting, url } = await lab(t);
  const documents = some(3);
  const host = await proxy(t, url, async (_request, _forward, response) => refuse(response, 429));
  const { indexer, stop } = start({ hosts: [host] });
  indexer.offer(await insert({ documents }));
  await eventually(() => indexer.counts().retries >= 1);
  await stop();
  const [row] = await sql`select leased_until <= now() as free, indexed_at from chunks`;
  assert.deepEqual({ ...row }, { free: true, indexed_at: null });
  start();
  await eventually(async () => (await waiting()) === 0);
  assert.deepEqual(await ids(), idsOf(documents));
});

test('run() sets a chunk aside whose bytes are damaged, and goes on with the others', async (t) => {
  const { sql, insert, start, ids, waiting } = await lab(t);
  const [damaged, sound] = [some(1), some(1)];
  const chunk = await insert({ documents: damaged });
  const { indexer } = start();
  indexer.offer({ ...chunk, body: chunk.body.subarray(0, 20) });
  indexer.offer(await insert({ documents: sound }));
  await eventually(async () => (await waiting()) === 0);
  assert.deepEqual(await ids(), idsOf(sound));
  const [row] = await sql`select line, reason from dead_letters`;
  assert.equal(row?.['line'], 0);
  assert.match(row?.['reason'], /cannot be decompressed/);
});
