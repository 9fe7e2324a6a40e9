/**
 * The spool on real files: what is durable, what is cut, what a number and a namespace do, what a full or broken disk does.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs, {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ECS_VERSION, type ProcessStart, processStartSchema } from '@launchbeat/ecs-schemas';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { ndjsonLines, processStart } from '../../../tests/support/documents.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { writeCheckpoint } from './checkpoint.ts';
import { listSegments } from './list-segments.ts';
import { openSpool, type Spool, type SpoolOptions } from './open-spool.ts';
import { recoverSpool } from './recover-spool.ts';
import { type SpoolConfig, spoolConfigSchema } from './spool-config.ts';

const MIB = 1024 * 1024;
const NOON_MS = new Date(2026, 10, 23, 12).getTime();

/** A document as map gives it: the file's printer adds log.level and ecs.version. */
function mapped(overrides: Parameters<typeof processStart>[0] = {}): ProcessStart {
  return processStart({ 'log.level': undefined, 'ecs.version': undefined, ...overrides });
}
const some = (count: number): ProcessStart[] => Array.from({ length: count }, () => mapped());

async function open(
  t: TestContext,
  folder: string,
  more: Partial<SpoolOptions> & { sizes?: Partial<SpoolConfig> } = {},
): Promise<Spool> {
  const { sizes, ...rest } = more;
  const config = { ...spoolConfigSchema.parse({}), ...sizes };
  const spool = await openSpool({ folder, config, log: SILENT_LOG, nowMs: () => NOON_MS, ...rest });
  t.after(() => spool.close());
  return spool;
}

const spoolIn = (t: TestContext): string => join(temporaryFolder(t), 'spool');
const names = (folder: string): string[] => listSegments(folder).map((one) => one.name);
const documentsOf = (folder: string): ProcessStart[] =>
  listSegments(folder)
    .flatMap((one) => readFileSync(one.path, 'utf8').split('\n').slice(0, -1))
    .map((line) => JSON.parse(line) as ProcessStart);
const idsOf = (documents: readonly ProcessStart[]): string[] =>
  documents.map((document) => document.event.id);

test('a line is the document, with log.level first and ecs.version last, each key once', async (t) => {
  const folder = spoolIn(t);
  const spool = await open(t, folder);
  const document = mapped({
    process: { args: Array.from({ length: 300 }, (_, index) => `\u0000"\\ \ud800 ${index}`) },
    winlog: { event_data: { a: 'Привет', deep: 'x'.repeat(40_000) } },
  });
  await spool.append([document]);
  const path = join(folder, 'launchbeat.20261123.1.ndjson');
  const line = readFileSync(path, 'utf8');
  assert.match(
    line,
    /^\{"log\.level":"information","@timestamp":"[^"]+",.*,"ecs\.version":"[\d.]+"\}\n$/s,
  );
  for (const key of ['@timestamp', 'log.level', 'ecs.version']) {
    assert.equal(line.split(`"${key}":`).length, 2, key);
  }
  assert.deepEqual(JSON.parse(line), {
    ...JSON.parse(JSON.stringify(document)),
    'log.level': 'information',
    'ecs.version': ECS_VERSION,
  });
  assert.ok(processStartSchema.safeParse(JSON.parse(line)).success);
});

test('a new segment is begun at its size, and the order of lines is kept', async (t) => {
  const folder = spoolIn(t);
  const spool = await open(t, folder, { sizes: { segment_bytes: 20_000 } });
  const all = some(100);
  for (let at = 0; at < all.length; at += 10) await spool.append(all.slice(at, at + 10));
  assert.ok(names(folder).length >= 5);
  assert.deepEqual(idsOf(documentsOf(folder)), idsOf(all));
  assert.equal(spool.counts().lines, 100);
});

test('a restart goes on with the newest segment of the day', async (t) => {
  const folder = spoolIn(t);
  const before = await open(t, folder);
  await before.append(some(2));
  await before.close();
  const after = await open(t, folder);
  await after.append(some(2));
  assert.deepEqual(names(folder), ['launchbeat.20261123.1.ndjson']);
  assert.equal(documentsOf(folder).length, 4);
});

test('numbers rise over midnight, and when the clock goes back', async (t) => {
  const folder = spoolIn(t);
  let nowMs = NOON_MS;
  const spool = await open(t, folder, { nowMs: () => nowMs });
  const all = some(4);
  for (const [index, hours] of [0, 13, -48, 37].entries()) {
    nowMs = NOON_MS + hours * 3_600_000;
    await spool.append(all.slice(index, index + 1));
  }
  const restarted = await open(t, folder, { nowMs: () => NOON_MS - 72 * 3_600_000 });
  all.push(mapped({ agent: { id: '7c1b0a52-4f14-4f59-8f0b-0f5d9d1b7c10' } }));
  await restarted.append(all.slice(4));
  assert.deepEqual(names(folder), [
    'launchbeat.20261123.1.ndjson',
    'launchbeat.20261124.2.ndjson',
    'launchbeat.20261125.3.ndjson',
    'launchbeat.20261120.4.ndjson',
  ]);
  assert.deepEqual(idsOf(documentsOf(folder)), idsOf(all));
});

