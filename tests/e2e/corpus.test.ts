/**
 * Goal: every event of a real log is accounted for in both stores, once. Method: the 577 recorded events go through the real
 * programs over HTTPS with `select: all`; then again; then while the collector is killed.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { corpusFolder } from '../support/corpus.ts';
import { testElasticsearch, uniqueNamespace } from '../support/elasticsearch.ts';
import { eventually } from '../support/eventually.ts';
import { type Installation, installLaunchbeat } from '../support/launchbeat.ts';
import { testDatabase } from '../support/postgres.ts';
import { allThere, type StoreCounts, storeCounts } from '../support/store-counts.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const EVENTS = 577;
const FILE = join(corpusFolder(), '4688.xml.ndlines');
const skip = existsSync(FILE) ? false : 'the corpus is not here';

const leftOut = (counters: Readonly<Record<string, number>>): number =>
  Object.entries(counters)
    .filter(([name]) => name.startsWith('map.left_out.'))
    .reduce((sum, [, value]) => sum + value, 0);

interface Site {
  readonly installation: Installation;
  counts(): Promise<StoreCounts>;
}

async function openSite(t: TestContext): Promise<Site> {
  const database = await testDatabase(t);
  const elasticsearch = await testElasticsearch();
  const namespace = uniqueNamespace();
  const installation = await installLaunchbeat({
    folder: temporaryFolder(t),
    postgresUrl: database.url,
    elasticsearchUrl: elasticsearch.url,
    namespace,
  });
  return {
    installation,
    counts: () => storeCounts(database.url, elasticsearch.url, namespace),
  };
}

async function replay(installation: Installation, ...args: string[]): Promise<void> {
  const agent = installation.startAgent(
    '-E',
    'capture.source=replay',
    '-E',
    `capture.files=${FILE}`,
    '-E',
    'select=all',
    ...args,
  );
  const end = await agent.exited;
  assert.equal(end.code, 0, agent.stderr());
}

test('577 events are read; shipped and left out make 577; a second replay adds none', {
  skip,
}, async (t) => {
  const { installation, counts } = await openSite(t);
  const collector = await installation.startCollector();
  t.after(() => collector.stop());

  await replay(installation);
  const counters = installation.agentCounters();
  const shipped = counters['upload.lines'] ?? 0;
  assert.equal(counters['capture.read'], EVENTS);
  assert.equal(shipped + leftOut(counters) + (counters['map.refused'] ?? 0), EVENTS);
  assert.ok(shipped > EVENTS / 3, `shipped ${shipped}`);

  await eventually(async () => {
    const found = await counts();
    assert.deepEqual(found, allThere(shipped));
  });

  await replay(installation);
  assert.equal(installation.agentCounters()['upload.duplicates'], shipped);
  await eventually(async () => {
    const found = await counts();
    assert.deepEqual(found, allThere(shipped));
  });
});

test('killing the collector in the middle of a replay changes no count', { skip }, async (t) => {
  const { installation, counts } = await openSite(t);
  let collector = await installation.startCollector();
  t.after(() => collector.stop());

  // Small chunks and a slow replay: there is a middle to kill in.
  const replaying = replay(
    installation,
    '-E',
    'capture.rate=150',
    '-E',
    'output.collector.chunk_bytes=64KiB',
  );
  for (const rowsAtLeast of [40, 160]) {
    await eventually(async () => (await counts()).rows >= rowsAtLeast);
    await collector.stop('SIGKILL');
    collector = await installation.startCollector();
  }
  await replaying;

  const shipped = installation.agentCounters()['upload.lines'] ?? 0;
  assert.equal(shipped + leftOut(installation.agentCounters()), EVENTS);
  await eventually(
    async () => {
      const found = await counts();
      assert.deepEqual(found, allThere(shipped));
    },
    { timeoutMs: 90_000 },
  );
});
