/**
 * Goal: panels cope with what real PCs log. Method: recorded 4688 events through the agent's mapper into Elasticsearch; no request may
 * fail, and those that need nothing out of the ordinary must show something.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ProcessStart, processStartSchema } from '@launchbeat/ecs-schemas';
import { createMapper } from '../../../agent/src/map/create-mapper.ts';
import { mapConfigSchema } from '../../../agent/src/map/map-config.ts';
import { corpusFolder } from '../../../tests/support/corpus.ts';
import { testElasticsearch, uniqueNamespace } from '../../../tests/support/elasticsearch.ts';
import { bundleText } from '../bundle.ts';
import { at } from '../check/json.ts';
import { filledStream } from './filled-stream.ts';
import { panelRequests } from './panel-requests.ts';
import { panelRows } from './panel-rows.ts';

/** Panels that any day of any PC fills. */
const ALWAYS =
  /Overview \/ (Process starts|Most started|Newest executables|On which PCs)|trees \/ (Common pairs|Rare pairs)|Hunting \/ (Rare executables|Programs with the longest)/;

function realDocuments(file: string, namespace: string): ProcessStart[] {
  const config = mapConfigSchema.parse({
    select: 'all',
    exclude: { system_accounts: false, helper_processes: false },
  });
  const agent = {
    id: '6f1c1f5e-7d9d-4f3e-9d39-000000000001',
    name: 'corpus',
    version: '0.1.0',
    ephemeralId: '6f1c1f5e-7d9d-4f3e-9d39-000000000002',
  };
  const mapper = createMapper({ config, agent, namespace });
  const documents = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((xml) => {
      const mapped = mapper.map({ xml, readAtMs: 0 });
      return mapped.outcome === 'done' ? [processStartSchema.parse(mapped.document)] : [];
    });
  // The same event stands in more than one of the recordings.
  return [...new Map(documents.map((one) => [one.event.id, one])).values()];
}

test('panels show recorded events of real PCs', async (t) => {
  const file = join(corpusFolder(), '4688.xml.ndlines');
  if (!existsSync(file)) return t.skip(`No events at ${file}: set LAUNCHBEAT_CORPUS`);
  const { url } = await testElasticsearch();
  const namespace = uniqueNamespace();
  const documents = realDocuments(file, namespace);
  const stream = await filledStream({ url, namespace }, documents);
  const times = documents.map((document) => Date.parse(document['@timestamp']));
  const asked = {
    from: new Date(Math.min(...times) - 1000),
    to: new Date(Math.max(...times) + 1000),
    analytics: stream.analytics,
  };
  const empty: string[] = [];
  const ofStarts = panelRequests(bundleText('en'), asked).filter((one) => one.stream === 'starts');
  for (const { name, body, kind, columns } of ofStarts) {
    const response = await stream.search(body);
    assert.equal(at(response, '_shards', 'failed'), 0, name);
    if (kind === 'chart' && ALWAYS.test(name) && panelRows(columns, response).length === 0)
      empty.push(name);
  }
  assert.deepEqual(empty, []);
});
