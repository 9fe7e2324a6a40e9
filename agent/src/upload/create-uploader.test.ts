/**
 * The uploader against real HTTP servers that give each answer of the table, on real files.
 */
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Log, SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import {
  type ChunkSink,
  type Reaction,
  SINK_KEY,
  type SinkOptions,
  startChunkSink,
} from '../../../tests/support/chunk-sink.ts';
import { ndjsonLines, processStart, TEST_AGENT_ID } from '../../../tests/support/documents.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { readCheckpoint, writeCheckpoint } from '../spool/checkpoint.ts';
import type { Clock } from './clock.ts';
import { createUploader, type Uploader } from './create-uploader.ts';
import { outputConfigSchema } from './output-config.ts';

const SEGMENT = 'launchbeat.20261123.1.ndjson';

interface Setting {
  readonly data: string;
  readonly spool: string;
  readonly sink: ChunkSink;
  readonly waits: number[];
  readonly said: string[];
  open(overrides?: object): Uploader;
  /** Runs an uploader until everything is shipped. */
  drain(overrides?: object): Promise<Uploader>;
}

/** A spool with lines, a sink, a clock that does not wait, a log that remembers. */
async function setting(
  t: TestContext,
  options: SinkOptions & { lines?: number } = {},
): Promise<Setting> {
  const data = temporaryFolder(t);
  const spool = join(data, 'spool');
  mkdirSync(spool);
  writeFileSync(join(spool, SEGMENT), lines(options.lines ?? 4));
  const sink = await startChunkSink(options);
  t.after(() => sink.stop());
  const waits: number[] = [];
  const said: string[] = [];
  const note =
    (level: string): Log['error'] =>
    (_fields, message) =>
      void said.push(`${level}: ${message}`);
  const log: Log = {
    debug: note('debug'),
    info: note('info'),
    warn: note('warn'),
    error: note('error'),
  };
  const clock: Clock = {
    nowMs: () => Date.UTC(2026, 10, 23),
    random: () => 1,
    wait: async (ms) => void waits.push(ms),
  };
  const open = (overrides: object = {}): Uploader => {
    const config = outputConfigSchema.parse({
      url: sink.url,
      api_key: SINK_KEY,
      timeout: '5s',
      ...overrides,
    });
    const uploader = createUploader({
      ...{ spoolFolder: spool, stateFolder: data, config, agentId: TEST_AGENT_ID, log, clock },
    });
    t.after(() => uploader.close());
    return uploader;
  };
  const drain = async (overrides?: object): Promise<Uploader> => {
    const uploader = open(overrides);
    const end = new AbortController();
    t.after(() => end.abort());
    const running = uploader.run(end.signal);
    await uploader.drained(AbortSignal.timeout(60_000));
    end.abort();
    await running;
    return uploader;
  };
  return { data, spool, sink, waits, said, open, drain };
}

const lines = (count: number): Buffer =>
  ndjsonLines(Array.from({ length: count }, () => processStart()));

const spooled = (one: Setting, name = SEGMENT): string[] =>
  readFileSync(join(one.spool, name), 'utf8').split('\n').slice(0, -1);

