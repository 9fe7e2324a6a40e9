/**
 * The Elasticsearch harness itself: a shared one that takes documents, a private one that keeps its data.
 */
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { test } from 'node:test';
import {
  startElasticsearch,
  testElasticsearch,
  tryElasticsearch,
  uniqueNamespace,
} from './elasticsearch.ts';
import { temporaryFolder } from './temporary-folder.ts';

type Json = Record<string, unknown>;

async function call(method: string, url: string, body?: Json): Promise<Json> {
  const answer = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const json = (await answer.json()) as Json;
  assert.ok(answer.ok, `${method} ${url}: ${answer.status} ${JSON.stringify(json)}`);
  return json;
}

test('testElasticsearch() takes documents and gives them back, each test in its own namespace', async (t) => {
  const { url } = await testElasticsearch();
  const index = `logs-support-${uniqueNamespace()}`;
  t.after(() => fetch(`${url}/${index}`, { method: 'DELETE' }));
  await call('PUT', `${url}/${index}/_create/1?refresh=true`, { user: 'alice' });
  const found = await call('GET', `${url}/${index}/_search?q=user:alice`);
  assert.equal((found['hits'] as { total: { value: number } }).total.value, 1);
  assert.notEqual(uniqueNamespace(), uniqueNamespace());
});

test('startElasticsearch() keeps its data and its port over a crash and a start', async () => {
  const server = await startElasticsearch({ private: true });
  await call('PUT', `${server.url}/kept/_doc/1`, { user: 'alice' });

  await server.stop('SIGKILL');
  await assert.rejects(fetch(server.url));
  await server.start();
  assert.equal((await call('GET', `${server.url}/kept/_doc/1`))['found'], true);

  await server.stop();
  await assert.rejects(fetch(server.url));
});

test('tryElasticsearch() says in one line what to install where there is neither Maven nor Docker', async (t) => {
  const before = { ...process.env };
  t.after(() => {
    process.env = before;
  });
  const empty = temporaryFolder(t);
  chmodSync(empty, 0o755);
  Object.assign(process.env, { PATH: empty, LAUNCHBEAT_CACHE: empty, ES_VERSION: '8.19.16' });
  const tried = await tryElasticsearch();
  assert.equal(tried.outcome, 'refused');
  const reason = tried.outcome === 'refused' ? tried.reason : '';
  assert.match(reason, /^No Elasticsearch 8\.19\.16 .*missing\. Install .*apt-get install .*$/);
});
