/**
 * Goal: whoever has only the PC finds out what is wrong with the agent, and what to do. Method: the real command on healthy and
 * on broken installations, against real servers.
 */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { stringify } from 'yaml';
import { initCertificates } from '../../../collector/src/certificates/init-certificates.ts';
import { SINK_KEY, type SinkOptions, startChunkSink } from '../../../tests/support/chunk-sink.ts';
import { ndjsonLines, processStart } from '../../../tests/support/documents.ts';
import { freePort } from '../../../tests/support/free-port.ts';
import { runProgram } from '../../../tests/support/processes.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { lockFolder } from '../lock-folder.ts';
import { judgeChain } from '../upload/certificate-days.ts';

interface Told {
  readonly code: number | null;
  readonly text: string;
  /** State and detail of a row. */
  row(check: string): string;
  /** What stands under a row. */
  mend(check: string): string;
}

/** Runs doctor with a config; `collector` and `rest` are merged into it. The config lies in a folder of its own. */
async function doctor(
  t: TestContext,
  data: string,
  collector: object,
  rest: object = {},
): Promise<Told> {
  const file = join(temporaryFolder(t), 'launchbeat.yml');
  const config = {
    capture: { source: 'replay', files: ['-'] },
    spool: { max_bytes: '64MiB', disk_free_min: '1KiB' },
    output: { collector: { api_key: SINK_KEY, timeout: '3s', ...collector } },
    path: { data, logs: data },
    ...rest,
  };
  writeFileSync(file, stringify(config));
  const { code, stdout, stderr } = await runProgram(process.execPath, [
    'agent/src/main.ts',
    'doctor',
    '-c',
    file,
  ]);
  const lines = (stdout + stderr).split('\n');
  const at = (check: string): number => lines.findIndex((line) => line.startsWith(check));
  return {
    code,
    text: stdout + stderr,
    row: (check) => lines[at(check)]?.slice(30).replace(/\s+/g, ' ') ?? '',
    mend: (check) => lines[at(check) + 1]?.trim() ?? '',
  };
}

async function secureSink(t: TestContext, options: SinkOptions = {}) {
  const folder = temporaryFolder(t);
  await initCertificates({ folder, hosts: ['127.0.0.1'] });
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const tls = { key: read('server.key'), cert: read('server.crt') };
  const sink = await startChunkSink({ ...options, tls });
  t.after(() => sink.stop());
  return { sink, ssl: { certificate_authorities: [join(folder, 'ca.crt')] }, cert: tls.cert };
}

test('doctor finds a healthy agent well, and leaves nothing behind', async (t) => {
  const data = temporaryFolder(t);
  const { sink, ssl } = await secureSink(t);
  const unlock = await lockFolder(data);
  t.after(unlock);
  const told = await doctor(t, data, { url: sink.url, ssl });
  assert.equal(told.code, 0, told.text);
  const checks = [
    'config',
    'data folder',
    'disk space',
    'agent',
    'spool',
    'quarantine',
    'position',
  ];
  for (const check of [
    ...checks,
    'bridge',
    'certificate',
    'dns lookup',
    'connect',
    'clock',
    'key',
  ]) {
    assert.match(told.row(check), /^OK /, `${check}\n${told.text}`);
  }
  assert.match(told.row('certificate'), /\d+ days left/);
  assert.match(told.row('agent'), /runs/);
  assert.deepEqual(readdirSync(data), []);
  assert.equal(sink.requests.length, 0);
});

test('doctor names a config that is wrong, with its place', async (t) => {
  const told = await doctor(t, temporaryFolder(t), { url: 'nowhere' });
  assert.equal(told.code, 1);
  assert.match(told.row('config'), /^FAIL .*output\.collector\.url: Expected a URL/);
});

