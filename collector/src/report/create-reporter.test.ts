/**
 * Goal: what happens to agents and alerts is in Elasticsearch once, whoever dies when. Method: real PostgreSQL, whose triggers fill the
 * outbox; real Elasticsearch; a gate between them where an answer must get lost; a process of its own where one must die.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import {
  type AlertRecord,
  alertRecordSchema,
  type HealthRecord,
  healthRecordSchema,
  streamName,
} from '@launchbeat/ecs-schemas';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { testElasticsearch, uniqueNamespace } from '../../../tests/support/elasticsearch.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { testDatabase } from '../../../tests/support/postgres.ts';
import { addAgent, addAlert, addFact } from '../../../tests/support/report-rows.ts';
import { alertsConfigSchema } from '../assess/alerts-config.ts';
import { openDatabase, type Sql } from '../commit/database.ts';
import { createIndexer } from '../index/create-indexer.ts';
import { elasticsearchConfigSchema } from '../index/elasticsearch-config.ts';
import { createReporter, type Reporter } from './create-reporter.ts';

interface Lab {
  readonly sql: Sql;
  readonly databaseUrl: string;
  readonly namespace: string;
  readonly url: string;
  /** Starts a reporter; it ends with the test, or by the function it gives. */
  start(config?: Record<string, unknown>): { reporter: Reporter; stop(): Promise<void> };
  health(): Promise<HealthRecord[]>;
  alerts(): Promise<AlertRecord[]>;
  waiting(): Promise<number>;
}

const FAST = {
  backoff: { init: '10ms', max: '50ms' },
  queue: { sweep_interval: '20ms' },
  // States come once in a test, unless it asks for more.
  reports: { interval: '24h' },
};
const ALERTS = alertsConfigSchema.parse({
  chats: { soc: -100 },
  rules: [{ id: 'rule-1', description: 'A program that nobody should start' }],
});

async function lab(t: TestContext): Promise<Lab> {
  const [{ url }, database] = await Promise.all([testElasticsearch(), testDatabase()]);
  const sql = openDatabase({ url: database.url, connections_max: 6 });
  const namespace = uniqueNamespace();
  const stops: (() => Promise<void>)[] = [];
  t.after(async () => {
    for (const stop of stops) await stop();
    await sql.end({ timeout: 1 });
    await database.drop();
  });
  const config = (more: Record<string, unknown> = {}) =>
    elasticsearchConfigSchema.parse({ hosts: [url], namespaces: [namespace], ...FAST, ...more });
  const indexer = createIndexer({ sql, config: config(), log: SILENT_LOG });
  await indexer.setup();
  await indexer.close();
  const documents = async (key: 'health' | 'alerts'): Promise<unknown[]> => {
    const stream = `${url}/${streamName(key, namespace)}`;
    await fetch(`${stream}/_refresh?ignore_unavailable=true`, { method: 'POST' });
    const answer = await fetch(`${stream}/_search?size=10000&ignore_unavailable=true`);
    const { hits } = (await answer.json()) as { hits: { hits: { _source: unknown }[] } };
    return hits.hits.map((hit) => hit._source);
  };
  return {
    sql,
    databaseUrl: database.url,
    namespace,
    url,
    start(more = {}) {
      const stop = new AbortController();
      const reporter = createReporter({
        ...{ sql, config: config(more), alerts: ALERTS, log: SILENT_LOG, offlineAfterMs: 300_000 },
      });
      const running = reporter.run(stop.signal);
      const end = async (): Promise<void> => {
        stop.abort();
        await running;
        await reporter.close();
      };
      stops.push(end);
      return { reporter, stop: end };
    },
    health: async () => (await documents('health')).map((one) => healthRecordSchema.parse(one)),
    alerts: async () => (await documents('alerts')).map((one) => alertRecordSchema.parse(one)),
    async waiting() {
      const [row] = await sql<{ n: number }[]>`
        select count(*)::int as n from report_outbox where refused is null`;
      return row?.n ?? -1;
    },
  };
}