test('a number is never used twice, also when its file was deleted', async (t) => {
  const folder = spoolIn(t);
  mkdirSync(folder, { recursive: true });
  writeCheckpoint(join(folder, '..'), {
    segment: 'launchbeat.20261123.7.ndjson',
    number: 7,
    offset: 10,
  });
  const spool = await open(t, folder);
  await spool.append(some(1));
  assert.deepEqual(names(folder), ['launchbeat.20261123.8.ndjson']);
});

test('bytes are never written where other bytes may have been sent from', async (t) => {
  const folder = spoolIn(t);
  mkdirSync(folder, { recursive: true });
  const [segment, lines] = ['launchbeat.20261123.1.ndjson', ndjsonLines(some(2))];
  writeFileSync(join(folder, segment), lines);
  const pending = { end: lines.length + 500, sentAs: 'zstd 1' };
  writeCheckpoint(join(folder, '..'), { segment, number: 1, offset: lines.length, pending });
  const spool = await open(t, folder);
  await spool.append(some(1));
  assert.deepEqual(names(folder), [segment, 'launchbeat.20261123.2.ndjson']);
});

test('another namespace or agent begins a new segment, at a restart and inside a batch', async (t) => {
  const folder = spoolIn(t);
  const first = await open(t, folder);
  await first.append(some(1));
  await first.close();
  const spool = await open(t, folder);
  const other = () => mapped({ data_stream: { namespace: 'lab' } });
  const all = [other(), other(), mapped(), mapped()];
  await spool.append(all);
  const perSegment = listSegments(folder).map((one) =>
    readFileSync(one.path, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as ProcessStart).data_stream.namespace),
  );
  assert.deepEqual(perSegment, [['default'], ['lab', 'lab'], ['default', 'default']]);
});

for (const [name, tail] of [
  ['half a line', Buffer.from('{"@timestamp":"2026')],
  ['NULs to the end of a block', Buffer.alloc(5000)],
  ['half a line and NULs', Buffer.concat([Buffer.from('{"a"'), Buffer.alloc(100_000)])],
] as const) {
  test(`recoverSpool() cuts a torn last line: ${name}`, async (t) => {
    const folder = spoolIn(t);
    mkdirSync(folder, { recursive: true });
    const [path, whole] = [join(folder, 'launchbeat.20261123.3.ndjson'), ndjsonLines(some(3))];
    writeFileSync(path, Buffer.concat([whole, tail]));
    const recovered = recoverSpool(folder, SILENT_LOG);
    assert.equal(recovered.outcome, 'done');
    assert.equal(recovered.tornBytes, tail.length);
    assert.deepEqual(readFileSync(path), whole);
    const [file = ''] = readdirSync(join(folder, 'quarantine'));
    const entry = JSON.parse(readFileSync(join(folder, 'quarantine', file), 'utf8')) as {
      text: string;
      place: string;
    };
    assert.equal(entry.text, tail.toString().replace(/\0+$/, ''));
    assert.equal(
      entry.place,
      `launchbeat.20261123.3.ndjson@${whole.length}-${whole.length + tail.length - 1}`,
    );
    assert.equal(recoverSpool(folder, SILENT_LOG).tornBytes, 0);
    const spool = await open(t, folder, { recovered });
    await spool.append(some(1));
    assert.equal(documentsOf(folder).length, 4);
    assert.equal(spool.counts().tornBytes, tail.length);
  });
}

test('recoverSpool() gives the last whole line, and nothing of an empty or missing folder', async (t) => {
  const folder = spoolIn(t);
  assert.deepEqual(recoverSpool(folder, SILENT_LOG), { outcome: 'done', tornBytes: 0 });
  const document = mapped();
  const spool = await open(t, folder);
  await spool.append([mapped(), document]);
  assert.equal(String(recoverSpool(folder, SILENT_LOG).last?.recordId), document.winlog.record_id);
});

/** Replaces a function of node:fs for every module, as a broken disk would: of what is written, the beginning gets there. */
function breakDisk(
  t: TestContext,
  name: 'fsyncSync' | 'writeSync',
  fail: () => boolean,
  code: string,
): void {
  const real = fs[name] as (...values: unknown[]) => unknown;
  const broken = (...values: unknown[]): unknown => {
    if (fail()) {
      if (name === 'writeSync') real(values[0], String(values[1]).slice(0, 3_000));
      throw Object.assign(new Error(`${code}: broken disk`), { code });
    }
    return real(...values);
  };
  Object.assign(fs, { [name]: broken });
  syncBuiltinESMExports();
  t.after(() => {
    Object.assign(fs, { [name]: real });
    syncBuiltinESMExports();
  });
}

