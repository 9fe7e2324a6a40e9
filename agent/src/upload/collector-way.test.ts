/**
 * The way to the collector with everything that may stand on it: several collectors, proxies, client certificates, a limit of
 * bandwidth, clocks that are apart. Real servers and real TLS.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Log, SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { initCertificates } from '../../../collector/src/certificates/init-certificates.ts';
import {
  type ChunkSink,
  SINK_KEY,
  type SinkOptions,
  startChunkSink,
} from '../../../tests/support/chunk-sink.ts';
import { ndjsonLines, processStart, TEST_AGENT_ID } from '../../../tests/support/documents.ts';
import { freePort } from '../../../tests/support/free-port.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { createBandwidth } from './bandwidth.ts';
import { createSkewWatch } from './clock-skew.ts';
import { createUploader, type Uploader } from './create-uploader.ts';
import { outputConfigSchema } from './output-config.ts';
import { spreadMs } from './retry-delay.ts';

interface Way {
  readonly uploader: Uploader;
  readonly spool: string;
  readonly said: string[];
  readonly waits: number[];
  /** Appends lines and ships until nothing is left. */
  ship(lines: number): Promise<void>;
}

function way(t: TestContext, output: object, nowMs: () => number = Date.now): Way {
  const spool = temporaryFolder(t);
  const said: string[] = [];
  const waits: number[] = [];
  const note: Log['warn'] = (_fields, message) => void said.push(message);
  const uploader = createUploader({
    ...{ spoolFolder: spool, stateFolder: spool, agentId: TEST_AGENT_ID },
    config: outputConfigSchema.parse({ api_key: SINK_KEY, timeout: '2s', ...output }),
    log: { ...SILENT_LOG, warn: note, error: note },
    clock: { nowMs, random: () => 1, wait: async (ms) => void waits.push(ms) },
  });
  t.after(() => uploader.close());
  let number = 0;
  const ship = async (lines: number): Promise<void> => {
    number += 1;
    const documents = Array.from({ length: lines }, () => processStart());
    writeFileSync(join(spool, `launchbeat.20261123.${number}.ndjson`), ndjsonLines(documents));
    const end = new AbortController();
    t.after(() => end.abort());
    const running = uploader.run(end.signal);
    await uploader.drained(AbortSignal.timeout(60_000));
    end.abort();
    await running;
  };
  return { uploader, spool, said, waits, ship };
}

async function sinkOf(t: TestContext, options: SinkOptions = {}): Promise<ChunkSink> {
  const sink = await startChunkSink(options);
  t.after(() => sink.stop());
  return sink;
}

/** A name that only the proxy can look up. */
const BEHIND_PROXY = 'collector.invalid';

interface Proxy {
  readonly url: string;
  readonly asked: { readonly authority: string; readonly credentials: string | undefined }[];
  /** Everything that passed. */
  readonly passed: Buffer[];
}