const isOn = async (sql: Sql): Promise<boolean> =>
  (await sql`select from report_state where enabled`).length === 1;

test('an alert is one document when it is raised and one for its fate, in the namespace of its event', async (t) => {
  const { sql, namespace, start, alerts, waiting } = await lab(t);
  start();
  await eventually(() => isOn(sql));
  await addAgent(sql, { namespace });
  const fates = ['sent', 'suppressed', 'folded', 'held', 'stormed', 'muted', 'failed'] as const;
  for (const state of fates) {
    const id = await addAlert(sql, { fields: { process: `${state}.exe` } });
    await sql`update alerts set attempts = attempts + 1 where id = ${id}`;
    await sql`
      update alerts set state = ${state}, last_error = ${state === 'failed' ? 'bot was kicked' : null},
        sent_at = ${state === 'sent' ? sql`now()` : null}, message_id = ${state === 'sent' ? 7 : null}
      where id = ${id}`;
  }
  await sql`
    update alerts set acked_at = now(), acked_by = '@duty' where fields ->> 'process' = 'sent.exe'`;
  await eventually(async () => (await waiting()) === 0);
  const records = await alerts();
  assert.equal(records.length, 15);
  const acknowledged = records.filter(({ event }) => event.action === 'alert-acknowledged');
  assert.deepEqual(
    acknowledged.map(({ launchbeat }) => launchbeat.alert.acknowledged_by),
    ['@duty'],
  );
  const raised = records.filter(({ event }) => event.kind === 'alert');
  assert.equal(raised.length, 7);
  assert.deepEqual(new Set(raised.map((one) => one.launchbeat.alert.fate)), new Set(['raised']));
  for (const state of fates) {
    const fate = records.find(({ launchbeat }) => launchbeat.alert.fate === state);
    assert.equal(fate?.process.name, `${state}.exe`);
    assert.equal(fate.event.action, `alert-${state}`);
    assert.deepEqual(fate.launchbeat.alert.chat, { id: '-100', name: 'soc' });
    assert.equal(fate.rule.name, 'A program that nobody should start');
    assert.equal(fate.data_stream.namespace, namespace);
    assert.equal(fate.event.reason, state === 'failed' ? 'bot was kicked' : undefined);
  }
  const sent = records.find(({ event }) => event.action === 'alert-sent');
  assert.equal(sent?.launchbeat.alert.message_id, '7');
  assert.deepEqual(sent?.threat?.technique, {
    id: ['T1059'],
    subtechnique: { id: ['T1059.001'] },
  });
  assert.equal(sent.event.severity, 73);
  assert.ok(sent.launchbeat.alert.after_ms > 0);
});

test('a fact and a check-in of a newer agent need no new code', async (t) => {
  const { sql, namespace, start, health, waiting } = await lab(t);
  start();
  await eventually(() => isOn(sql));
  const agentId = await addAgent(sql, {
    namespace,
    checkIn: { sysmon: { running: true, version: '15.2' } },
  });
  await addFact(sql, { agentId, kind: 'usb_stick_seen', from: 10, to: 20 });
  // A moment of the grid comes.
  await sql`update report_state set slot_at = '-infinity'`;
  await eventually(async () => (await health()).length >= 3 && (await waiting()) === 0);
  const records = await health();
  const fact = records.find(({ launchbeat }) => launchbeat.health.record === 'fact');
  assert.equal(fact?.event.action, 'usb_stick_seen');
  assert.deepEqual(fact?.launchbeat.health.fact, {
    ...{ kind: 'usb_stick_seen', level: 'error', count: 3, found_by: 'agent', from: 10, to: 20 },
  });
  assert.equal(fact.host?.name, 'pc-042');
  const state = records.find(({ launchbeat }) => launchbeat.health.record === 'agent');
  assert.equal(state?.launchbeat.health.state, 'degraded');
  assert.deepEqual(state.launchbeat.health.more, { sysmon: { running: true, version: '15.2' } });
  assert.equal(state.launchbeat.health.spool?.used_percent, 25);
  assert.equal(state.launchbeat.health.auditing?.process_creation, false);
  const server = records.find(({ launchbeat }) => launchbeat.health.record === 'server');
  assert.equal(server?.launchbeat.health.queue?.chunks, 0);
});

