/**
 * Goal: who may speak TLS with the collector, in which version, and what happens when files change under it. Method: real servers,
 * real handshakes, certificates of two private CAs; a client that is refused is first shown to be able to do what it tries.
 */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ConnectionOptions, connect, createServer, type SecureVersion } from 'node:tls';
import { type Log, SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { eventually } from '../../tests/support/eventually.ts';
import { temporaryFolder } from '../../tests/support/temporary-folder.ts';
import { initCertificates, makeClientCertificate } from './certificates/init-certificates.ts';
import { httpConfigSchema } from './http-config.ts';
import { startHttpServer } from './http-server.ts';

const HOSTS = ['localhost', '127.0.0.1'];

async function certificates(t: TestContext): Promise<string> {
  const folder = temporaryFolder(t);
  await initCertificates({ folder, hosts: HOSTS });
  return folder;
}

async function open(t: TestContext, folder: string, tls: object = {}) {
  const lines: string[] = [];
  const keep = (_: object, message: string): void => void lines.push(message);
  const log: Log = { ...SILENT_LOG, info: keep, error: keep };
  const server = await startHttpServer({
    app: { fetch: () => new Response('hello') },
    config: httpConfigSchema.parse({
      ...{ host: '127.0.0.1', port: 0 },
      tls: { certificate: 'server.crt', key: 'server.key', ...tls },
    }),
    configFolder: folder,
    bodyTimeoutMs: 1000,
    certificateLookMs: 20,
    log,
  });
  t.after(() => server.stop());
  const ca = readFileSync(join(folder, 'ca.crt'));
  /** The answer's text; rejects where there is none. */
  const ask = (more: object = {}): Promise<string> =>
    new Promise((resolve, reject) => {
      const asked = request(server.url, { ca, agent: false, ...more }, (response) => {
        response.setEncoding('utf8').on('data', resolve).on('error', reject);
      });
      asked.on('error', reject).end();
    });
  return { server, ca, ask, lines };
}

/** The version that both speak; rejects where the handshake fails. */
function handshake(port: number, options: ConnectionOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    socket.on('secureConnect', () => {
      resolve(socket.getProtocol() ?? '');
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

const only = (version: SecureVersion): ConnectionOptions => ({
  ...{ minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' },
});

test('TLS 1.2 and 1.3 are spoken; 1.1 and 1.0 are not, by a client that speaks them elsewhere', async (t) => {
  const folder = await certificates(t);
  const { server } = await open(t, folder);
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    assert.equal(await handshake(server.port, only(version)), version);
  }
  const old = createServer({
    cert: readFileSync(join(folder, 'server.crt')),
    key: readFileSync(join(folder, 'server.key')),
    ...{ minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' },
  }).on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve));
  t.after(() => old.close());
  const oldPort = (old.address() as { port: number }).port;
  for (const version of ['TLSv1.1', 'TLSv1'] as const) {
    assert.equal(await handshake(oldPort, only(version)), version, 'the client can');
    await assert.rejects(handshake(server.port, only(version)), /protocol version|ECONNRESET/i);
  }
});

/** A client certificate of the CA of a folder. */
async function client(folder: string, name = 'pc-042') {
  const [cert, key] = (await makeClientCertificate(folder, name)).files;
  return { cert: readFileSync(cert), key: readFileSync(key) };
}

for (const [mode, bare, foreign] of [
  ['none', true, true],
  ['optional', true, false],
  ['required', false, false],
] as const) {
  test(`client_authentication ${mode}: our certificate passes, none ${bare ? 'passes' : 'does not'}, a foreign one ${foreign ? 'passes' : 'does not'}`, async (t) => {
    const [folder, elsewhere] = [await certificates(t), await certificates(t)];
    const tls =
      mode === 'none' ? {} : { client_authentication: mode, certificate_authorities: ['ca.crt'] };
    const { ask } = await open(t, folder, tls);
    assert.equal(await ask(await client(folder)), 'hello');
    for (const [certificate, passes] of [
      [{}, bare],
      [await client(elsewhere), foreign],
      // The server's own certificate is by the right CA, and is none for a client.
      [
        {
          cert: readFileSync(join(folder, 'server.crt')),
          key: readFileSync(join(folder, 'server.key')),
        },
        foreign,
      ],
    ] as const) {
      if (passes) assert.equal(await ask(certificate), 'hello');
      else await assert.rejects(ask(certificate));
    }
  });
}

test('a renewed certificate is taken up while requests go on; clients are asked for theirs as before', async (t) => {
  const folder = await certificates(t);
  const tls = { client_authentication: 'required', certificate_authorities: ['ca.crt'] };
  const { server, ask, lines } = await open(t, folder, tls);
  const own = await client(folder);
  const serial = async (): Promise<string> =>
    await new Promise((resolve, reject) => {
      const socket = connect({
        ...{ port: server.port, host: '127.0.0.1', rejectUnauthorized: false, ...own },
      });
      socket.on('error', reject).on('secureConnect', () => {
        resolve(new X509Certificate(socket.getPeerCertificate().raw).serialNumber);
        socket.destroy();
      });
    });
  const before = await serial();
  await initCertificates({ folder, hosts: HOSTS, force: true });
  await eventually(async () => assert.notEqual(await serial(), before));
  assert.equal(await ask(own), 'hello');
  await assert.rejects(ask());
  assert.match(lines.join('\n'), /Took up the renewed certificate, good until/);
});

test('a renewed certificate that is broken leaves the old one in force, and is told with the mend', async (t) => {
  const folder = await certificates(t);
  const { ask, lines, server } = await open(t, folder);
  const other = await certificates(t);
  writeFileSync(join(folder, 'server.key'), readFileSync(join(other, 'server.key')));
  await eventually(() => assert.match(lines.join('\n'), /old one stays in force. Mend the files/));
  assert.equal(await ask(), 'hello');
  writeFileSync(join(folder, 'server.crt'), 'no PEM');
  server.lookAtCertificate();
  assert.equal(await ask(), 'hello');
  await initCertificates({ folder, hosts: HOSTS, force: true });
  await eventually(() => assert.match(lines.join('\n'), /Took up the renewed/));
  assert.equal(await ask(), 'hello');
});

test('a start with files that do not belong together is refused with the key to change', async (t) => {
  const [folder, other] = [await certificates(t), await certificates(t)];
  const files = { certificate: 'server.crt', key: join(other, 'server.key') };
  await assert.rejects(open(t, folder, files), /do they belong together\? See http\.tls/);
  const gone = { client_authentication: 'required', certificate_authorities: ['gone.crt'] };
  await assert.rejects(open(t, folder, gone), /gone\.crt \(ENOENT\).*certificate_authorities/);
});

test('http.tls wants what belongs together', () => {
  const problems = (tls: object): string =>
    httpConfigSchema
      .safeParse({ tls })
      .error?.issues.map((issue) => issue.path.join('.'))
      .join() ?? '';
  const pair = { certificate: 'a', key: 'b' };
  assert.equal(problems({ client_authentication: 'required' }), 'tls.certificate');
  assert.equal(
    problems({ ...pair, client_authentication: 'optional' }),
    'tls.certificate_authorities',
  );
  assert.equal(problems({ ...pair, client_authentication: 'maybe' }), 'tls.client_authentication');
  const whole = { ...pair, client_authentication: 'required', certificate_authorities: ['ca.crt'] };
  assert.equal(problems(whole), '');
});

test('makeClientCertificate() overwrites nothing and wants a CA and a name', async (t) => {
  const folder = await certificates(t);
  await client(folder);
  await assert.rejects(makeClientCertificate(folder, 'pc-042'), /would be overwritten/);
  await assert.rejects(makeClientCertificate(folder, '../pc'), /is no name/);
  await assert.rejects(makeClientCertificate(temporaryFolder(t), 'pc'), /has no CA/);
});
