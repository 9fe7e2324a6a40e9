/**
 * Goal: an Elasticsearch that lost documents gets them again from PostgreSQL, and none twice; dead letters can be looked at, tried
 * again and dropped. Method: the real commands on real stores; what Elasticsearch lacks was never given to it, or was rolled over.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { dataStreamName, type ProcessStart } from '@launchbeat/ecs-schemas';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { openDatabase, type Sql } from '../../collector/src/commit/database.ts';
import { createIndexer } from '../../collector/src/index/create-indexer.ts';
import { elasticsearchConfigSchema } from '../../collector/src/index/elasticsearch-config.ts';
import { reindex } from '../../collector/src/index/reindex.ts';
import { insertChunk } from '../support/chunks-table.ts';
import { processStart, TEST_AGENT_ID } from '../support/documents.ts';
import { testElasticsearch, uniqueNamespace } from '../support/elasticsearch.ts';
import { eventually } from '../support/eventually.ts';
import { type Installation, installLaunchbeat } from '../support/launchbeat.ts';
import { testDatabase } from '../support/postgres.ts';
import { documentIds } from '../support/store-counts.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

interface Lab {
  readonly sql: Sql;
  readonly url: string;
  readonly namespace: string;
  readonly site: Installation;
  /** A chunk as it was acknowledged `daysAgo`; `indexed`: the ledger says that Elasticsearch has it. */
  chunk(documents: readonly (ProcessStart | string)[], options?: ChunkFacts): Promise<void>;
  /** Runs an indexer until nothing waits. */
  indexAll(): Promise<void>;
  ids(): Promise<string[]>;
}

interface ChunkFacts {
  readonly daysAgo?: number;
  readonly indexed?: boolean;
  readonly ids?: readonly string[];
}

async function lab(t: TestContext): Promise<Lab> {
  const [{ url }, database] = await Promise.all([testElasticsearch(), testDatabase()]);
  const sql = openDatabase({ url: database.url, connections_max: 4 });
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
  return {
    sql,
    url,
    namespace,
    site,
    async chunk(documents, { daysAgo = 0, indexed = true, ids } = {}) {
      const given = ids === undefined ? {} : { ids };
      const { id } = await insertChunk(sql, {
        namespace,
        documents,
        leasedUntil: 'expired',
        ...given,
      });
      await sql`
        update chunks set received_at = now() - ${`${daysAgo} days`}::interval,
          indexed_at = ${indexed ? sql`now()` : null} where id = ${id}`;
    },
    async indexAll() {
      const stop = new AbortController();
      const indexer = createIndexer({
        ...{ sql, log: SILENT_LOG },
        config: elasticsearchConfigSchema.parse({
          hosts: [url],
          namespaces: [namespace],
          queue: { sweep_interval: '20ms' },
        }),
      });
      await indexer.setup();
      const running = indexer.run(stop.signal);
      await eventually(
        async () => (await sql`select from chunks where indexed_at is null`).length === 0,
      );
      stop.abort();
      await running;
      await indexer.close();
    },
    ids: async () => (await documentIds(url, namespace)).sort(),
  };
}

const some = (count: number): ProcessStart[] => Array.from({ length: count }, () => processStart());
const idsOf = (documents: readonly ProcessStart[]): string[] =>
  documents.map((one) => one.event.id).sort();

test('reindex brings what Elasticsearch lost, doubles nothing, and leaves what is older or another agent’s', async (t) => {
  const { site, chunk, indexAll, ids, sql, url, namespace } = await lab(t);
  const [there, lost, old] = [some(30), some(40), some(5)];
  await chunk(there, { indexed: false });
  await indexAll();
  // A second backing index: there a second `create` of the same id would be a second document.
  await fetch(`${url}/${dataStreamName(namespace)}/_rollover`, { method: 'POST' });
  for (let at = 0; at < lost.length; at += 10) await chunk(lost.slice(at, at + 10));
  await chunk(old, { daysAgo: 10 });
  await sql`update chunks set body = null where received_at < now() - interval '1 year'`;

  const dry = await site.collector('reindex', '--since', '2d', '--dry-run');
  assert.match(dry.stdout, /^5 chunks with 70 lines/, dry.stderr);
  assert.deepEqual(await ids(), idsOf(there), 'nothing was done');

  const other = await site.collector(
    'reindex',
    '--since',
    '2d',
    '--agent',
    TEST_AGENT_ID.replace('6f', '7f'),
  );
  assert.match(other.stdout, /^0 chunks/);

  const told = await site.collector('reindex', '--since', '2d', '--agent', TEST_AGENT_ID);
  assert.equal(told.code, 0, told.stdout + told.stderr);
  assert.match(
    told.stdout,
    /Done: 5 chunks, 70 lines in [\d.]+ s\. By this command: 40 documents made, 30 there already, 0 dead letters/,
  );
  assert.deepEqual(await ids(), idsOf([...there, ...lost]));

  const again = await site.collector('reindex', '--since', '2026-01-01');
  assert.match(again.stdout, /By this command: 5 documents made, 70 there already/, again.stderr);
  assert.deepEqual(await ids(), idsOf([...there, ...lost, ...old]));
  const [entry] =
    await sql`select action, detail from audit_log where action = 'reindex' order by id desc`;
  assert.equal(entry?.['action'], 'reindex');

  await sql`update chunks set body = null, line_ids = ''`;
  const gone = await site.collector('reindex', '--since', '1d');
  assert.match(gone.stdout, /^0 chunks .*\n5 more have no bytes any more/);
  assert.equal(gone.code, 0);
  const wrong = await site.collector('reindex', '--since', 'yesterday');
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /--since yesterday is no time/);
});

