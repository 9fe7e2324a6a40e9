/**
 * Goal: the client signs in and trusts as the config says, and a wrong trust is told as what it is.
 * Method: an HTTPS server with certificates of our own making, which answers as Elasticsearch does.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { initCertificates } from '../certificates/init-certificates.ts';
import { elasticsearchConfigSchema } from './elasticsearch-config.ts';
import { openClient } from './open-client.ts';
import { explainFailure } from './request-outcome.ts';

async function serve(t: TestContext) {
  const folder = temporaryFolder(t);
  await initCertificates({ folder, hosts: ['127.0.0.1'] });
  const seen: (string | undefined)[] = [];
  const server = createServer(
    {
      cert: readFileSync(join(folder, 'server.crt')),
      key: readFileSync(join(folder, 'server.key')),
    },
    (request, response) => {
      seen.push(request.headers.authorization);
      response.setHeader('x-elastic-product', 'Elasticsearch');
      response.setHeader('content-type', 'application/json');
      response.end('{"ok":true}');
    },
  ).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  async function ask(config: Record<string, unknown>): Promise<string> {
    const client = openClient(elasticsearchConfigSchema.parse({ hosts: [host], ...config }));
    try {
      await client.transport.request({ method: 'GET', path: '/' });
      return 'done';
    } catch (error) {
      return explainFailure(error).kind;
    } finally {
      await client.close();
    }
  }
  return { ask, seen, ca: join(folder, 'ca.crt') };
}

test('openClient() trusts the CA of the config and no other', async (t) => {
  const { ask, ca } = await serve(t);
  assert.equal(await ask({ ssl: { certificate_authorities: [ca] } }), 'done');
  assert.equal(await ask({}), 'needs_person');
  assert.equal(await ask({ ssl: { verification_mode: 'none' } }), 'done');
});

test('openClient() signs in with a key in both forms, or with a password', async (t) => {
  const { ask, seen, ca } = await serve(t);
  const ssl = { certificate_authorities: [ca] };
  const encoded = Buffer.from('id:secret').toString('base64');
  await ask({ ssl, api_key: 'id:secret' });
  await ask({ ssl, api_key: encoded });
  await ask({ ssl, username: 'u', password: 'p:w' });
  await ask({ ssl });
  assert.deepEqual(seen, [
    `ApiKey ${encoded}`,
    `ApiKey ${encoded}`,
    `Basic ${Buffer.from('u:p:w').toString('base64')}`,
    undefined,
  ]);
});

test('openClient() names a CA file that cannot be read', () => {
  const config = elasticsearchConfigSchema.parse({
    ssl: { certificate_authorities: ['/no/ca.crt'] },
  });
  assert.throws(
    () => openClient(config),
    /\/no\/ca\.crt of elasticsearch\.ssl\.certificate_authorities/,
  );
});

test('elasticsearchConfigSchema refuses a key and a password at once, and takes an unset variable as absent', () => {
  const parse = (config: unknown): boolean => elasticsearchConfigSchema.safeParse(config).success;
  assert.equal(parse({ api_key: 'a:b', username: 'u', password: 'p' }), false);
  assert.equal(parse({ password: 'p' }), false);
  assert.equal(parse({ api_key: '', username: null }), true);
  assert.equal(parse({ hosts: 'ftp://x' }), false);
  assert.deepEqual(elasticsearchConfigSchema.parse({ hosts: 'http://a:1,http://b:2' }).hosts, [
    'http://a:1',
    'http://b:2',
  ]);
});
