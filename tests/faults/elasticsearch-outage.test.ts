/**
 * Goal: an Elasticsearch that is away delays no message and loses no document. Method: the real programs with a private
 * Elasticsearch, which is killed before the events come and started again after the messages went out.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startElasticsearch, uniqueNamespace } from '../support/elasticsearch.ts';
import { eventually } from '../support/eventually.ts';
import { installLaunchbeat } from '../support/launchbeat.ts';
import { testDatabase } from '../support/postgres.ts';
import { allThere, storeCounts } from '../support/store-counts.ts';
import { startTelegram } from '../support/telegram.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const CHAT = 4242;
const OFFICE = fileURLToPath(
  new URL('../../ecs-schemas/fixtures/demo-office.xml.ndlines', import.meta.url),
);

test('messages go out while Elasticsearch is away, and every document is there later', async (t) => {
  // One of its own, never one that was given: this test kills it.
  const elasticsearch = await startElasticsearch({ private: true });
  t.after(() => elasticsearch.stop());
  const database = await testDatabase(t);
  const telegram = await startTelegram({ chats: [{ id: CHAT, type: 'private' }] });
  t.after(() => telegram.stop());
  const namespace = uniqueNamespace();

  const installation = await installLaunchbeat({
    folder: temporaryFolder(t),
    postgresUrl: database.url,
    elasticsearchUrl: elasticsearch.url,
    namespace,
    telegram: { apiRoot: telegram.url, token: telegram.token },
    alerts: { time_zone: 'Europe/Moscow', chats: { launches: CHAT } },
  });
  const collector = await installation.startCollector();
  t.after(() => collector.stop());

  await elasticsearch.stop('SIGKILL');
  const agent = installation.startAgent(
    '-E',
    'capture.source=replay',
    '-E',
    `capture.files=${OFFICE}`,
    '-E',
    'select=all',
  );
  assert.equal((await agent.exited).code, 0, agent.stderr());
  const shipped = installation.agentCounters()['upload.lines'] ?? 0;
  assert.ok(shipped > 0);

  await eventually(() => assert.ok(telegram.messages().length > 0), { timeoutMs: 30_000 });
  for (const { text } of telegram.messages()) {
    assert.match(text, /^\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d Пользователь .+ запустил \S+\.exe$/);
  }
  assert.equal((await installation.get('/readyz')).status, 200, 'agents may go on sending');

  await elasticsearch.start();
  await eventually(
    async () => {
      const found = await storeCounts(database.url, elasticsearch.url, namespace);
      assert.deepEqual(found, allThere(shipped));
    },
    { timeoutMs: 90_000 },
  );
});
