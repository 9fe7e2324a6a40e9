/**
 * TLS against real servers with a private CA: whom the agent trusts, and what it says where it does not. Also probe().
 */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { initCertificates } from '../../../collector/src/certificates/init-certificates.ts';
import { SINK_KEY, type SinkOptions, startChunkSink } from '../../../tests/support/chunk-sink.ts';
import { TEST_AGENT_ID } from '../../../tests/support/documents.ts';
import { freePort } from '../../../tests/support/free-port.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { createUploader } from './create-uploader.ts';
import { outputConfigSchema } from './output-config.ts';
import type { ProbeResult } from './probe-collector.ts';

interface Authority {
  readonly ca: string;
  readonly caPem: string;
  readonly fingerprint: string;
  readonly tls: { readonly key: string; readonly cert: string };
}

async function authority(t: TestContext, hosts: readonly string[]): Promise<Authority> {
  const folder = temporaryFolder(t);
  const { fingerprint } = await initCertificates({ folder, hosts });
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  return {
    ca: join(folder, 'ca.crt'),
    caPem: read('ca.crt'),
    fingerprint,
    tls: { key: read('server.key'), cert: read('server.crt') },
  };
}

interface Asked {
  readonly url?: string;
  readonly apiKey?: string;
  readonly ssl?: object;
  readonly sink?: SinkOptions;
}

/** Starts a collector's stand-in and gives what probe() says of it. */
async function probe(t: TestContext, asked: Asked): Promise<ProbeResult> {
  const sink = await startChunkSink(asked.sink ?? {});
  t.after(() => sink.stop());
  const config = outputConfigSchema.parse({
    url: asked.url ?? sink.url,
    api_key: asked.apiKey ?? SINK_KEY,
    timeout: '3s',
    ssl: asked.ssl ?? {},
  });
  const folder = temporaryFolder(t);
  const uploader = createUploader({
    ...{
      spoolFolder: folder,
      stateFolder: folder,
      config,
      agentId: TEST_AGENT_ID,
      log: SILENT_LOG,
    },
  });
  t.after(() => uploader.close());
  return uploader.probe();
}

const said = (result: ProbeResult): string => result.steps.at(-1)?.detail ?? '';

test('a CA file or the fingerprint of the CA is trusted, with or without colons', async (t) => {
  const { ca, fingerprint, tls } = await authority(t, ['127.0.0.1']);
  const colons = fingerprint.toUpperCase().replace(/(..)(?=.)/g, '$1:');
  for (const ssl of [
    { certificate_authorities: [ca] },
    { ca_trusted_fingerprint: fingerprint },
    { ca_trusted_fingerprint: colons },
    { verification_mode: 'none' },
  ]) {
    const result = await probe(t, { sink: { tls }, ssl });
    assert.deepEqual(
      [result.ok, said(result)],
      [true, 'OK (key key-1, not bound yet, the first events bind it)'],
    );
  }
});

test('an authority that nobody named is not trusted, and the words name the settings', async (t) => {
  const { tls } = await authority(t, ['127.0.0.1']);
  const result = await probe(t, { sink: { tls } });
  assert.equal(result.ok, false);
  assert.match(
    said(result),
    /not trusted here: set .*certificate_authorities or ca_trusted_fingerprint/,
  );
});

test('another fingerprint is refused, and the words show what the server sent', async (t) => {
  const { tls, fingerprint } = await authority(t, ['127.0.0.1']);
  const result = await probe(t, {
    sink: { tls },
    ssl: { ca_trusted_fingerprint: 'ab'.repeat(32) },
  });
  assert.equal(result.ok, false);
  assert.match(said(result), /No certificate of the collector has the fingerprint/);
  assert.ok(said(result).includes(fingerprint));
});

test("the fingerprint of the server's own certificate is refused: it is no CA", async (t) => {
  const { tls } = await authority(t, ['127.0.0.1']);
  const ca_trusted_fingerprint = new X509Certificate(tls.cert).fingerprint256;
  const result = await probe(t, { sink: { tls }, ssl: { ca_trusted_fingerprint } });
  assert.match(said(result), /not one of a CA/);
});