function quarantined(one: Setting): { reason: string; place: string; text?: string }[] {
  const folder = join(one.spool, 'quarantine');
  return readdirSync(folder).flatMap((name) =>
    readFileSync(join(folder, name), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  );
}

/** Reacts to the first requests as told, then commits. */
const first =
  (...reactions: readonly Reaction[]) =>
  (_chunk: unknown, request: number): Reaction =>
    reactions[request - 1] ?? { kind: 'commit' };

for (const encoding of ['zstd', 'gzip']) {
  test(`run() ships every line once and in order, with ${encoding}`, async (t) => {
    const one = await setting(t, { lines: 300 });
    const uploader = await one.drain({ encoding, chunk_bytes: '64KiB' });
    assert.deepEqual(one.sink.lines(), spooled(one));
    assert.deepEqual(one.sink.faults, []);
    assert.ok(one.sink.requests.length > 3);
    assert.equal(uploader.counts().accepted, 300);
    const size = readFileSync(join(one.spool, SEGMENT)).length;
    assert.deepEqual(readCheckpoint(one.data, SILENT_LOG), {
      segment: SEGMENT,
      number: 1,
      offset: size,
    });
  });
}

test('run() goes from segment to segment by number, and waits for a line that is being written', async (t) => {
  const one = await setting(t);
  writeFileSync(join(one.spool, 'launchbeat.20261123.10.ndjson'), lines(2));
  writeFileSync(join(one.spool, 'launchbeat.20261122.9.ndjson'), lines(2));
  const active = join(one.spool, 'launchbeat.20261123.10.ndjson');
  const late = ndjsonLines([processStart()]).toString();
  appendFileSync(active, late.slice(0, 50));
  const uploader = one.open();
  const end = new AbortController();
  t.after(() => end.abort());
  const running = uploader.run(end.signal);
  await uploader.drained(AbortSignal.timeout(60_000));
  assert.equal(one.sink.lines().length, 8);
  appendFileSync(active, late.slice(50));
  // Nobody calls wake(): the watch sees it.
  await eventually(() => assert.equal(one.sink.lines().length, 9));
  end.abort();
  await running;
  assert.deepEqual(
    one.sink.lines(),
    [SEGMENT, 'launchbeat.20261122.9.ndjson', 'launchbeat.20261123.10.ndjson'].flatMap((name) =>
      spooled(one, name),
    ),
  );
});

test('rejected lines go to quarantine with reason and place, the rest is done', async (t) => {
  const one = await setting(t, {
    react: () => ({ kind: 'commit', rejected: [{ line: 2, reason: 'no event.id' }] }),
  });
  const uploader = await one.drain();
  const [entry, ...more] = quarantined(one);
  assert.deepEqual(more, []);
  assert.equal(entry?.reason, 'no event.id');
  assert.equal(entry.text, spooled(one)[1]);
  const start = Buffer.byteLength(`${spooled(one)[0]}\n`);
  assert.equal(entry.place, `${SEGMENT}@${start}-${start + Buffer.byteLength(entry.text ?? '')}`);
  assert.equal(uploader.counts().accepted, 3);
  assert.equal(uploader.counts().rejected, 1);
});

for (const name of [
  'bad-request',
  'bad-digest',
  'bad-encoding',
  'nothing-valid',
  'conflict',
] as const) {
  test(`${name}: the chunk goes to quarantine, the next one is shipped`, async (t) => {
    const one = await setting(t, { lines: 200, react: first({ kind: 'problem', name }) });
    const uploader = await one.drain({ chunk_bytes: '64KiB' });
    const refused = one.sink.requests[0]?.lines ?? [];
    assert.equal(quarantined(one)[0]?.text, refused.map((line) => `${line}\n`).join(''));
    assert.deepEqual(one.sink.lines(), spooled(one).slice(refused.length));
    assert.equal(uploader.counts().quarantinedChunks, 1);
    const error = one.said.find((message) => message.startsWith('error'));
    assert.match(error ?? '', name === 'conflict' ? /cloned/ : /refused a chunk/);
  });
}

test('nothing-valid with a reason for each line: each goes to quarantine with its own', async (t) => {
  const rejected = [1, 2, 3, 4].map((line) => ({ line, reason: `reason ${line}` }));
  const one = await setting(t, {
    react: first({ kind: 'problem', name: 'nothing-valid', more: { rejected } }),
  });
  await one.drain();
  assert.deepEqual(
    quarantined(one).map((entry) => entry.reason),
    rejected.map((line) => line.reason),
  );
});

test('too-large: halves until it is taken; a single line that is too large goes to quarantine', async (t) => {
  const one = await setting(t, {
    lines: 9,
    react: (chunk) =>
      chunk.lines.length > 2 || chunk.lines[0] === bad
        ? { kind: 'problem', name: 'too-large' }
        : { kind: 'commit' },
  });
  const bad = spooled(one)[4];
  await one.drain();
  assert.deepEqual(
    one.sink.lines(),
    spooled(one).filter((line) => line !== bad),
  );
  assert.deepEqual(
    quarantined(one).map((entry) => entry.text),
    [`${bad}\n`],
  );
  assert.deepEqual(one.sink.faults, []);
});

test('413 of a proxy: a single line is kept and tried slowly', async (t) => {
  const html = { kind: 'raw', status: 413, body: '<html>too large</html>' } as const;
  const one = await setting(t, { lines: 1, react: first(html, html) });
  await one.drain();
  assert.deepEqual(one.sink.lines(), spooled(one));
  assert.deepEqual(one.waits, [60_000, 60_000]);
});

test('too-many-requests and unavailable: waits for the longer of back-off and Retry-After', async (t) => {
  const date = new Date(Date.UTC(2026, 10, 23) + 90_000).toUTCString();
  const one = await setting(t, {
    react: first(
      { kind: 'problem', name: 'too-many-requests', retryAfter: '7' },
      { kind: 'problem', name: 'unavailable', retryAfter: date },
      { kind: 'problem', name: 'unavailable' },
      { kind: 'raw', status: 502, body: '<html>Bad Gateway</html>' },
      { kind: 'problem', name: 'timeout', retryAfter: 'nonsense' },
    ),
  });
  const uploader = await one.drain();
  // Retry-After, and up to half of it more so that not all agents come back at once.
  assert.deepEqual(one.waits, [10_500, 135_000, 4000, 8000, 16_000]);
  assert.deepEqual(one.sink.lines(), spooled(one));
  assert.equal(uploader.counts().retries, 5);
  // Each reason is told, and told once: the first is often not the one that lasts.
  const warned = one.said.filter((message) => message.startsWith('warn: Collector takes no'));
  assert.equal(warned.length, 4);
  assert.equal(new Set(warned).size, 4);
});

test('no answer: the same bytes go out again under the same key', async (t) => {
  const one = await setting(t, { react: first({ kind: 'hang_up' }, { kind: 'commit_silently' }) });
  await one.drain();
  const [a, b, c] = one.sink.requests;
  assert.equal(one.sink.requests.length, 3);
  assert.deepEqual([b?.key, b?.digest, c?.key, c?.digest], [a?.key, a?.digest, a?.key, a?.digest]);
  assert.deepEqual(one.sink.lines(), spooled(one));
});

test('a server that never answers is given up after the time limit', async (t) => {
  const one = await setting(t, { react: first({ kind: 'silence' }) });
  await one.drain({ timeout: '300ms' });
  assert.equal(one.sink.requests.length, 2);
  assert.match(one.said.join(), /not answer in time|too long as a whole/);
});

const slowAnswers: readonly (readonly [string, Reaction, RegExp])[] = [
  ['401', { kind: 'problem', name: 'unauthorized' }, /api_key/],
  ['403', { kind: 'problem', name: 'other-agent' }, /key of its own/],
  ['403 for a computer', { kind: 'problem', name: 'other-host' }, /agents hosts.*--forwarder/],
  ['404', { kind: 'problem', name: 'not-found' }, /collector\.url/],
  [
    'a redirect',
    { kind: 'raw', status: 302, body: '', headers: { Location: 'http://127.0.0.1:9/' } },
    /not followed/,
  ],
  ['200 with HTML', { kind: 'raw', status: 200, body: '<html>Log in</html>' }, /no receipt/],
  ['200 with other JSON', { kind: 'raw', status: 200, body: '{"ok":true}' }, /no receipt/],
  [
    '200 for other lines',
    { kind: 'raw', status: 200, body: '{"accepted":1,"duplicates":0,"rejected":[]}' },
    /1 lines, 4 were sent/,
  ],
  ['204', { kind: 'raw', status: 204, body: '' }, /204/],
  ['400 of a proxy', { kind: 'raw', status: 400, body: '<html>Bad Request</html>' }, /400/],
  ['409 of a proxy', { kind: 'raw', status: 409, body: '{}' }, /409/],
  [
    'an endless body',
    { kind: 'raw', status: 200, body: 'x'.repeat(5 * 1024 * 1024) },
    /no receipt/,
  ],
];
for (const [name, reaction, words] of slowAnswers) {
  test(`${name}: nothing is lost, it is tried slowly, an error says so once an hour`, async (t) => {
    const one = await setting(t, { react: first(reaction, reaction, reaction) });
    await one.drain();
    assert.deepEqual(one.sink.lines(), spooled(one));
    assert.deepEqual(one.waits, [60_000, 60_000, 60_000]);
    const errors = one.said.filter((message) => message.startsWith('error'));
    assert.equal(errors.length, 1);
    assert.match(errors[0] ?? '', words);
    assert.ok(!one.said.join().includes('secret-1'));
  });
}

test('a chunk that was on its way at a crash goes out again as it was, though the file has grown', async (t) => {
  const one = await setting(t, { react: first({ kind: 'silence' }) });
  const uploader = one.open();
  const crash = new AbortController();
  t.after(() => crash.abort());
  const running = uploader.run(crash.signal);
  await eventually(() => assert.equal(one.sink.requests.length, 1));
  crash.abort();
  await running;
  appendFileSync(join(one.spool, SEGMENT), lines(3));
  await one.drain();
  const again = one.sink.requests.slice(1).find((chunk) => chunk.key.includes('@0-'));
  assert.equal(again?.key, one.sink.requests[0]?.key);
  assert.equal(again?.digest, one.sink.requests[0]?.digest);
  assert.deepEqual(one.sink.lines(), spooled(one));
});

test('a collector that asks for another compression gets it, and no line goes to quarantine', async (t) => {
  const asked: Reaction = {
    ...{ kind: 'raw', status: 415, body: '', headers: { 'Accept-Encoding': 'gzip, br;q=0' } },
  };
  const one = await setting(t, { lines: 300, react: first(asked) });
  const uploader = await one.drain({ chunk_bytes: '64KiB' });
  assert.deepEqual(one.sink.lines(), spooled(one));
  assert.deepEqual(one.sink.faults, []);
  const isGzip = one.sink.requests.map(({ body }) => body.readUInt16BE(0) === 0x1f8b);
  assert.deepEqual(isGzip, [false, ...isGzip.slice(1).fill(true)]);
  // The same lines under the same key would be a conflict, had the first answer been lost.
  assert.equal(new Set(one.sink.requests.map(({ key }) => key)).size, one.sink.requests.length);
  assert.deepEqual(one.waits, []);
  assert.equal(uploader.counts().quarantinedChunks, 0);
});

test('a collector that asks for what it got already has its refusal count', async (t) => {
  const bad: Reaction = { kind: 'problem', name: 'bad-encoding' };
  const asked: Reaction = {
    ...{ kind: 'raw', status: 415, body: '', headers: { 'Accept-Encoding': 'zstd, gzip' } },
  };
  const one = await setting(t, { lines: 2, react: first(asked, bad) });
  const uploader = await one.drain();
  // The first came from somebody else than a collector: kept. The second is a collector's word.
  assert.equal(uploader.counts().quarantinedChunks, 1);
  assert.equal(one.waits.length, 2);
});

test('a chunk that was on its way with another compressor goes out under another key', async (t) => {
  const one = await setting(t);
  const end = readFileSync(join(one.spool, SEGMENT)).length;
  writeCheckpoint(one.data, {
    segment: SEGMENT,
    number: 1,
    offset: 0,
    pending: { end, sentAs: 'zstd 0.1' },
  });
  await one.drain();
  assert.ok(one.sink.requests.every((chunk) => chunk.key !== `${SEGMENT}@0-${end - 1}`));
  assert.deepEqual(one.sink.lines(), spooled(one));
});

test('a broken checkpoint: the one before it is used; with none, all is sent again', async (t) => {
  const one = await setting(t);
  await one.drain();
  const sent = one.sink.lines().length;
  writeFileSync(join(one.data, 'checkpoint.json'), Buffer.alloc(200));
  await one.drain();
  writeFileSync(join(one.data, 'checkpoint.json'), '{"segment":');
  writeFileSync(join(one.data, 'checkpoint.json.old'), 'garbage');
  await one.drain();
  assert.deepEqual(one.sink.lines(), spooled(one));
  assert.equal(sent, 4);
  assert.deepEqual(one.sink.faults, []);
});

test('broken lines in the middle go to quarantine with their place; the file stays as it is', async (t) => {
  const one = await setting(t);
  const long = `{"x":"${'y'.repeat(300 * 1024)}"}\n`;
  const parts = [
    lines(2),
    '{"torn":\n',
    lines(1),
    Buffer.alloc(100),
    '\n',
    lines(1),
    long,
    lines(2),
    '42\n',
  ];
  const path = join(one.spool, SEGMENT);
  writeFileSync(path, Buffer.concat(parts.map((part) => Buffer.from(part))));
  const before = readFileSync(path);
  const uploader = await one.drain({ chunk_bytes: '64KiB' });
  assert.equal(one.sink.lines().length, 6);
  assert.deepEqual(one.sink.faults, []);
  assert.equal(uploader.counts().corruptLines, 4);
  assert.deepEqual(readFileSync(path), before);
  for (const entry of quarantined(one)) {
    const [, start, end] = /@(\d+)-(\d+)$/.exec(entry.place) ?? [];
    const bytes = before.subarray(Number(start), Number(end) + 1).toString('utf8');
    assert.equal(bytes.replace(/[\0\n]+$/, ''), (entry.text ?? '').replace(/[\0\n]+$/, ''));
  }
});

test('a torn end of a sealed file goes to quarantine, the next file is shipped', async (t) => {
  const one = await setting(t);
  appendFileSync(
    join(one.spool, SEGMENT),
    Buffer.concat([Buffer.from('{"half'), Buffer.alloc(70_000)]),
  );
  writeFileSync(join(one.spool, 'launchbeat.20261124.2.ndjson'), lines(2));
  await one.drain({ chunk_bytes: '64KiB' });
  assert.equal(one.sink.lines().length, 6);
  assert.deepEqual(
    quarantined(one).map((entry) => entry.text),
    ['{"half'],
  );
});

test('a line longer than a chunk, but not than a collector takes, is shipped alone', async (t) => {
  const one = await setting(t);
  const long = `{"x":"${'y'.repeat(200 * 1024)}"}`;
  appendFileSync(join(one.spool, SEGMENT), `${long}\n`);
  await one.drain({ chunk_bytes: '64KiB' });
  assert.equal(one.sink.lines().at(-1), long);
  assert.deepEqual(one.sink.faults, []);
});

test('files that somebody deleted are reported, what is left is shipped', async (t) => {
  const one = await setting(t);
  writeCheckpoint(one.data, { segment: 'launchbeat.20261101.0.ndjson', number: 0, offset: 5 });
  await one.drain();
  assert.deepEqual(one.sink.lines(), spooled(one));
  assert.match(one.said.join(), /Events may be lost: launchbeat\.20261101\.0\.ndjson is gone/);
});
