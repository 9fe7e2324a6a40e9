/**
 * Goal: whatever happens between the log and the collector, no event is lost, and nothing counts as acknowledged that the collector
 * does not have. Method: reading, spool, position, upload and checkpoint live through lives that chance makes up, on a disk whose power
 * is cut at named steps (fragile-disk.ts); the collector is a model that loses nothing and whose receipts get lost.
 * model-mutations.test.ts shows that it notices when a step is left out.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { idempotencyKey } from '@launchbeat/ecs-schemas';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import fc from 'fast-check';
import type { Position } from '../../agent/src/capture/captured-event.ts';
import type { Mapper } from '../../agent/src/map/create-mapper.ts';
import { createReading } from '../../agent/src/reading.ts';
import { type Checkpoint, isBefore, readCheckpoint } from '../../agent/src/spool/checkpoint.ts';
import { listSegments } from '../../agent/src/spool/list-segments.ts';
import { openSpool } from '../../agent/src/spool/open-spool.ts';
import { openPosition } from '../../agent/src/spool/position.ts';
import { recoverSpool } from '../../agent/src/spool/recover-spool.ts';
import { resend } from '../../agent/src/spool/resend.ts';
import { spoolConfigSchema } from '../../agent/src/spool/spool-config.ts';
import { createCompression } from '../../agent/src/upload/compress-chunk.ts';
import type { Chunk } from '../../agent/src/upload/next-piece.ts';
import { outputConfigSchema } from '../../agent/src/upload/output-config.ts';
import type { Shipped } from '../../agent/src/upload/ship-chunk.ts';
import { createShipping } from '../../agent/src/upload/ship-spool.ts';
import { zeroCounts } from '../../agent/src/upload/upload-counts.ts';
import { processStart, TEST_AGENT_ID } from '../support/documents.ts';
import { type CutPoint, fragileDisk } from '../support/fragile-disk.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const RUNS = Number(process.env['LAUNCHBEAT_PROPERTY_RUNS'] ?? 50);
const FIRST_TIME_MS = Date.UTC(2026, 10, 23, 6);
const DAY_MS = 86_400_000;
/** Every so many-th event is none: it goes to quarantine. */
const REFUSED_EVERY = 13;

const SEGMENT = /launchbeat\.\d{8}\.\d+\.ndjson$/;
const STATE = /(?:position|checkpoint)\.json(?:\.new|\.old)?$/;
const QUARANTINE = /quarantine\.\d+\.ndjson$/;
const FOLDER = /(?:spool|data|quarantine)$/;

/** Where the power goes. */
const CUT_POINTS: readonly Omit<CutPoint, 'pass'>[] = [
  { call: 'openSync', path: SEGMENT, when: 'after' },
  { call: 'writeSync', path: SEGMENT, when: 'before' },
  { call: 'writeSync', path: SEGMENT, when: 'half' },
  { call: 'fsyncSync', path: SEGMENT, when: 'before' },
  { call: 'fsyncSync', path: SEGMENT, when: 'after' },
  { call: 'ftruncateSync', path: SEGMENT, when: 'before' },
  { call: 'ftruncateSync', path: SEGMENT, when: 'after' },
  { call: 'rmSync', path: SEGMENT, when: 'before' },
  { call: 'rmSync', path: SEGMENT, when: 'after' },
  { call: 'openSync', path: STATE, when: 'after' },
  { call: 'writeSync', path: STATE, when: 'half' },
  { call: 'fsyncSync', path: STATE, when: 'before' },
  { call: 'fsyncSync', path: STATE, when: 'after' },
  { call: 'renameSync', path: /\.old$/, when: 'before' },
  { call: 'renameSync', path: /\.old$/, when: 'after' },
  { call: 'renameSync', path: /\.json$/, when: 'after' },
  { call: 'writeSync', path: QUARANTINE, when: 'half' },
  { call: 'fsyncSync', path: QUARANTINE, when: 'before' },
  { call: 'fsyncSync', path: QUARANTINE, when: 'after' },
  { call: 'fsyncSync', path: FOLDER, when: 'before' },
  { call: 'fsyncSync', path: FOLDER, when: 'after' },
];

/** What the collector does with a chunk. */
const ANSWERS = [
  'receipt',
  'receipt',
  'receipt_lost',
  'not_taken',
  'power_cut_before_receipt',
] as const;

const action = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      events: fc.integer({ min: 1, max: 30 }),
      batch: fc.integer({ min: 1, max: 12 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('ship' as const),
      answers: fc.array(fc.constantFrom(...ANSWERS), { maxLength: 6 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('arm' as const),
      point: fc.nat(CUT_POINTS.length - 1),
      pass: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'cut' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'next_day' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'resend' as const }) },
);
type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never;

const isRefused = (record: number): boolean => record % REFUSED_EVERY === 0;

