/**
 * Goal: whatever a stranger or a broken agent sends, the answer is the documented one, memory stays bounded, and the next good
 * chunk is taken. Method: real HTTP against the app on real PostgreSQL; after each attack a good chunk goes through.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createGzip, createZstdCompress, gzipSync, zstdCompressSync } from 'node:zlib';
import { CHUNKS_PATH, type Encoding } from '@launchbeat/ecs-schemas';
import {
  type CollectorApp,
  chunkHeaders,
  startCollectorApp,
} from '../../tests/support/collector-app.ts';
import { ndjsonLines, processStart } from '../../tests/support/documents.ts';

const MIB = 1024 ** 2;
const atEnd: (() => Promise<void>)[] = [];
let app: CollectorApp;

before(async () => {
  app = await startCollectorApp(
    { after: (end) => void atEnd.push(end as () => Promise<void>) },
    { admit: { body_timeout: 1000 } },
  );
});
after(async () => {
  for (const end of atEnd.reverse()) await end();
});

const good = (): Buffer => ndjsonLines([processStart(), processStart()]);

/** An attack, then a good chunk. */
function attack(name: string, run: () => Promise<void>): void {
  test(`${name}; the next good chunk is taken`, async () => {
    await run();
    const next = await app.send(good());
    assert.equal(next.status, 200, JSON.stringify(next.body));
    assert.deepEqual(next.body, { accepted: 2, duplicates: 0, rejected: [] });
  });
}

/** Sends and expects a problem. */
async function refused(status: number, problem: string, ...args: Parameters<CollectorApp['send']>) {
  const answer = await app.send(...args);
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  assert.equal(answer.body.type, `urn:launchbeat:problem:${problem}`);
  assert.equal(answer.body.status, status);
  return answer;
}

attack('a wrong secret is answered 401', async () => {
  const answer = await refused(401, 'unauthorized', good(), {
    key: { id: app.key.id, secret: 'x'.repeat(43) },
  });
  assert.equal(answer.headers.get('www-authenticate'), 'ApiKey');
});

attack('an unknown key is answered 401', async () => {
  await refused(401, 'unauthorized', good(), { key: { id: 'nobody', secret: app.key.secret } });
});

attack('a request without a key is answered 401', async () => {
  await refused(401, 'unauthorized', good(), { headers: { Authorization: null } });
});

attack('a revoked key is answered 401', async () => {
  const key = await app.keys.create({ name: 'lost laptop' });
  assert.equal((await app.send(good(), { key })).status, 200);
  await app.keys.revoke(key.id);
  await refused(401, 'unauthorized', good(), { key });
});

attack("another agent's events are answered 403, and none of the chunk is stored", async () => {
  await app.send(good());
  const other = processStart({ agent: { id: '00000000-0000-4000-8000-000000000001' } });
  const own = processStart();
  await refused(403, 'other-agent', ndjsonLines([own, other]));
  await refused(403, 'other-agent', ndjsonLines([other]));
  const rows =
    await app.sql`select from events where event_id in ${app.sql([own.event.id, other.event.id])}`;
  assert.equal(rows.length, 0);
});

attack('a damaged body is answered 400', async () => {
  const raw = good();
  const bytes = zstdCompressSync(raw);
  const headers = chunkHeaders(app.key, raw, bytes);
  bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 1;
  await refused(400, 'bad-digest', bytes, { compressed: true, headers });
});

for (const encoding of ['zstd', 'gzip'] as const) {
  const compress = encoding === 'zstd' ? zstdCompressSync : gzipSync;

  attack(`a ${encoding} body that ends early is answered 400`, async () => {
    const whole = compress(good());
    const half = whole.subarray(0, whole.length - 20);
    await refused(400, 'bad-body', half, { compressed: true, encoding, lines: 2 });
  });

  attack(`a ${encoding} bomb of 200 MB is answered 413 with bounded memory`, async () => {
    const bomb = await bombOf(encoding, 200 * 1000 ** 2);
    assert.ok(bomb.length < MIB, `bomb has ${bomb.length} bytes`);
    const options = { compressed: true, encoding, lines: 1 };
    await refused(413, 'too-large', bomb, options);
    const peak = await peakRssWhile(async () => {
      const answers = await Promise.all(Array.from({ length: 8 }, () => app.send(bomb, options)));
      // Too many at once are told to come again.
      for (const { status } of answers) assert.ok([413, 429, 503].includes(status), String(status));
    });
    // All together are under one bound, a fourth of in_flight_bytes_max; the rest is what the runtime has not given back yet.
    assert.ok(peak < 512 * MIB, `grew by ${peak / MIB} MiB`);
  });
}