test('a fingerprint does not replace the host name', async (t) => {
  const { tls, fingerprint } = await authority(t, ['collector.example']);
  const result = await probe(t, { sink: { tls }, ssl: { ca_trusted_fingerprint: fingerprint } });
  assert.match(said(result), /for another host name/);
});

test('a foreign certificate with the right CA beside it is refused', async (t) => {
  const ours = await authority(t, ['127.0.0.1']);
  const foreign = await authority(t, ['127.0.0.1']);
  const leaf = new X509Certificate(foreign.tls.cert).toString();
  for (const cert of [`${leaf}${ours.caPem}`, `${foreign.tls.cert}${ours.caPem}`]) {
    const tls = { key: foreign.tls.key, cert };
    for (const ssl of [
      { ca_trusted_fingerprint: ours.fingerprint },
      { certificate_authorities: [ours.ca] },
    ]) {
      const result = await probe(t, { sink: { tls }, ssl });
      assert.equal(result.ok, false, said(result));
    }
  }
});

test('a CA that was replaced is not trusted by the old fingerprint', async (t) => {
  const [before, after] = [await authority(t, ['127.0.0.1']), await authority(t, ['127.0.0.1'])];
  const result = await probe(t, {
    sink: { tls: after.tls },
    ssl: { ca_trusted_fingerprint: before.fingerprint },
  });
  assert.equal(result.ok, false);
});

test('probe() explains a wrong port, name, protocol, server and key', async (t) => {
  const { tls, ca } = await authority(t, ['127.0.0.1']);
  const port = await freePort();
  const secure = await startChunkSink({ tls });
  t.after(() => secure.stop());
  const plain = await startChunkSink();
  t.after(() => plain.stop());
  const cases: readonly (readonly [Asked, RegExp])[] = [
    [{ url: `http://127.0.0.1:${port}` }, /Nothing listens on that port/],
    [{ url: 'http://no-such-host.invalid' }, /not known to DNS/],
    [{ url: secure.url.replace('https', 'http') }, /broken off|does not speak HTTP/],
    [
      { url: plain.url.replace('http', 'https'), ssl: { certificate_authorities: [ca] } },
      /TLS cannot be agreed/,
    ],
    [{ url: `${plain.url}/elsewhere` }, /no healthy collector|none of a collector/],
    [{ apiKey: 'key-1:wrong' }, /does not know this key/],
    [{ sink: { whoami: { key_id: 'k', agent_id: 'other' } } }, /belongs to agent other/],
    [{ sink: { whoami: { something: 'else' } } }, /none of a collector/],
  ];
  for (const [asked, words] of cases) {
    const result = await probe(t, asked);
    assert.equal(result.ok, false);
    assert.match(said(result), words);
    assert.ok(!JSON.stringify(result).includes('secret-1'));
  }
  const bound = await probe(t, { sink: { whoami: { key_id: 'k', agent_id: TEST_AGENT_ID } } });
  assert.ok(bound.ok);
});

test('a missing or wrong CA file is named at the start', () => {
  const open = (file: string) =>
    createUploader({
      ...{ spoolFolder: '.', stateFolder: '.', agentId: TEST_AGENT_ID, log: SILENT_LOG },
      config: outputConfigSchema.parse({
        ...{ url: 'https://127.0.0.1', api_key: SINK_KEY },
        ssl: { certificate_authorities: [file] },
      }),
    });
  assert.throws(() => open('/no/such/ca.crt'), /Cannot read \/no\/such\/ca\.crt .*ENOENT/);
  assert.throws(() => open('package.json'), /holds no PEM certificate/);
});

test('the config refuses keys, fingerprints and sizes that cannot be right', () => {
  const wrong = outputConfigSchema.safeParse({
    url: 'ftp://x',
    api_key: 'only-one-part',
    chunk_bytes: '1GiB',
    ssl: { ca_trusted_fingerprint: 'abc' },
  });
  assert.deepEqual(wrong.error?.issues.map((issue) => issue.path.join('.')).sort(), [
    'api_key',
    'chunk_bytes',
    'ssl.ca_trusted_fingerprint',
    'url',
  ]);
});