test('two collectors write each document once, and the states of a moment once', async (t) => {
  const { sql, namespace, start, health, alerts, waiting } = await lab(t);
  for (let one = 0; one < 3; one += 1) await addAgent(sql, { namespace, host: `pc-${one}` });
  start();
  start();
  await eventually(() => isOn(sql));
  await Promise.all(Array.from({ length: 40 }, () => addAlert(sql)));
  await eventually(async () => (await waiting()) === 0 && (await alerts()).length === 40);
  const states = (await health()).map(({ launchbeat }) => launchbeat.health.record);
  assert.deepEqual(states.toSorted(), ['agent', 'agent', 'agent', 'server']);
});

test('off puts nothing into the outbox; on again tells what happened meanwhile, and nothing twice', async (t) => {
  const { sql, start, alerts, waiting } = await lab(t);
  const first = start();
  await eventually(() => isOn(sql));
  const before = await addAlert(sql);
  await sql`update alerts set state = 'sent', sent_at = now() where id = ${before}`;
  await eventually(async () => (await alerts()).length === 2 && (await waiting()) === 0);
  await first.stop();
  const off = start({ enabled: false });
  await eventually(async () => !(await isOn(sql)));
  await addAlert(sql);
  assert.equal(await waiting(), 0);
  await off.stop();
  start();
  await eventually(async () => (await alerts()).length === 3 && (await waiting()) === 0);
  assert.equal((await alerts()).filter(({ event }) => event.action === 'alert-sent').length, 1);
});

test('an alert whose transaction is open while the switch is turned is not lost', async (t) => {
  const { sql, start, alerts, waiting } = await lab(t);
  const written = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const transaction = sql.begin(async (open) => {
    await addAlert(open);
    written.resolve();
    await go.promise;
  });
  await written.promise;
  start();
  // Whoever turns the switch waits for the transaction.
  const waits = async (): Promise<boolean> => {
    const locks = await sql`
      select from pg_locks join pg_database on pg_database.oid = pg_locks.database
      where datname = current_database() and locktype = 'advisory' and not granted`;
    return locks.length > 0;
  };
  await eventually(async () => (await waits()) || (await isOn(sql)));
  go.resolve();
  await transaction;
  await eventually(async () => (await alerts()).length === 1 && (await waiting()) === 0);
});

test('a row that no document can be made of is kept with the reason, and holds nothing up', async (t) => {
  const { sql, start, alerts, waiting } = await lab(t);
  const { reporter } = start();
  await eventually(() => isOn(sql));
  await sql`
    insert into report_outbox (kind, action, at, source) values ('alert', 'raised', now(), '{"rule_id": 5}')`;
  await addAlert(sql);
  await eventually(async () => (await alerts()).length === 1 && (await waiting()) === 0);
  const [row] = await sql<{ refused: string }[]>`select refused from report_outbox`;
  assert.match(row?.refused ?? '', /cannot be written/);
  assert.equal(reporter.counts().refused, 1);
});

