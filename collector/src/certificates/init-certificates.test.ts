/**
 * Goal: what initCertificates() writes is taken by real TLS clients and refused where it must be.
 * Method: an HTTPS server with the files, clients that trust the CA alone.
 */
import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { type InitCertificatesResult, initCertificates } from './init-certificates.ts';

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'launchbeat-certificates-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function fileOf(result: InitCertificatesResult, name: string): string {
  const file = result.files.find((path) => path.endsWith(`/${name}`));
  assert.ok(file, name);
  return file;
}

/** Serves with the files and asks once under `servername`; gives the issuer's fingerprint that the handshake carried. */
async function handshake(result: InitCertificatesResult, servername: string): Promise<string> {
  const server = createServer(
    {
      cert: readFileSync(fileOf(result, 'server.crt')),
      key: readFileSync(fileOf(result, 'server.key')),
    },
    (_request, response) => response.end('ok'),
  ).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await new Promise<string>((resolve, reject) => {
      get(
        {
          host: '127.0.0.1',
          port,
          ...(servername === '127.0.0.1' ? {} : { servername }),
          ca: readFileSync(fileOf(result, 'ca.crt')),
          agent: false,
        },
        (response) => {
          const peer = (response.socket as TLSSocket).getPeerCertificate(true);
          response.resume().on('end', () => resolve(issuerFingerprint(peer)));
        },
      ).on('error', reject);
    });
  } finally {
    server.close();
  }
}

const issuerFingerprint = (peer: DetailedPeerCertificate): string =>
  createHash('sha256').update(peer.issuerCertificate.raw).digest('hex');

test('initCertificates() makes a server certificate that clients of its CA take, by name and by address', async (t) => {
  const result = await initCertificates({
    folder: folderOf(t),
    hosts: ['collector.example.org', 'localhost', '127.0.0.1', '::1'],
  });
  assert.equal(await handshake(result, 'collector.example.org'), result.fingerprint);
  assert.equal(await handshake(result, '127.0.0.1'), result.fingerprint);
  await assert.rejects(handshake(result, 'other.example.org'), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
});

test('initCertificates() gives the CA the power to sign servers and nothing else', async (t) => {
  const result = await initCertificates({
    folder: folderOf(t),
    hosts: ['localhost'],
  });
  const { fingerprint } = result;
  const ca = new X509Certificate(readFileSync(fileOf(result, 'ca.crt')));
  const server = new X509Certificate(readFileSync(fileOf(result, 'server.crt')));
  assert.equal(ca.ca, true);
  assert.equal(ca.fingerprint256.replaceAll(':', '').toLowerCase(), fingerprint);
  assert.ok(ca.verify(ca.publicKey));
  assert.equal(server.ca, false);
  assert.ok(server.verify(ca.publicKey));
  assert.ok(server.checkIssued(ca));
  assert.deepEqual(server.keyUsage, ['1.3.6.1.5.5.7.3.1']);
  const days = (server.validToDate.getTime() - server.validFromDate.getTime()) / 86_400_000;
  assert.ok(days <= 398, `${days} days`);
  // pathLenConstraint:0 in the CA's basic constraints: SEQUENCE { TRUE, INTEGER 0 }.
  assert.ok(ca.raw.includes(Buffer.from('30060101ff020100', 'hex')));
});

test('initCertificates() writes keys that only their owner can read, and leaves nothing else behind', async (t) => {
  const folder = folderOf(t);
  const result = await initCertificates({ folder, hosts: ['localhost'] });
  assert.deepEqual(readdirSync(folder).sort(), ['ca.crt', 'ca.key', 'server.crt', 'server.key']);
  for (const key of [fileOf(result, 'ca.key'), fileOf(result, 'server.key')])
    assert.equal(statSync(key).mode & 0o777, 0o600);
});

test('initCertificates() overwrites nothing unless told, and keeps the CA when told', async (t) => {
  const folder = folderOf(t);
  const first = await initCertificates({ folder, hosts: ['localhost'] });
  const before = readFileSync(fileOf(first, 'server.crt'));
  await assert.rejects(initCertificates({ folder, hosts: ['localhost'] }), /would be overwritten/);
  assert.deepEqual(readFileSync(fileOf(first, 'server.crt')), before);

  const second = await initCertificates({ folder, hosts: ['renewed.example.org'], force: true });
  assert.equal(second.fingerprint, first.fingerprint);
  assert.deepEqual([first.caCreated, second.caCreated], [true, false]);
  assert.notDeepEqual(readFileSync(fileOf(second, 'server.crt')), before);
  assert.equal(await handshake(second, 'renewed.example.org'), first.fingerprint);
});

test('initCertificates() refuses a CA that is half there or does not fit its key', async (t) => {
  const folder = folderOf(t);
  const result = await initCertificates({ folder, hosts: ['localhost'] });
  const other = await initCertificates({ folder: folderOf(t), hosts: ['localhost'] });
  writeFileSync(fileOf(result, 'ca.key'), readFileSync(fileOf(other, 'ca.key')));
  await assert.rejects(initCertificates({ folder, hosts: ['localhost'], force: true }), /no CA/);
  rmSync(fileOf(result, 'ca.key'));
  await assert.rejects(
    initCertificates({ folder, hosts: ['localhost'], force: true }),
    /Only .*ca\.crt is there/,
  );
});

for (const hosts of [[], ['https://host'], ['host:8443'], ['a b'], ['-x.org'], ['']]) {
  test(`initCertificates() refuses the hosts ${JSON.stringify(hosts)} and writes nothing`, async (t) => {
    const folder = folderOf(t);
    await assert.rejects(initCertificates({ folder, hosts }), /host|DNS name/i);
    assert.deepEqual(readdirSync(folder), []);
  });
}