attack('garbage in place of zstd is answered 400', async () => {
  await refused(400, 'bad-body', Buffer.from('no zstd at all'), { compressed: true, lines: 1 });
});

attack('a second zstd frame does not slip through', async () => {
  const two = Buffer.concat([zstdCompressSync(good()), zstdCompressSync(good())]);
  const answer = await app.send(two, { compressed: true, lines: 2 });
  assert.equal(answer.status, 400);
});

attack('a zstd frame that asks for a window of 128 MiB is answered 400', async () => {
  // RFC 8878, 3.1.1.1: magic, descriptor without single segment, window exponent 17 (2^27), then an empty last block.
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x01, 0x00, 0x00]);
  await refused(400, 'bad-body', frame, { compressed: true, lines: 1 });
});

attack('more than 8 MiB compressed is answered 413 without reading it', async () => {
  const answer = await refused(413, 'too-large', Buffer.alloc(9 * MIB), {
    compressed: true,
    lines: 1,
  });
  assert.equal(answer.headers.get('connection'), 'close');
});

attack('more than 10,000 lines are answered 413', async () => {
  await refused(413, 'too-large', Buffer.alloc(10_001, '\n'));
});

attack('a wrong number of lines is answered 400', async () => {
  await refused(400, 'bad-lines', good(), { lines: 3 });
  await refused(400, 'bad-lines', good().subarray(0, -1), { lines: 1 });
});

attack('a line of 300 KiB is rejected by number, the others are stored', async () => {
  const long = processStart({ process: { command_line: 'x'.repeat(300 * 1024) } });
  const answer = await app.send(ndjsonLines([processStart(), long, processStart()]));
  assert.equal(answer.status, 200);
  assert.equal(answer.body.accepted, 2);
  assert.deepEqual(answer.body.rejected, [{ line: 2, reason: 'Line has more than 262144 bytes' }]);
});