test('reindex() keeps only a slice waiting at once, and stops where it is asked to', async (t) => {
  const { chunk, sql } = await lab(t);
  for (let count = 0; count < 8; count += 1) await chunk(some(1));
  const [size] = await sql<{ bytes: number }[]>`select max(body_bytes) as bytes from chunks`;
  const stop = new AbortController();
  const range = { since: new Date(0), until: new Date(Date.now() + 60_000) };
  const most: number[] = [];
  const waiting = async () => sql<{ id: string }[]>`select id from chunks where indexed_at is null`;
  const running = reindex({
    ...{ sql, ...range, signal: stop.signal, sliceBytes: (size?.bytes ?? 0) * 3 },
    onProgress: () => undefined,
  });
  // Plays the collectors that index: one chunk at a time.
  for (let indexed = 0; indexed < 6; ) {
    const rows = await waiting();
    most.push(rows.length);
    const [first] = rows;
    if (first === undefined) continue;
    await sql`update chunks set indexed_at = now() where id = ${first.id}`;
    indexed += 1;
  }
  stop.abort();
  const outcome = await running;
  assert.equal(outcome.outcome, 'stopped');
  assert.ok(Math.max(...most) <= 4, `${Math.max(...most)} waited at once`);
});

test('dead letters: listed, shown, tried again when the reason is mended, dropped', async (t) => {
  const { site, chunk, indexAll, ids, sql, namespace } = await lab(t);
  const [good, poison, other] = some(3) as [ProcessStart, ProcessStart, ProcessStart];
  const inNamespace = (one: ProcessStart): ProcessStart => ({
    ...one,
    data_stream: { ...one.data_stream, namespace },
  });
  const bad = JSON.stringify(inNamespace(poison)).replace('{', '{"message":"a",');
  const worse = JSON.stringify(inNamespace(other)).replace('{', '{"message":"a",');
  await chunk([bad, good, worse], {
    indexed: false,
    ids: [poison, good, other].map((one) => one.event.id),
  });
  await indexAll();
  assert.deepEqual(await ids(), [good.event.id]);

  const listed = await site.collector('dead-letters', 'ls');
  const rows = listed.stdout
    .trim()
    .split('\n')
    .map((line) => line.split('\t'));
  assert.deepEqual(
    rows.map((row) => row[5]),
    ['EVENT', other.event.id, poison.event.id],
    listed.stderr,
  );
  const [, second, first] = rows.map((row) => row[0] ?? '');
  const shown = await site.collector('dead-letters', 'show', first ?? '');
  assert.match(shown.stdout, /status: +400\nreason: +document_parsing_exception.*Duplicate field/);
  assert.ok(shown.stdout.includes(bad), 'the document as it came');

  const refused = await site.collector('dead-letters', 'retry', first ?? '');
  assert.match(refused.stdout, /^0 taken, 1 refused again\./, refused.stderr);
  assert.equal(refused.code, 1);
  // What it was refused for is mended: here the document itself.
  const mended = JSON.stringify(inNamespace(poison));
  await sql`update dead_letters set document = ${Buffer.from(mended)} where id = ${first ?? ''}`;
  const taken = await site.collector('dead-letters', 'retry', '--all');
  assert.match(taken.stdout, /^1 taken, 1 refused again\./, taken.stderr);
  assert.deepEqual(await ids(), idsOf([good, poison]));
  const twice = await site.collector('dead-letters', 'retry', first ?? '');
  assert.match(twice.stdout, /^0 taken, 0 refused/);

  const dropped = await site.collector('dead-letters', 'drop', second ?? '');
  assert.match(dropped.stdout, /^1 dropped/);
  assert.equal((await sql`select from dead_letters`).length, 0);
  const missing = await site.collector('dead-letters', 'drop', second ?? '');
  assert.match(missing.stderr, /No dead letter has the id/);
  const actions =
    await sql`select action from audit_log where action like 'dead_letter.%' order by id`;
  assert.deepEqual(
    actions.map((row) => row['action']),
    [
      ...Array.from({ length: 3 }, () => 'dead_letter.retry'),
      'dead_letter.drop',
      'dead_letter.drop',
    ],
  );

  const strange = JSON.stringify(inNamespace(poison)).replace(namespace, 'nobody_knows');
  await sql`
    insert into dead_letters (chunk_id, line, event_id, document, status, reason)
    values (1, 0, '', 'x', 0, 'damaged'), (2, 1, ${poison.event.id}, ${Buffer.from(strange)}, 400, 'no')`;
  const unsendable = await site.collector('dead-letters', 'retry', '--all');
  assert.match(
    unsendable.stdout,
    /^0 taken, 0 refused again\.\n2 cannot be sent/,
    unsendable.stderr,
  );
  const both = await site.collector('dead-letters', 'drop', '1', '--all');
  assert.match(both.stderr, /Name ids, or give --all/);
});