for (const [name, code] of [
  ['fsyncSync', 'EIO'],
  ['writeSync', 'ENOSPC'],
] as const) {
  test(`append() rejects when ${name} fails with ${code}, leaves no half batch, and works again after`, async (t) => {
    const folder = spoolIn(t);
    const spool = await open(t, folder);
    const all = some(6);
    await spool.append(all.slice(0, 2));
    let [calls, broken] = [0, false];
    breakDisk(t, name, () => broken && ++calls === 1, code);
    broken = true;
    await assert.rejects(spool.append(all.slice(2, 5)), { code });
    broken = false;
    assert.deepEqual(idsOf(documentsOf(folder)), idsOf(all.slice(0, 2)));
    await spool.append(all.slice(2, 5));
    await spool.append(all.slice(5));
    assert.deepEqual(idsOf(documentsOf(folder)), idsOf(all));
    assert.equal(spool.counts().failedAppends, 1);
  });
}

test('append() waits while the spool is full, and goes on when segments are acknowledged', async (t) => {
  const folder = spoolIn(t);
  const spool = await open(t, folder, {
    sizes: { segment_bytes: 10_000, max_bytes: 40_000 },
    fullIntervalMs: 5,
  });
  while (spool.counts().bytes < 40_000) await spool.append(some(5));
  const before = names(folder);
  const stop = new AbortController();
  const given = assert.rejects(spool.append(some(5), stop.signal), { name: 'AbortError' });
  const waiting = spool.append(some(5));
  stop.abort();
  await given;
  assert.deepEqual(names(folder), before);
  const segment = before[2] ?? '';
  writeCheckpoint(join(folder, '..'), { segment, number: 3, offset: 0 });
  await waiting;
  assert.deepEqual(
    before.filter((name) => !names(folder).includes(name)),
    before.slice(0, 2),
  );
});

test('acknowledged segments go after the retention, unacknowledged ones never', async (t) => {
  const folder = spoolIn(t);
  mkdirSync(folder, { recursive: true });
  const old = new Date(NOON_MS - 25 * 3_600_000);
  for (const number of [1, 2, 3, 4]) {
    const path = join(folder, `launchbeat.20261101.${number}.ndjson`);
    writeFileSync(path, ndjsonLines(some(1)));
    utimesSync(path, old, number === 2 ? new Date(NOON_MS) : old);
  }
  writeCheckpoint(join(folder, '..'), {
    segment: 'launchbeat.20261101.3.ndjson',
    number: 3,
    offset: 1,
  });
  await open(t, folder);
  assert.deepEqual(
    listSegments(folder).map((one) => one.number),
    [2, 3, 4],
  );
});

test('a foreign file with a number is named as the cause', async (t) => {
  const folder = spoolIn(t);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'copy-99999999999999999999.ndjson'), '');
  const spool = await open(t, folder);
  await assert.rejects(spool.append(some(1)), /is not of the spool .* Move it away/);
});

test('the config refuses a spool that its newest file alone could fill', () => {
  const parsed = spoolConfigSchema.safeParse({ segment_bytes: '16MiB', max_bytes: '20MiB' });
  assert.match(parsed.error?.message ?? '', /twice/);
});

const WRITER = `
  import { openSpool } from ${JSON.stringify(fileURLToPath(new URL('./open-spool.ts', import.meta.url)))};
  import { processStart } from ${JSON.stringify(fileURLToPath(new URL('../../../tests/support/documents.ts', import.meta.url)))};
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const config = { segment_bytes: 200_000, max_bytes: 2 ** 30, retention: 0, disk_free_min: 0 };
  const spool = await openSpool({ folder: process.argv[1], config, log });
  process.stdout.on('error', () => process.exit(1));
  for (;;) {
    const batch = Array.from({ length: 1 + Math.floor(Math.random() * 50) }, () => processStart());
    await spool.append(batch);
    process.stdout.write(batch.map((one) => one.event.id).join(' ') + '\\n');
  }
`;

test('SIGKILL: every line that append() answered for is there, in order, and the spool opens again', async (t) => {
  const folder = spoolIn(t);
  for (let round = 0; round < 3; round += 1) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => child.kill('SIGKILL'));
    const durable: string[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => durable.push(...line.split(' ')));
    await eventually(() => assert.ok(durable.length > 500 * (round + 1)));
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
    // What a page that never reached the disk would leave.
    const newest = listSegments(folder).at(-1);
    if (newest !== undefined) appendFileSync(newest.path, '{"torn');
    recoverSpool(folder, SILENT_LOG);
    const onDisk = idsOf(documentsOf(folder));
    const from = onDisk.lastIndexOf(durable[0] ?? '');
    assert.deepEqual(onDisk.slice(from, from + durable.length), durable);
  }
});

test('quarantine is not taken for segments, and the folder is made when it is missing', async (t) => {
  const folder = spoolIn(t);
  const spool = await open(t, folder);
  mkdirSync(join(folder, 'quarantine'), { recursive: true });
  writeFileSync(join(folder, 'launchbeat.20261123.1.ndjson.bak'), 'x');
  await spool.append(some(1));
  await spool.close();
  assert.deepEqual(names(folder), ['launchbeat.20261123.1.ndjson']);
  rmSync(folder, { recursive: true });
  await open(t, folder, { sizes: { segment_bytes: MIB } });
  assert.ok(existsSync(folder));
});
