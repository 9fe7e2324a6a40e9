/**
 * Goal: events of a live log reach both stores and the chat once, whatever dies on the way. Method: the real programs over HTTPS,
 * with a bridge that plays a recording of an office as the real one would, and is killed, as is the agent.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { testElasticsearch, uniqueNamespace } from '../support/elasticsearch.ts';
import { eventually } from '../support/eventually.ts';
import { type Installation, installLaunchbeat } from '../support/launchbeat.ts';
import { testDatabase } from '../support/postgres.ts';
import { allThere, type StoreCounts, search, storeCounts } from '../support/store-counts.ts';
import { startTelegram, type TelegramStandIn } from '../support/telegram.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const CHAT = 777;
const OFFICE = fileURLToPath(
  new URL('../../ecs-schemas/fixtures/demo-office.xml.ndlines', import.meta.url),
);
const BRIDGE = fileURLToPath(new URL('../support/play-bridge.ts', import.meta.url));
const EVENTS = readFileSync(OFFICE, 'utf8').trimEnd().split('\n').length;

interface Office {
  readonly installation: Installation;
  readonly telegram: TelegramStandIn;
  readonly namespace: string;
  readonly elasticsearchUrl: string;
  counts(): Promise<StoreCounts>;
}

async function openOffice(t: TestContext, bridge: readonly string[]): Promise<Office> {
  const database = await testDatabase(t);
  const elasticsearch = await testElasticsearch();
  const namespace = uniqueNamespace();
  const telegram = await startTelegram({
    chats: [{ id: CHAT, type: 'private' }],
    limits: { chatPerSecond: Number.POSITIVE_INFINITY },
  });
  t.after(() => telegram.stop());
  const installation = await installLaunchbeat({
    folder: temporaryFolder(t),
    postgresUrl: database.url,
    elasticsearchUrl: elasticsearch.url,
    namespace,
    telegram: { apiRoot: telegram.url, token: telegram.token },
    collector: { telegram: { limits: { per_chat_per_second: 100 } } },
    alerts: { time_zone: 'Europe/Moscow', chats: { launches: CHAT } },
    agent: {
      select: 'all',
      capture: {
        source: 'security-log',
        command: [process.execPath, BRIDGE, '--file', OFFICE, ...bridge],
        poll_interval: '100ms',
        restart: { backoff: { init: '100ms', max: '1s' } },
      },
    },
  });
  return {
    installation,
    telegram,
    namespace,
    elasticsearchUrl: elasticsearch.url,
    counts: () => storeCounts(database.url, elasticsearch.url, namespace),
  };
}

/** Waits until the agent has read all; gives how many lines it shipped. */
async function shippedAll({ installation }: Office): Promise<number> {
  return await eventually(
    () => {
      const counters = installation.agentCounters();
      const shipped = counters['upload.lines'] ?? 0;
      assert.ok((counters['capture.read'] ?? 0) >= EVENTS, JSON.stringify(counters));
      assert.equal(shipped, counters['map.done'], JSON.stringify(counters));
      return shipped;
    },
    { timeoutMs: 60_000 },
  );
}

test('events of a live log reach both stores, and launches by people the chat', async (t) => {
  const office = await openOffice(t, ['--retime']);
  const collector = await office.installation.startCollector();
  t.after(() => collector.stop());
  const agent = office.installation.startAgent();
  t.after(() => agent.stop());

  const shipped = await shippedAll(office);
  await eventually(async () => assert.deepEqual(await office.counts(), allThere(shipped)), {
    timeoutMs: 60_000,
  });
  const launches = await search(office.elasticsearchUrl, office.namespace, {
    size: 1000,
    query: {
      bool: {
        filter: [
          { term: { 'launchbeat.launch': true } },
          { exists: { field: 'launchbeat.program' } },
        ],
      },
    },
  });
  assert.ok(launches.length >= 10, `${launches.length} launches`);
  await eventually(() => assert.equal(office.telegram.messages().length, launches.length), {
    timeoutMs: 30_000,
  });
  for (const { text } of office.telegram.messages()) {
    assert.match(text, /^\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d Пользователь .+ запустил \S+\.exe$/);
  }
  assert.equal((await agent.stop()).code, 0, 'a signal is a good end');
  assert.equal((await collector.stop()).code, 0, 'a signal is a good end');
});

test('a bridge that dies in the middle of a line loses nothing and doubles nothing', async (t) => {
  const office = await openOffice(t, ['--die-after', '40']);
  const collector = await office.installation.startCollector();
  t.after(() => collector.stop());
  const agent = office.installation.startAgent();
  t.after(() => agent.stop());

  const shipped = await shippedAll(office);
  assert.ok((office.installation.agentCounters()['capture.restart'] ?? 0) >= 1);
  await eventually(async () => assert.deepEqual(await office.counts(), allThere(shipped)), {
    timeoutMs: 60_000,
  });
});

test('an agent that is killed goes on where it was; nothing is lost, nothing twice', async (t) => {
  const office = await openOffice(t, ['--seconds', '3']);
  const collector = await office.installation.startCollector();
  t.after(() => collector.stop());

  const first = office.installation.startAgent();
  await eventually(async () => (await office.counts()).rows >= 10);
  await first.stop('SIGKILL');
  const second = office.installation.startAgent();
  t.after(() => second.stop());

  const expected = (await readOnce(t)) ?? 0;
  await eventually(async () => assert.deepEqual(await office.counts(), allThere(expected)), {
    timeoutMs: 60_000,
  });
});

/** What a run without any fault ships. */
async function readOnce(t: TestContext): Promise<number> {
  const calm = await openOffice(t, []);
  const collector = await calm.installation.startCollector();
  t.after(() => collector.stop());
  const agent = calm.installation.startAgent();
  t.after(() => agent.stop());
  return await shippedAll(calm);
}

test('an agent with a wrong key keeps its files, says so as an error, and ships all once the key is right', async (t) => {
  const office = await openOffice(t, []);
  const { installation } = office;
  const collector = await installation.startCollector();
  t.after(() => collector.stop());

  const locked = installation.startAgent('-E', 'output.collector.api_key=nobody:nothing');
  await locked.waitForLine(/"log\.level":"error".*40[13]/);
  await eventually(() => assert.ok((installation.agentCounters()['capture.read'] ?? 0) >= EVENTS));
  assert.equal((await office.counts()).rows, 0);
  assert.equal((await locked.stop()).code, 0);
  assert.doesNotMatch(locked.stderr(), /nobody:nothing|nothing"/, 'the secret is in no log');

  const agent = installation.startAgent();
  t.after(() => agent.stop());
  await eventually(async () => assert.ok((await office.counts()).rows > 0), { timeoutMs: 30_000 });
});