/** A proxy that takes CONNECT and nothing else, and keeps what passes. */
async function startProxy(
  t: TestContext,
  options: { tls?: { key: string; cert: string }; refuse?: number } = {},
): Promise<Proxy> {
  const asked: Proxy['asked'] = [];
  const passed: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server: Server = options.tls === undefined ? createServer() : createTlsServer(options.tls);
  server.on('connect', (request: IncomingMessage, client: Socket) => {
    asked.push({
      authority: request.url ?? '',
      credentials: request.headers['proxy-authorization'],
    });
    if (options.refuse !== undefined) {
      client.end(`HTTP/1.1 ${options.refuse} No\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const host = hostname === BEHIND_PROXY ? '127.0.0.1' : hostname;
    const target = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.on('data', (bytes) => passed.push(bytes));
      client.pipe(target).pipe(client);
    });
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const protocol = options.tls === undefined ? 'http' : 'https';
  return { url: `${protocol}://127.0.0.1:${port}`, asked, passed };
}

async function certificates(t: TestContext) {
  const folder = temporaryFolder(t);
  const { fingerprint } = await initCertificates({ folder, hosts: ['127.0.0.1', BEHIND_PROXY] });
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const tls = { key: read('server.key'), cert: read('server.crt') };
  return { folder, ca: join(folder, 'ca.crt'), fingerprint, tls };
}

test('a collector that is gone is left for the next one, which is kept; keys and bytes stay', async (t) => {
  const [first, second] = [await sinkOf(t), await sinkOf(t)];
  const one = way(t, { url: [first.url, second.url] });
  await one.ship(3);
  assert.equal(first.lines().length, 3);
  await first.stop();
  await one.ship(3);
  await one.ship(3);
  assert.equal(second.lines().length, 6);
  assert.equal(one.said.filter((words) => words.includes('Another collector is used')).length, 1);
  assert.equal(one.uploader.counts().retries, 0);
});

test('a chunk whose answer was lost goes to the next collector as the same bytes under the same key', async (t) => {
  const first = await sinkOf(t, { react: () => ({ kind: 'commit_silently' }) });
  const second = await sinkOf(t);
  await way(t, { url: `${first.url}, ${second.url}` }).ship(3);
  const [a, b] = [first.requests[0], second.requests[0]];
  assert.deepEqual([a?.key, a?.digest], [b?.key, b?.digest]);
});

test('5xx goes on to the next collector, 429 and 401 do not; with all of them out it waits', async (t) => {
  const down = await sinkOf(t, { react: () => ({ kind: 'problem', name: 'unavailable' }) });
  const good = await sinkOf(t);
  await way(t, { url: [down.url, good.url] }).ship(2);
  assert.equal(good.lines().length, 2);

  for (const name of ['too-many-requests', 'unauthorized'] as const) {
    const busy = await sinkOf(t, {
      react: (_chunk, request) => (request === 1 ? { kind: 'problem', name } : { kind: 'commit' }),
    });
    const other = await sinkOf(t);
    await way(t, { url: [busy.url, other.url] }).ship(2);
    assert.deepEqual([busy.lines().length, other.requests.length], [2, 0]);
  }

  const flaky = (): SinkOptions => ({
    react: (_chunk, request) =>
      request === 1
        ? { kind: 'problem', name: 'unavailable', retryAfter: '8' }
        : { kind: 'commit' },
  });
  const [a, b] = [await sinkOf(t, flaky()), await sinkOf(t, flaky())];
  const both = way(t, { url: [a.url, b.url] });
  await both.ship(2);
  assert.deepEqual(both.waits, [12_000]);
  assert.equal(both.uploader.counts().retries, 1);
});

test('probe() asks every collector, and tells all from some', async (t) => {
  const good = await sinkOf(t);
  const gone = `http://127.0.0.1:${await freePort()}`;
  const result = await way(t, { url: [gone, good.url] }).uploader.probe();
  assert.deepEqual([result.ok, result.usable], [false, true]);
  assert.match(result.steps.find((step) => !step.ok)?.name ?? '', new RegExp(gone));
  assert.equal(result.steps.at(-1)?.name, `${good.url}: key, GET /v1/whoami`);
});

test('proxy_url: events go through CONNECT, http and https, with a CA file or a fingerprint; the proxy sees no event', async (t) => {
  const { ca, fingerprint, tls } = await certificates(t);
  for (const [sink, ssl] of [
    [await sinkOf(t), {}],
    [await sinkOf(t, { tls }), { certificate_authorities: [ca] }],
    [await sinkOf(t, { tls }), { ca_trusted_fingerprint: fingerprint }],
  ] as const) {
    const url = sink.url.replace('127.0.0.1', BEHIND_PROXY);
    const proxy = await startProxy(t);
    const proxy_url = proxy.url.replace('//', '//us%40er:pass%3Aword@');
    const one = way(t, { url, ssl, proxy_url });
    await one.ship(2);
    assert.equal(one.uploader.counts().accepted, 2);
    assert.equal((await one.uploader.probe()).ok, true);
    const credentials = `Basic ${Buffer.from('us@er:pass:word').toString('base64')}`;
    assert.deepEqual(proxy.asked[0], { authority: new URL(url).host, credentials });
    const wire = Buffer.concat(proxy.passed).toString('latin1');
    if (url.startsWith('https')) assert.ok(!/v1\/chunks|ApiKey/.test(wire));
    assert.ok(!one.said.join().includes('pass'));
  }
});

test('proxy_url: an https proxy is verified, and one that refuses or is gone is explained without its password', async (t) => {
  const { ca, tls } = await certificates(t);
  const sink = await sinkOf(t);
  const secure = await startProxy(t, { tls });
  const through = (proxy_url: string, ssl = {}) =>
    way(t, { url: sink.url, proxy_url, ssl }).uploader.probe();
  assert.equal((await through(secure.url, { certificate_authorities: [ca] })).ok, true);
  const cases: readonly (readonly [string, RegExp])[] = [
    [secure.url, /cannot be reached \((SELF_SIGNED|UNABLE_TO)/],
    [(await startProxy(t, { refuse: 407 })).url, /wants a user and a password \(407\)/],
    [
      (await startProxy(t, { refuse: 403 })).url,
      /does not let anybody to 127\.0\.0\.1:\d+ \(403\)/,
    ],
    [`http://127.0.0.1:${await freePort()}`, /cannot be reached \(ECONNREFUSED\)/],
    [sink.url, /answers \d+ to CONNECT|cannot be reached/],
  ];
  for (const [url, words] of cases) {
    const result = await through(url.replace('//', '//user:pass-word@'));
    const detail = result.steps.at(-1)?.detail ?? '';
    assert.equal(result.ok, false);
    assert.match(detail, words);
    assert.match(detail, /proxy_url/);
    assert.ok(!detail.includes('pass-word'));
  }
});

test('ssl.certificate: a collector that asks for a client certificate gets it, and its want is explained', async (t) => {
  const { folder, ca, tls } = await certificates(t);
  const [certificate, key] = [join(folder, 'client.crt'), join(folder, 'client.key')];
  const request = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=PC -out ${certificate} -keyout ${key}`;
  execFileSync('openssl', request.split(' '), { stdio: 'ignore' });
  const server = createTlsServer(
    { ...tls, ca: readFileSync(certificate), requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      response.setHeader('Content-Type', 'application/json');
      response.end(request.url === '/healthz' ? '{}' : '{"key_id":"k","agent_id":null}');
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ssl = { certificate_authorities: [ca] };
  const without = await way(t, { url, ssl }).uploader.probe();
  assert.match(without.steps.at(-1)?.detail ?? '', /want a client certificate/);
  const withIt = await way(t, { url, ssl: { ...ssl, certificate, key } }).uploader.probe();
  assert.equal(withIt.ok, true, JSON.stringify(withIt.steps));

  const locked = join(folder, 'locked.key');
  execFileSync('openssl', ['pkcs8', '-topk8', '-in', key, '-out', locked, '-passout', 'pass:word']);
  const pair = { ...ssl, certificate, key: locked };
  assert.throws(() => way(t, { url, ssl: pair }), /cannot be used .*key_passphrase right\?/);
  assert.throws(
    () => way(t, { url, ssl: { ...pair, key: ca } }),
    /ca\.crt .*ssl\.key holds no PEM/,
  );
  const opened = way(t, { url, ssl: { ...pair, key_passphrase: 'word' } });
  assert.equal((await opened.uploader.probe()).ok, true);
  assert.throws(() => way(t, { url, ssl: { certificate } }), /certificate and key together/);
});

test('bandwidth_limit: what is sent stays below the limit on average, after a burst of one second', () => {
  const take = createBandwidth(1000);
  let nowMs = 5000;
  let sent = 0;
  for (let chunk = 0; chunk < 50; chunk += 1) {
    nowMs += take(700, nowMs);
    sent += 700;
    if (chunk > 0) assert.ok(sent - 700 <= 1000 + nowMs - 5000, `${sent} bytes at ${nowMs}`);
  }
  assert.ok(nowMs - 5000 >= 49 * 700 - 1000);
  assert.equal(createBandwidth(0)(1e9, 0), 0);
});

test('bandwidth_limit: the uploader waits before a chunk, and asks nothing of requests without a body', async (t) => {
  const sink = await sinkOf(t);
  const one = way(t, { url: sink.url, bandwidth_limit: '1KiB', chunk_bytes: '64KiB' }, () => 1000);
  await one.ship(200);
  const bytes = sink.requests.slice(0, -1).reduce((sum, chunk) => sum + chunk.body.length, 0);
  assert.ok(sink.requests.length > 2);
  assert.equal(one.waits.at(-1), Math.ceil((bytes / 1024) * 1000 - 1000));
  assert.equal(sink.lines().length, 200);
});

test('a clock that is over a minute off is said once an hour, with direction; it stands in the metrics', async (t) => {
  const sink = await sinkOf(t);
  const ahead = way(t, { url: sink.url }, () => Date.now() + 90_000);
  await ahead.ship(2);
  await ahead.ship(2);
  assert.equal(ahead.said.length, 1);
  assert.match(ahead.said[0] ?? '', /clock is (89|9\d) s ahead of the collector's/);
  assert.ok((ahead.uploader.metrics()['upload.clock_skew_ms'] ?? 0) > 80_000);
  const right = way(t, { url: (await sinkOf(t)).url });
  await right.ship(2);
  assert.deepEqual(right.said, []);
});

test('createSkewWatch() warns again after an hour', () => {
  const said: string[] = [];
  const watch = createSkewWatch({ ...SILENT_LOG, warn: (_fields, words) => void said.push(words) });
  const hourMs = 3_600_000;
  for (const atMs of [0, 1, hourMs - 1, hourMs, hourMs + 5]) watch.note(atMs + 61_000, atMs);
  assert.equal(said.length, 2);
  assert.match(said[0] ?? '', /61 s behind/);
});

test('spreadMs() comes never sooner than asked, and spreads a thousand agents over half the time', () => {
  const backoff = { init: 1000, max: 60_000 };
  const waits = Array.from({ length: 1000 }, (_, agent) =>
    spreadMs(30_000, backoff, () => agent / 1000),
  );
  assert.equal(Math.min(...waits), 30_000);
  assert.equal(Math.max(...waits.map((ms) => Math.floor(ms / 1000))), 44);
  const perSecond = new Map<number, number>();
  for (const ms of waits) {
    perSecond.set(Math.floor(ms / 1000), (perSecond.get(Math.floor(ms / 1000)) ?? 0) + 1);
  }
  assert.ok(Math.max(...perSecond.values()) < 100);
});
