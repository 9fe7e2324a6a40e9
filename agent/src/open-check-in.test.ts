/** Goal: a collector hears of a computer's new name before events come under it. Method: a real HTTP server, real files. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import type { CheckIn } from '@launchbeat/ecs-schemas';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { temporaryFolder } from '../../tests/support/temporary-folder.ts';
import { agentConfigSchema } from './config.ts';
import { openCheckIn } from './open-check-in.ts';
import { createAgentKey } from './upload/agent-key.ts';

async function open(t: TestContext, status: number) {
  const data = temporaryFolder(t);
  const came: CheckIn[] = [];
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      came.push(body as CheckIn);
      response.writeHead(status);
      const good = { server_time: 'now', clock_skew_ms: 0, state: 'healthy', reasons: [] };
      response.end(JSON.stringify(good));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = agentConfigSchema.parse({ output: { collector: { url, api_key: 'a:b' } } });
  const start = () => {
    const checkIn = openCheckIn({
      ...{ config, output: config.output.collector, key: createAgentKey('a:b'), log: SILENT_LOG },
      configuredKey: () => 'a:b',
      paths: { home: data, config: data, data, logs: data },
      spoolFolder: join(data, 'spool'),
      agent: { id: crypto.randomUUID(), ephemeralId: crypto.randomUUID(), version: '0.0.0' },
      counters: () => ({}),
    });
    t.after(() => checkIn.close());
    return checkIn;
  };
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const file = join(data, 'host.json');
  return { came, start, file, stored: () => JSON.parse(readFileSync(file, 'utf8')).name };
}

const never = new AbortController().signal;

test('announce() checks in first where the name is another one, and says nothing where it is not', async (t) => {
  const { came, start, file, stored } = await open(t, 200);
  await start().announce(never);
  assert.equal(came.length, 0, 'a first start has no name before');
  writeFileSync(file, JSON.stringify({ name: 'OLD-NAME' }));
  await start().announce(never);
  assert.deepEqual(
    came.map((one) => one.host.name),
    [hostname()],
  );
  assert.equal(stored(), hostname());
  await start().announce(never);
  assert.equal(came.length, 1);
});

test('announce() lets events go on where the collector does not answer, and says it again at the next start', async (t) => {
  const { came, start, file, stored } = await open(t, 503);
  writeFileSync(file, JSON.stringify({ name: 'OLD-NAME' }));
  await start().announce(never);
  assert.equal(stored(), 'OLD-NAME');
  await start().announce(never);
  assert.equal(came.length, 2);
});
