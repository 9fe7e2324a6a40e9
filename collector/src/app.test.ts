/**
 * Goal: every path answers as /openapi.json says, also where there is none; the server keeps its promises about TLS and stopping.
 * Method: real HTTP and HTTPS against the app on real PostgreSQL.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { apiKeyAuthorization, CHUNKS_PATH } from '@launchbeat/ecs-schemas';
import { type Log, SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { startCollectorApp } from '../../tests/support/collector-app.ts';
import { ndjsonLines, processStart, TEST_AGENT_ID } from '../../tests/support/documents.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { temporaryFolder } from '../../tests/support/temporary-folder.ts';
import { admitConfigSchema } from './admit/admit-config.ts';
import { initCertificates } from './certificates/init-certificates.ts';
import { httpConfigSchema } from './http-config.ts';
import { ROUTES } from './http-routes.ts';
import { startHttpServer } from './http-server.ts';
import { openApiDocument } from './openapi.ts';

test('GET /v1/whoami tells a key whose it is', async (t) => {
  const app = await startCollectorApp(t);
  const ask = async (authorization: string) =>
    await fetch(`${app.server.url}/v1/whoami`, { headers: { Authorization: authorization } });
  const right = apiKeyAuthorization(app.key.id, app.key.secret);
  const name = 'PC of the test';
  assert.deepEqual(await (await ask(right)).json(), { key_id: app.key.id, agent_id: null, name });
  await app.send(ndjsonLines([processStart()]));
  assert.deepEqual(await (await ask(right)).json(), {
    key_id: app.key.id,
    agent_id: TEST_AGENT_ID,
    name,
  });
  for (const wrong of [
    apiKeyAuthorization(app.key.id, 'x'),
    'Bearer x',
    'ApiKey ==',
    'ApiKey Og==',
  ]) {
    const answer = await ask(wrong);
    assert.equal(answer.status, 401);
    assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  }
});

test('unknown paths are answered 404, known ones with a wrong method 405, both as problems', async (t) => {
  const app = await startCollectorApp(t);
  const missing = await fetch(`${app.server.url}/v1/chunk`, { method: 'POST', body: 'x' });
  assert.equal(missing.status, 404);
  assert.equal(missing.headers.get('content-type'), 'application/problem+json');
  for (const { path, method } of ROUTES) {
    const wrong = await fetch(app.server.url + path, { method: 'DELETE' });
    assert.equal(wrong.status, 405, path);
    assert.equal(wrong.headers.get('allow'), method === 'get' ? 'GET, HEAD' : 'POST');
    assert.equal(
      ((await wrong.json()) as { type: string }).type,
      'urn:launchbeat:problem:method-not-allowed',
    );
  }
  assert.equal((await fetch(app.server.url + CHUNKS_PATH)).status, 405);
  assert.equal((await fetch(`${app.server.url}/healthz`, { method: 'HEAD' })).status, 200);
});

test('a bug is answered 500 without its text, which the log has', async (t) => {
  const lines: string[] = [];
  const log: Log = { ...SILENT_LOG, error: (fields) => void lines.push(String(fields['err'])) };
  const app = await startCollectorApp(t, { log });
  await app.sql`alter table events rename column username to broken`;
  const answer = await app.send(ndjsonLines([processStart()]));
  assert.equal(answer.status, 500);
  assert.deepEqual(Object.keys(answer.body), ['type', 'status', 'title', 'detail']);
  assert.ok(!JSON.stringify(answer.body).includes('username'));
  assert.match(lines.join(), /username/);
});

test('GET /readyz is 200 with tables up to date, 503 with a migration missing or PostgreSQL away', async (t) => {
  const app = await startCollectorApp(t);
  const ready = async () => await fetch(`${app.server.url}/readyz`);
  assert.equal((await ready()).status, 200);
  await app.sql`delete from schema_migrations`;
  await eventually(async () => {
    const answer = await ready();
    return answer.status === 503 && /lacks 0001_spine\.sql/.test(await answer.text());
  });
  await app.sql.end({ timeout: 1 });
  await eventually(async () => {
    const answer = await ready();
    return answer.status === 503 && /cannot be used/.test(await answer.text());
  });
  assert.equal((await fetch(`${app.server.url}/healthz`)).status, 200);
});

test('GET /metrics counts answers by status and problem, and what was stored', async (t) => {
  const app = await startCollectorApp(t);
  const document = processStart();
  await app.send(ndjsonLines([document, document, 'bad']));
  await app.send(Buffer.from('\n'), { lines: 7 });
  const text = await (await fetch(`${app.server.url}/metrics`)).text();
  for (const line of [
    'chunk_answers_total{status="200",problem="none"} 1',
    'chunk_answers_total{status="400",problem="bad-lines"} 1',
    'events_accepted_total 1',
    'events_duplicate_total 1',
    'lines_rejected_total 1',
    'index_queue_lines 3',
    'in_flight_requests 0',
  ]) {
    assert.ok(text.includes(`launchbeat_collector_${line}\n`), `${line} is not in\n${text}`);
  }
});

test('GET /openapi.json names every path, header, answer and problem', async (t) => {
  const app = await startCollectorApp(t);
  const document = await (await fetch(`${app.server.url}/openapi.json`)).json();
  assert.deepEqual(document, JSON.parse(JSON.stringify(openApiDocument('0.0.0'))));
  const { paths, openapi } = document as {
    openapi: string;
    paths: Record<string, Record<string, { responses: object; parameters?: object[] }>>;
  };
  assert.equal(openapi, '3.1.0');
  assert.deepEqual(
    Object.keys(paths),
    ROUTES.map((route) => route.path),
  );
  const chunk = paths[CHUNKS_PATH]?.['post'];
  assert.deepEqual(Object.keys(chunk?.responses ?? {}), [
    '200',
    '400',
    '401',
    '403',
    '408',
    '409',
    '413',
    '415',
    '422',
    '429',
    '500',
    '503',
  ]);
  assert.equal(chunk?.parameters?.length, 5);
});

test('httpConfigSchema wants a certificate outside loopback, or plain HTTP asked for', () => {
  const problems = (config: unknown): string =>
    httpConfigSchema
      .safeParse(config)
      .error?.issues.map((issue) => issue.path.join('.'))
      .join() ?? '';
  assert.equal(problems({}), '');
  assert.equal(problems({ host: '127.0.0.1' }), '');
  assert.equal(problems({ host: '0.0.0.0' }), 'tls.certificate');
  assert.equal(problems({ host: 'localhost.example.com' }), 'tls.certificate');
  assert.equal(problems({ host: '0.0.0.0', tls: { enabled: false } }), '');
  assert.equal(problems({ host: '::', tls: { certificate: 'a', key: 'b' } }), '');
  assert.equal(problems({ tls: { certificate: 'a' } }), 'tls.key');
});

test('admitConfigSchema wants room for one chunk of the largest size', () => {
  assert.ok(admitConfigSchema.safeParse({}).success);
  const small = admitConfigSchema.safeParse({ in_flight_bytes_max: '100MiB' });
  assert.match(small.error?.message ?? '', /at least 264MiB/);
});

test('over HTTPS the app answers, TLS 1.1 is not spoken, and a broken file is named', async (t) => {
  const folder = temporaryFolder(t);
  await initCertificates({ folder, hosts: ['localhost', '127.0.0.1'] });
  const tls = { enabled: true, certificate: 'server.crt', key: 'server.key' };
  const server = await startHttpServer({
    app: { fetch: () => new Response('hello') },
    config: httpConfigSchema.parse({ host: '127.0.0.1', port: 0, tls }),
    configFolder: folder,
    bodyTimeoutMs: 1000,
    log: SILENT_LOG,
  });
  t.after(() => server.stop());
  const ca = readFileSync(join(folder, 'ca.crt'));
  const text = await new Promise<string>((resolve, reject) => {
    request(server.url, { ca, agent: false }, (response) => {
      response.setEncoding('utf8').on('data', resolve);
    })
      .on('error', reject)
      .end();
  });
  assert.equal(text, 'hello');
  await assert.rejects(
    new Promise((resolve, reject) => {
      const old = {
        maxVersion: 'TLSv1.1',
        minVersion: 'TLSv1',
        ciphers: 'DEFAULT@SECLEVEL=0',
      } as const;
      connectTls({ port: server.port, host: '127.0.0.1', ca, ...old })
        .on('secureConnect', resolve)
        .on('error', reject);
    }),
  );
  await assert.rejects(
    startHttpServer({
      app: { fetch: () => new Response('') },
      config: httpConfigSchema.parse({
        port: 0,
        tls: { certificate: 'gone.crt', key: 'server.key' },
      }),
      configFolder: folder,
      bodyTimeoutMs: 1000,
      log: SILENT_LOG,
    }),
    /Cannot read .*gone\.crt \(ENOENT\)\. .*http\.tls\.certificate/,
  );
});

test('a port that is taken is named with its key', async (t) => {
  const app = await startCollectorApp(t);
  await assert.rejects(
    startHttpServer({
      app: { fetch: () => new Response('') },
      config: httpConfigSchema.parse({ host: '127.0.0.1', port: app.server.port }),
      configFolder: '/',
      bodyTimeoutMs: 1000,
      log: SILENT_LOG,
    }),
    /EADDRINUSE.*http\.port/,
  );
});

test('stop() finishes a running request, and cuts one that takes too long', async (t) => {
  for (const [stopTimeout, want] of [
    [5000, 'late'],
    [50, 'cut'],
  ] as const) {
    let finish: (() => void) | undefined;
    const server = await startHttpServer({
      app: {
        fetch: async () => {
          await new Promise<void>((resolve) => {
            finish = resolve;
          });
          return new Response('late');
        },
      },
      config: {
        ...httpConfigSchema.parse({ host: '127.0.0.1', port: 0 }),
        stop_timeout: stopTimeout,
      },
      configFolder: '/',
      bodyTimeoutMs: 1000,
      log: SILENT_LOG,
    });
    const asked = fetch(server.url).then(
      (response) => response.text(),
      () => 'cut',
    );
    await eventually(() => finish !== undefined);
    const stopped = server.stop();
    if (want === 'late') finish?.();
    await stopped;
    assert.equal(await asked, want);
    finish?.();
    await assert.rejects(fetch(server.url));
  }
  t.diagnostic('both ended');
});