test('doctor names what is wrong on disk', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const sink = await startChunkSink();
  t.after(() => sink.stop());
  const noFolder = await doctor(t, join(folder, 'none'), { url: sink.url });
  assert.equal(noFolder.code, 0, noFolder.text);
  assert.match(noFolder.row('data folder'), /^WARN .* is not there/);
  // Of the disk on which it will be made.
  assert.ok(noFolder.row('disk space').endsWith(` ${folder}`), noFolder.text);
  assert.match(noFolder.row('agent'), /^WARN does not run/);

  const spool = join(folder, 'spool');
  mkdirSync(join(spool, 'quarantine'), { recursive: true });
  const documents = Array.from({ length: 3000 }, () => processStart());
  writeFileSync(join(spool, 'launchbeat.20261123.1.ndjson'), ndjsonLines(documents));
  const full = await doctor(
    t,
    folder,
    { url: sink.url },
    {
      spool: { segment_bytes: '1MiB', max_bytes: '4MiB', disk_free_min: '1000000GiB' },
      capture: { source: 'security-log' },
    },
  );
  assert.equal(full.code, 1);
  assert.match(full.row('disk space'), /^FAIL \d+ MiB free/);
  assert.match(full.mend('disk space'), /Make room/);
  assert.match(full.row('spool'), /^FAIL 1 segments, (\d+) of \1 bytes without a receipt/);
  assert.match(full.mend('spool'), /It is full/);
  assert.match(full.row('quarantine'), /^WARN/);
  assert.match(full.row('position'), /^WARN there is none yet/);
  if (process.platform !== 'win32') {
    assert.match(full.row('bridge'), /^FAIL not there: .*powershell\.exe/);
    assert.match(full.mend('bridge'), /on Windows only/);
  }
});

test('doctor names a data folder that cannot be written', async (t) => {
  const file = join(temporaryFolder(t), 'file');
  writeFileSync(file, '');
  const told = await doctor(t, file, { url: 'http://127.0.0.1:9' });
  assert.equal(told.code, 1);
  assert.match(told.row('data folder'), /^FAIL .*cannot be written \(ENOTDIR\)/);
});

test('doctor names what is wrong on the way: port, trust, key, client files', async (t) => {
  const data = temporaryFolder(t);
  const { sink, ssl } = await secureSink(t);
  const gone = await doctor(t, data, { url: `https://127.0.0.1:${await freePort()}` });
  assert.equal(gone.code, 1);
  assert.match(gone.row('certificate'), /^FAIL .*ECONNREFUSED/);
  assert.match(gone.row('connect'), /^FAIL Nothing listens on that port/);
  assert.match(gone.mend('connect'), /firewall/);
  const untrusted = await doctor(t, data, { url: sink.url });
  assert.match(untrusted.row('certificate'), /^OK/);
  assert.match(untrusted.row('connect'), /^FAIL .*not trusted here: set .*certificate_authorities/);
  const wrongKey = await doctor(t, data, { url: sink.url, ssl, api_key: 'key-1:no' });
  assert.equal(wrongKey.code, 1);
  assert.match(wrongKey.row('key'), /^FAIL the collector does not know this key/);
  assert.match(wrongKey.mend('key'), /agents add .*keystore add/);
  const beside = await doctor(
    t,
    data,
    { url: sink.url, ssl: { certificate_authorities: ['ca.crt'] } },
    { path: { data, logs: data, config: dirname(ssl.certificate_authorities[0] ?? '') } },
  );
  assert.match(beside.row('connect'), /^OK/, 'a relative file is looked up in path.config');
  const noFile = await doctor(t, data, {
    url: sink.url,
    ssl: { certificate_authorities: ['/no/ca'] },
  });
  assert.match(noFile.row('collector'), /^FAIL Cannot read \/no\/ca/);
});

test('judgeChain() warns two weeks before a certificate ends, and fails after it', async (t) => {
  const { cert } = await secureSink(t);
  const chain = [new X509Certificate(cert)];
  const endMs = new X509Certificate(cert).validToDate.getTime();
  const day = 86_400_000;
  assert.equal(judgeChain(chain, endMs - 20 * day).state, 'ok');
  assert.equal(judgeChain(chain, endMs - 13 * day).state, 'warn');
  const after = judgeChain(chain, endMs + 2 * day);
  assert.deepEqual([after.state, /expired 2 days ago/.test(after.detail)], ['fail', true]);
  assert.equal(judgeChain(chain, Date.UTC(2020, 0)).state, 'fail');
});