attack('JSON 10,000 levels deep is rejected by number', async () => {
  const deep = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`;
  const arrays = '['.repeat(100_000);
  const answer = await app.send(ndjsonLines([deep, processStart(), arrays]));
  assert.equal(answer.body.accepted, 1);
  const reason = 'JSON nests deeper than 32 levels';
  assert.deepEqual(answer.body.rejected, [
    { line: 1, reason },
    { line: 3, reason },
  ]);
});

attack(
  'lines of which none is valid are answered 422 with the reason of each, never their content',
  async () => {
    const secret = 'hunter2';
    const lines = [`{"password":"${secret}"`, secret, '', `{"${secret}":1}`];
    const answer = await refused(422, 'nothing-valid', ndjsonLines(lines));
    assert.deepEqual(
      answer.body.rejected.map((one: { line: number }) => one.line),
      [1, 2, 3, 4],
    );
    assert.ok(!JSON.stringify(answer.body).includes(secret));
  },
);

attack('what is not UTF-8 is rejected by number', async () => {
  const broken = ndjsonLines([processStart({ host: { name: 'pc-@' } })]);
  broken[broken.indexOf('pc-@') + 3] = 0xff;
  const answer = await app.send(Buffer.concat([broken, ndjsonLines([processStart()])]));
  assert.equal(answer.body.accepted, 1);
  assert.deepEqual(answer.body.rejected, [{ line: 1, reason: 'Line is not UTF-8' }]);
});

attack('__proto__ in a line changes nobody else', async () => {
  const line = JSON.stringify(processStart()).replace('{', '{"__proto__":{"polluted":true},');
  await app.send(ndjsonLines([line]));
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});

attack('a body that comes too slowly is answered 408', async () => {
  const raw = good();
  const answer = await rawRequest(raw, async (write, bytes) => {
    write(bytes.subarray(0, 10));
    await pause(1500);
  });
  assert.match(answer, /^HTTP\/1\.1 408 /);
  assert.match(answer, /urn:launchbeat:problem:timeout/);
});

attack('a connection that is cut in mid-body leaves nothing', async () => {
  await rawRequest(good(), async (write, bytes, cut) => {
    write(bytes.subarray(0, 10));
    await pause(50);
    cut();
  });
});

attack('a body shorter than announced is answered 400', async () => {
  const answer = await rawRequest(good(), async (write, bytes, _cut, end) => {
    write(bytes.subarray(0, 10));
    end();
  });
  assert.match(answer, /^(HTTP\/1\.1 400 |$)/);
});

attack('what is no HTTP is answered 400', async () => {
  const answer = await overSocket((socket) => socket.write('\x16\x03\x01 hello\r\n\r\n'));
  assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*problem\+json/);
});

test('wrong keys of one address are slowed down with 429, and a key that was right lately still passes', async (t) => {
  const own = await startCollectorApp(t, { admit: { failed_keys_per_minute: 3 } });
  assert.equal((await own.send(good())).status, 200);
  const wrong = { key: { id: 'nobody', secret: 'x' } };
  for (let tries = 0; tries < 3; tries += 1)
    assert.equal((await own.send(good(), wrong)).status, 401);
  const answer = await own.send(good(), wrong);
  assert.equal(answer.status, 429);
  assert.equal(answer.headers.get('retry-after'), '60');
  assert.equal((await own.send(good())).status, 200);
});

test('too much at once is answered 503 with Retry-After, and taken afterwards', async (t) => {
  const own = await startCollectorApp(t, { admit: { in_flight_bytes_max: 2 * MIB } });
  const big = ndjsonLines([
    processStart({ message: 'x'.repeat(200_000) }),
    ...Array(3).fill('x'.repeat(200_000)),
  ]);
  const answer = await own.send(big);
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get('retry-after'), '2');
  assert.equal((await own.send(good())).status, 200);
  assert.match(await metricsOf(own), /in_flight_bytes 0\n/);
});

test('an agent that sends more than its rate is answered 429, and another one is not', async (t) => {
  const own = await startCollectorApp(t, { admit: { rate: { per_agent: 10, total: 0 } } });
  assert.equal((await own.send(good())).status, 200);
  const again = await own.send(good());
  assert.deepEqual([again.status, again.headers.get('retry-after') !== null], [429, true]);
  const agent = { ...processStart({}).agent, id: '00000000-0000-4000-8000-000000000002' };
  const key = await own.keys.create({});
  assert.equal((await own.send(ndjsonLines([processStart({ agent })]), { key })).status, 200);
});

test('an agent with too many chunks at once is answered 429, and takes no turn from another one', async (t) => {
  const limits = { chunks_at_once: 1, chunks_per_agent_max: 2 };
  const own = await startCollectorApp(t, { admit: limits });
  assert.equal((await own.send(good())).status, 200);
  const many = ndjsonLines(Array.from({ length: 300 }, () => processStart()));
  const answers = await Promise.all(Array.from({ length: 12 }, () => own.send(many)));
  const statuses = new Set(answers.map((one) => one.status));
  assert.deepEqual([...statuses].sort(), [200, 429]);
  assert.equal((await own.send(good())).status, 200);
  assert.match(await metricsOf(own), /waiting_requests 0\n/);
});

async function metricsOf(own: CollectorApp): Promise<string> {
  return await (await fetch(`${own.server.url}/metrics`)).text();
}

async function bombOf(encoding: Encoding, bytes: number): Promise<Buffer> {
  const stream = encoding === 'zstd' ? createZstdCompress() : createGzip();
  const parts: Buffer[] = [];
  stream.on('data', (part: Buffer) => parts.push(part));
  const zeros = Buffer.alloc(MIB);
  for (let left = bytes; left > 0; left -= zeros.length) {
    if (!stream.write(zeros)) await new Promise((resolve) => stream.once('drain', resolve));
  }
  await new Promise<void>((resolve) => {
    stream.once('end', resolve);
    stream.end();
  });
  return Buffer.concat(parts);
}

/** By how many bytes the process grew at most. */
async function peakRssWhile(work: () => Promise<void>): Promise<number> {
  const start = process.memoryUsage.rss();
  let peak = start;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 5);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return Math.max(peak, process.memoryUsage.rss()) - start;
}

type Play = (
  write: (bytes: Uint8Array) => void,
  bytes: Buffer,
  cut: () => void,
  end: () => void,
) => Promise<void>;

/** A chunk over a bare socket, so that its body can come as it likes. */
async function rawRequest(raw: Buffer, play: Play): Promise<string> {
  const bytes = zstdCompressSync(raw);
  const head = Object.entries(chunkHeaders(app.key, raw, bytes)).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return await overSocket(async (socket) => {
    socket.write(
      `POST ${CHUNKS_PATH} HTTP/1.1\r\nHost: localhost\r\n${head.join('\r\n')}\r\nContent-Length: ${bytes.length}\r\n\r\n`,
    );
    await play(
      (part) => void socket.write(part),
      bytes,
      () => void socket.destroy(),
      () => void socket.end(),
    );
  });
}

async function overSocket(play: (socket: ReturnType<typeof connect>) => unknown): Promise<string> {
  const socket = connect({ port: app.server.port, host: '127.0.0.1', allowHalfOpen: true });
  const parts: Buffer[] = [];
  socket.on('data', (part) => parts.push(part));
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
    socket.on('end', () => {
      socket.end();
      resolve();
    });
  });
  await play(socket);
  await closed;
  socket.destroy();
  return Buffer.concat(parts).toString();
}
