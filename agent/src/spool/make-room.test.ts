/**
 * Goal: a full spool and a full disk stop the reading, or cost what the config allows, and say so. Method: real files; the
 * free bytes of the disk are those that the test says.
 */
import assert from 'node:assert/strict';
import fs, { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ProcessStart } from '@launchbeat/ecs-schemas';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { SINK_KEY, startChunkSink } from '../../../tests/support/chunk-sink.ts';
import { ndjsonLines, processStart, TEST_AGENT_ID } from '../../../tests/support/documents.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { createUploader } from '../upload/create-uploader.ts';
import { outputConfigSchema } from '../upload/output-config.ts';
import { writeCheckpoint } from './checkpoint.ts';
import { listSegments } from './list-segments.ts';
import { openSpool, type Spool } from './open-spool.ts';
import { type SpoolConfig, spoolConfigSchema } from './spool-config.ts';

interface Said {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

interface Setting {
  readonly data: string;
  readonly folder: string;
  readonly spool: Spool;
  readonly said: Said[];
  readonly log: Log;
}

async function setting(t: TestContext, config: Partial<SpoolConfig>): Promise<Setting> {
  const data = temporaryFolder(t);
  const folder = join(data, 'spool');
  const said: Said[] = [];
  const note =
    (level: string): Log['warn'] =>
    (fields, message) =>
      void said.push({ level, fields, message });
  const log = {
    debug: note('debug'),
    info: note('info'),
    warn: note('warn'),
    error: note('error'),
  };
  const spool = await openSpool({
    ...{ folder, log, fullIntervalMs: 5 },
    config: { ...spoolConfigSchema.parse({}), ...config },
  });
  t.after(() => spool.close());
  return { data, folder, spool, said, log };
}

const some = (count: number): ProcessStart[] =>
  Array.from({ length: count }, () =>
    processStart({ 'log.level': undefined, 'ecs.version': undefined }),
  );
const names = (folder: string): string[] => listSegments(folder).map((one) => one.name);
const recordIds = (path: string): number[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => Number((JSON.parse(line) as ProcessStart).winlog.record_id));

/** The disk of every folder has so many bytes left. */
function diskWith(t: TestContext, free: { bytes: number; asked: number }): void {
  const real = fs.statfsSync;
  const told = () => {
    free.asked += 1;
    return { bavail: free.bytes / 512, bsize: 512 };
  };
  Object.assign(fs, { statfsSync: told });
  syncBuiltinESMExports();
  t.after(() => {
    Object.assign(fs, { statfsSync: real });
    syncBuiltinESMExports();
  });
}

test('drop_oldest: the oldest events make room, each loss is an error with its range and counted', async (t) => {
  const sizes = { segment_bytes: 10_000, max_bytes: 40_000, on_full: 'drop_oldest' } as const;
  const { data, folder, spool, said } = await setting(t, sizes);
  while (spool.counts().bytes < 40_000) await spool.append(some(5));
  const before = listSegments(folder);
  const ids = recordIds(before[0]?.path ?? '');
  // Two lines of the oldest segment have their receipts: they are no loss.
  const offset = readFileSync(before[0]?.path ?? '').indexOf('\n', 4000) + 1;
  const shipped =
    readFileSync(before[0]?.path ?? '')
      .subarray(0, offset)
      .toString()
      .split('\n').length - 1;
  writeCheckpoint(data, { segment: before[0]?.name ?? '', number: before[0]?.number ?? 0, offset });
  await spool.append(some(5));
  const errors = said.filter((one) => one.level === 'error');
  assert.equal(errors.length, 1);
  const [error] = errors;
  assert.ok(shipped > 0 && shipped < ids.length);
  assert.equal(error?.fields['launchbeat.gap.from'], ids[shipped]);
  assert.equal(error?.fields['launchbeat.gap.to'], ids.at(-1));
  assert.equal(error?.fields['launchbeat.spool.lost_lines'], ids.length - shipped);
  assert.match(
    error?.message ?? '',
    new RegExp(`Events are lost.*${before[0]?.name}.*spool\\.on_full`),
  );
  assert.equal(spool.counts().lostLines, ids.length - shipped);
  assert.equal(spool.metrics()['spool.lost_lines'], ids.length - shipped);
  assert.deepEqual(
    names(folder).slice(0, 2),
    before.slice(1, 3).map((one) => one.name),
  );
  for (let more = 0; more < 20; more += 1) await spool.append(some(5));
  assert.ok(spool.counts().bytes < 60_000);
  assert.ok(!said.some((one) => one.level === 'warn'));
});

test('drop_oldest: acknowledged files go first, and cost nothing', async (t) => {
  const sizes = { segment_bytes: 10_000, max_bytes: 40_000, on_full: 'drop_oldest' } as const;
  const { data, folder, spool, said } = await setting(t, sizes);
  while (spool.counts().bytes < 40_000) await spool.append(some(5));
  const second = listSegments(folder)[1];
  writeCheckpoint(data, { segment: second?.name ?? '', number: second?.number ?? 0, offset: 0 });
  await spool.append(some(5));
  assert.deepEqual([spool.counts().lostLines, said.length], [0, 0]);
});

test('drop_oldest: an uploader goes on behind what was dropped, and ships all the rest', async (t) => {
  const sizes = { segment_bytes: 10_000, max_bytes: 40_000, on_full: 'drop_oldest' } as const;
  const { data, folder, spool, log } = await setting(t, sizes);
  const sink = await startChunkSink();
  t.after(() => sink.stop());
  while (spool.counts().bytes < 40_000) await spool.append(some(5));
  const oldest = listSegments(folder)[0];
  writeCheckpoint(data, { segment: oldest?.name ?? '', number: oldest?.number ?? 0, offset: 0 });
  await spool.append(some(5));
  const uploader = createUploader({
    ...{ spoolFolder: folder, stateFolder: data, agentId: TEST_AGENT_ID, log },
    config: outputConfigSchema.parse({ url: sink.url, api_key: SINK_KEY }),
  });
  const end = new AbortController();
  const running = uploader.run(end.signal);
  await uploader.drained(AbortSignal.timeout(60_000));
  end.abort();
  await running;
  await uploader.close();
  const there = listSegments(folder).flatMap((one) => recordIds(one.path));
  assert.deepEqual(
    sink.lines().map((line) => Number((JSON.parse(line) as ProcessStart).winlog.record_id)),
    there,
  );
});

test('a disk that is nearly full: acknowledged files go, reading waits and says so once, and goes on by itself', async (t) => {
  const free = { bytes: 10 ** 9, asked: 0 };
  diskWith(t, free);
  const { data, folder, spool, said } = await setting(t, { segment_bytes: 10_000 });
  while (names(folder).length < 4) await spool.append(some(5));
  const third = listSegments(folder)[2];
  writeCheckpoint(data, { segment: third?.name ?? '', number: third?.number ?? 0, offset: 0 });
  free.bytes = 100 * 1024 * 1024;
  let done = false;
  const waiting = spool.append(some(5)).then(() => {
    done = true;
  });
  await eventually(() => assert.equal(said.length, 1));
  assert.deepEqual(names(folder).length, 2);
  assert.equal(said[0]?.level, 'warn');
  assert.match(said[0]?.message ?? '', /Disk of the spool has 104857600 bytes left.*disk_free_min/);
  // Just above the bound is not enough to go on.
  free.bytes = 201 * 1024 * 1024;
  const looks = free.asked;
  await eventually(() => assert.ok(free.asked > looks + 3));
  assert.equal(done, false);
  free.bytes = 10 ** 9;
  await waiting;
  assert.match(said.at(-1)?.message ?? '', /room again/);
  assert.equal(said.filter((one) => one.level === 'warn').length, 1);
});

test('disk_free_min 0 never waits; the real disk is asked', async (t) => {
  const { spool } = await setting(t, { disk_free_min: 0 });
  await spool.append(some(1));
  const { spool: other, said } = await setting(t, { disk_free_min: 2 ** 60 });
  const stop = new AbortController();
  const waiting = assert.rejects(other.append(some(1), stop.signal), { name: 'AbortError' });
  await eventually(() => assert.equal(said.length, 1));
  stop.abort();
  await waiting;
});

test('drop_oldest never deletes the newest file: a foreign giant makes it wait instead', async (t) => {
  const data = temporaryFolder(t);
  const folder = join(data, 'spool');
  mkdirSync(folder);
  writeFileSync(join(folder, 'launchbeat.20261123.1.ndjson'), ndjsonLines(some(60)));
  const said: string[] = [];
  const note: Log['warn'] = (_fields, message) => void said.push(message);
  const spool = await openSpool({
    folder,
    fullIntervalMs: 5,
    log: { debug: note, info: note, warn: note, error: note },
    config: {
      ...spoolConfigSchema.parse({}),
      ...{ segment_bytes: 10_000, max_bytes: 20_000, on_full: 'drop_oldest' },
    },
  });
  t.after(() => spool.close());
  const stop = new AbortController();
  const waiting = assert.rejects(spool.append(some(1), stop.signal));
  await eventually(() => assert.match(said.join(), /Spool is full/));
  stop.abort();
  await waiting;
  assert.equal(names(folder).length, 1);
});