let reads = 0;
/** Every reading of a record gives its document anew; only what the event itself says stays. */
const mapper: Mapper = {
  map({ xml }) {
    const record = Number(xml);
    if (isRefused(record)) return { outcome: 'refused', reason: `record ${record} is no event` };
    reads += 1;
    const document = processStart({
      '@timestamp': new Date(FIRST_TIME_MS + record * 1000).toISOString(),
      event: { created: new Date(FIRST_TIME_MS + DAY_MS + reads).toISOString() },
      winlog: { record_id: String(record), computer_name: hostname() },
    });
    return { outcome: 'done', document, watched: true };
  },
  redact: (text) => `refused <${text}>`,
};

const recordsOf = (lines: Buffer): number[] =>
  lines
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) =>
      Number((JSON.parse(line) as { winlog: { record_id: string } }).winlog.record_id),
    );

/** Takes each chunk once, and minds how they are named. */
function modelCollector() {
  const records = new Set<number>();
  const chunks = new Map<string, string>();
  const ranges: { readonly segment: string; readonly first: number; readonly end: number }[] = [];
  /** What was wrong with a chunk. Not thrown: shipping would take it for a fault of the disk and try again. */
  const faults: string[] = [];
  return {
    records,
    faults,
    commit(chunk: Chunk): void {
      const segment = `${chunk.keyPrefix ?? ''}${chunk.segment}`;
      const key = idempotencyKey(segment, chunk.first, chunk.end - 1);
      const digest = createHash('sha256').update(chunk.bytes).digest('hex');
      const known = chunks.get(key);
      if (known !== undefined && known !== digest)
        faults.push(`${key} names other bytes than before`);
      if (known !== undefined) return;
      const overlaps = ranges.some(
        (one) => one.segment === segment && one.first < chunk.end && chunk.first < one.end,
      );
      if (overlaps && chunk.keyPrefix === undefined)
        faults.push(`${key} is a part of another chunk`);
      chunks.set(key, digest);
      ranges.push({ segment, first: chunk.first, end: chunk.end });
      for (const record of recordsOf(chunk.bytes)) records.add(record);
    },
  };
}

const disk = fragileDisk();