/** A gate before Elasticsearch that lets a `_bulk` through and keeps its answer, as often as told. */
async function gate(
  t: TestContext,
  url: string,
  onWritten: () => 'answer' | 'swallow',
): Promise<string> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const pass = async (): Promise<void> => {
        const { accept = '*/*', 'content-type': type = 'application/json' } = request.headers;
        const answer = await fetch(`${url}${request.url}`, {
          method: request.method ?? 'GET',
          headers: { accept, 'content-type': type },
          ...(parts.length === 0 ? {} : { body: Buffer.concat(parts) }),
        });
        const body = Buffer.from(await answer.arrayBuffer());
        if (request.url?.includes('_bulk') && onWritten() === 'swallow') {
          response.destroy();
          return;
        }
        response.writeHead(answer.status, {
          'content-type': answer.headers.get('content-type') ?? 'application/json',
          'x-elastic-product': 'Elasticsearch',
        });
        response.end(body);
      };
      pass().catch(() => response.destroy());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('an answer that was lost doubles nothing, even when the stream has rolled over', async (t) => {
  const { sql, namespace, url, start, alerts, waiting } = await lab(t);
  const stream = `${url}/${streamName('alerts', namespace)}`;
  let swallowed = 0;
  const host = await gate(t, url, () => {
    swallowed += 1;
    return swallowed <= 2 ? 'swallow' : 'answer';
  });
  const { reporter } = start({ hosts: [host] });
  await eventually(() => isOn(sql));
  // States go first: their answer is the first that gets lost.
  await eventually(() => swallowed >= 1);
  await addAlert(sql);
  await eventually(() => swallowed >= 2);
  await fetch(`${stream}/_rollover`, { method: 'POST' });
  await eventually(async () => (await waiting()) === 0);
  assert.equal((await alerts()).length, 1);
  assert.ok(reporter.counts().retries >= 2);
});

test('a collector that dies between the write and its note doubles nothing and loses nothing', async (t) => {
  const { sql, databaseUrl, namespace, url, start, alerts, waiting } = await lab(t);
  const stream = `${url}/${streamName('alerts', namespace)}`;
  await addAlert(sql);
  const sight: { kill?: () => void } = {};
  let deaths = 0;
  const host = await gate(t, url, () => {
    sight.kill?.();
    deaths += 1;
    return 'swallow';
  });
  const program = `
    import { createReporter } from './create-reporter.ts';
    import { openDatabase } from '../commit/database.ts';
    import { elasticsearchConfigSchema } from '../index/elasticsearch-config.ts';
    import { alertsConfigSchema } from '../assess/alerts-config.ts';
    const log = { error() {}, warn() {}, info() {}, debug() {} };
    const config = elasticsearchConfigSchema.parse(${JSON.stringify({ hosts: [host], namespaces: [namespace], ...FAST })});
    const sql = openDatabase({ url: ${JSON.stringify(databaseUrl)}, connections_max: 2 });
    await createReporter({ sql, config, alerts: alertsConfigSchema.parse({}), log, offlineAfterMs: 1000 })
      .run(new AbortController().signal);`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
    cwd: import.meta.dirname,
    stdio: 'inherit',
  });
  sight.kill = () => child.kill('SIGKILL');
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  assert.equal(signal, 'SIGKILL');
  assert.ok(deaths >= 1);
  // It wrote, nobody noted it; a later backing index would take the same id again.
  await fetch(`${stream}/_rollover`, { method: 'POST' });
  await sql`update report_outbox set leased_until = now() - interval '1 second'`;
  assert.ok((await waiting()) > 0);
  start();
  await addAlert(sql);
  await eventually(async () => (await waiting()) === 0 && (await alerts()).length >= 2);
  assert.equal((await alerts()).length, 2);
});

test('while Elasticsearch is away rows wait; when too many do, states are left out and nothing else', async (t) => {
  const { sql, namespace, start, waiting } = await lab(t);
  await addAgent(sql, { namespace });
  const { reporter, stop } = start({
    hosts: ['http://127.0.0.1:1'],
    reports: { interval: '1s' },
    template: { enabled: false },
  });
  await eventually(async () => (await waiting()) >= 2);
  await addAlert(sql);
  await eventually(async () => (await waiting()) >= 3);
  await stop();
  await sql`
    insert into report_outbox (kind, action, at, source)
    select 'fact', 'many', now(), '{}' from generate_series(1, 100001)`;
  const { queueAgentStates } = await import('./agent-states.ts');
  const before = await waiting();
  const later = Date.now() + 3_600_000;
  assert.equal(await queueAgentStates(sql, { intervalMs: 1000, nowMs: later }), 'full');
  assert.equal(await waiting(), before);
  assert.ok(reporter.counts().retries > 0);
});