/** One agent's PC and its collector, from the first event on. */
function openWorld(data: string, choices: readonly number[]) {
  const folder = join(data, 'spool');
  mkdirSync(join(folder, 'quarantine'), { recursive: true });
  let stop = new AbortController();
  disk.begin(data, () => stop.abort());
  const collector = modelCollector();
  const spoolConfig = {
    ...spoolConfigSchema.parse({ disk_free_min: 0, retention: '0s' }),
    segment_bytes: 8_000,
  };
  const config = {
    ...outputConfigSchema.parse({ url: 'http://x', api_key: 'a:b' }),
    chunk_bytes: 5_000,
  };
  let nowMs = Date.now();
  let answers: (typeof ANSWERS)[number][] = [];
  /** The newest record of the log. */
  let newest = 0;
  let chosen = 0;
  /** What must be there after a cut, since its writing has returned. */
  let known: { position: number; checkpoint: Checkpoint | undefined } = {
    position: 0,
    checkpoint: undefined,
  };
  const choose = (max: number): number => (choices[chosen++ % choices.length] ?? 0) % (max + 1);

  function shipChunk(chunk: Chunk): Promise<Shipped> {
    const retry: Shipped = { verdict: { outcome: 'retry', pace: 'soon', reason: 'no answer' } };
    const answer = answers.shift() ?? 'receipt';
    if (answer === 'not_taken') return Promise.resolve(retry);
    collector.commit(chunk);
    if (answer === 'power_cut_before_receipt') disk.cut();
    if (answer !== 'receipt') return Promise.resolve(retry);
    const receipt = { accepted: chunk.lines, duplicates: 0, rejected: [] };
    return Promise.resolve({ verdict: { outcome: 'done', receipt }, status: 200 });
  }

  async function startProcess() {
    const recovered = recoverSpool(folder, SILENT_LOG);
    const spool = await openSpool({
      ...{ folder, config: spoolConfig, log: SILENT_LOG, recovered, nowMs: () => nowMs },
    });
    const file = openPosition(data, SILENT_LOG);
    let position = file.read(recovered)?.recordId ?? 0;
    assert.ok(position >= known.position, `position is ${position}, and was ${known.position}`);
    const write = (to: Position): void => {
      file.write(to);
      known = { ...known, position: to.recordId };
    };
    const reading = createReading({ mapper, spool, position: { write }, log: SILENT_LOG });
    const shipping = createShipping({
      ...{
        spoolFolder: folder,
        stateFolder: data,
        config,
        agentId: TEST_AGENT_ID,
        compression: createCompression('zstd'),
      },
      ...{ log: SILENT_LOG, counts: zeroCounts(), shipChunk },
      clock: { nowMs: () => nowMs, random: () => 0, wait: async () => undefined },
    });
    return {
      async read(batch: number) {
        while (position < newest && !disk.isOff()) {
          const to = Math.min(newest, position + batch);
          const events = Array.from({ length: to - position }, (_, at) => ({
            ...{ xml: String(position + at + 1), readAtMs: 0 },
          }));
          const at: Position = { recordId: to, scannedId: to, timeMs: FIRST_TIME_MS };
          await reading.keep({ events, facts: [], position: at }, stop.signal);
          position = to;
        }
      },
      async ship() {
        for (let went = true; went && !disk.isOff() && collector.faults.length === 0; ) {
          went = (await shipping.shipOne(stop.signal)) === 'went_on';
          if (!disk.isOff()) known = { ...known, checkpoint: readCheckpoint(data, SILENT_LOG) };
        }
      },
      end: () => spool.close(),
    };
  }
  type Process = Awaited<ReturnType<typeof startProcess>>;
  let running: Process | undefined;

  function check(): void {
    assert.deepEqual(collector.faults, []);
    const checkpoint = readCheckpoint(data, SILENT_LOG);
    const before = known.checkpoint;
    assert.ok(
      before === undefined || (checkpoint !== undefined && !isBefore(checkpoint, before)),
      `checkpoint is ${JSON.stringify(checkpoint)}, and was ${JSON.stringify(before)}`,
    );
    for (const segment of listSegments(folder)) {
      const bytes = readFileSync(segment.path);
      const isSame = segment.number === checkpoint?.number;
      const end = isSame ? checkpoint.offset : bytes.length;
      if (checkpoint === undefined || segment.number > checkpoint.number) continue;
      for (const record of recordsOf(bytes.subarray(0, end)))
        assert.ok(collector.records.has(record), `${record} counts as acknowledged`);
    }
  }

  /** Does something in the running process; a power cut ends it, and another one begins on what is left (and goes on with it). */
  async function live(work: (process: Process) => Promise<void>, again = true): Promise<void> {
    for (;;) {
      try {
        running ??= await startProcess();
        await work(running);
      } catch (error) {
        if (!disk.isOff()) throw error;
      }
      if (!disk.isOff()) return;
      await powerAgain();
      if (!again) return;
    }
  }

  async function powerAgain(): Promise<void> {
    await running?.end().catch(() => undefined);
    running = undefined;
    stop = new AbortController();
    disk.restore(choose);
    check();
  }

  async function end(): Promise<void> {
    await live(async (process) => {
      await process.end();
      running = undefined;
    });
  }

  async function cutOnce(): Promise<void> {
    let cuts = 0;
    await live(() => {
      if (cuts++ === 0) disk.cut();
      return Promise.resolve();
    });
  }

  async function sendAgain(): Promise<void> {
    await end();
    // From here on the place before and the one that it is moved back to are both right.
    known = { ...known, checkpoint: undefined };
    try {
      resend({ spoolFolder: folder, stateFolder: data, log: SILENT_LOG });
      known = { ...known, checkpoint: readCheckpoint(data, SILENT_LOG) };
    } catch (error) {
      if (!disk.isOff()) throw error;
      await powerAgain();
    }
  }

  return {
    async act(step: Action): Promise<void> {
      if (step.do === 'read') {
        newest += step.events;
        await live((process) => process.read(step.batch));
      } else if (step.do === 'ship') {
        answers = [...step.answers];
        // After a cut something else may come before shipping goes on.
        await live((process) => process.ship(), false);
        assert.deepEqual(collector.faults, []);
      } else if (step.do === 'arm') {
        const point = CUT_POINTS[step.point];
        disk.arm(point && { ...point, pass: step.pass });
      } else if (step.do === 'cut') {
        await cutOnce();
      } else if (step.do === 'restart') {
        await end();
      } else if (step.do === 'next_day') {
        nowMs += DAY_MS;
      } else {
        await sendAgain();
      }
    },
    /** All is quiet: what the log has must have come. */
    async settle(): Promise<void> {
      disk.arm(undefined);
      answers = [];
      await live((process) => process.read(10));
      await live((process) => process.ship());
      check();
      await end();
      const aside = globSync(join(folder, 'quarantine/*'))
        .map((file) => readFileSync(file, 'utf8'))
        .join('');
      for (let record = 1; record <= newest; record += 1) {
        if (isRefused(record))
          assert.ok(aside.includes(`refused <${record}>`), `${record} is in quarantine`);
        else assert.ok(collector.records.has(record), `record ${record} is lost`);
      }
    },
  };
}

test('no event is lost and none counts as acknowledged too early, wherever the power is cut', async (t) => {
  const root = temporaryFolder(t);
  let life = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { minLength: 3, maxLength: 14 }),
      fc.array(fc.oneof(fc.constant(0), fc.nat(20_000)), { minLength: 1, maxLength: 12 }),
      async (actions, choices) => {
        life += 1;
        const world = openWorld(join(root, String(life)), choices);
        for (const step of actions) await world.act(step);
        await world.settle();
      },
    ),
    {
      numRuns: RUNS,
      ...(process.env['LAUNCHBEAT_PROPERTY_SEED']
        ? { seed: Number(process.env['LAUNCHBEAT_PROPERTY_SEED']) }
        : {}),
    },
  );
});
