/**
 * Goal: whatever the collector answers and wherever the agent dies, each line gets exactly one receipt or is in quarantine,
 * in order. Method: random appends, answers, crashes and torn tails on real files and a real server (fast-check).
 */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import fc from 'fast-check';
import { type Reaction, SINK_KEY, startChunkSink } from '../../../tests/support/chunk-sink.ts';
import { processStart, TEST_AGENT_ID } from '../../../tests/support/documents.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { listSegments } from '../spool/list-segments.ts';
import { openSpool } from '../spool/open-spool.ts';
import { recoverSpool } from '../spool/recover-spool.ts';
import { spoolConfigSchema } from '../spool/spool-config.ts';
import { createUploader } from './create-uploader.ts';
import { outputConfigSchema } from './output-config.ts';
import { retryAfterMs, retryDelayMs } from './retry-delay.ts';

const REJECTED = 'rejected by the test';
const REACTIONS: readonly Reaction[] = [
  { kind: 'commit' },
  { kind: 'commit' },
  { kind: 'commit_silently' },
  { kind: 'commit', rejected: [{ line: 1, reason: REJECTED }] },
  { kind: 'hang_up' },
  { kind: 'problem', name: 'too-large' },
  { kind: 'problem', name: 'too-many-requests', retryAfter: '1' },
  { kind: 'problem', name: 'unavailable' },
  { kind: 'problem', name: 'nothing-valid' },
  { kind: 'problem', name: 'unauthorized' },
  { kind: 'raw', status: 200, body: '<html></html>' },
  { kind: 'raw', status: 400, body: 'proxy' },
];

type Action =
  | { readonly do: 'append'; readonly events: number }
  /** Answers to the requests in order; at request `crashAt` the agent dies, before or after the commit. */
  | {
      readonly do: 'ship';
      readonly answers: readonly number[];
      readonly crashAt: number;
      readonly committed: boolean;
    }
  | { readonly do: 'tear' }
  | { readonly do: 'corrupt' }
  | { readonly do: 'next_day' };

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      events: fc.integer({ min: 1, max: 12 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('ship' as const),
      answers: fc.array(fc.nat(REACTIONS.length - 1), { maxLength: 8 }),
      crashAt: fc.integer({ min: 0, max: 8 }),
      committed: fc.boolean(),
    }),
  },
  fc.constant({ do: 'tear' as const }),
  fc.constant({ do: 'corrupt' as const }),
  fc.constant({ do: 'next_day' as const }),
);

/** One life of an agent on a data folder, as far as spool and upload go. */
async function live(data: string, actions: readonly Action[]): Promise<void> {
  const folder = join(data, 'spool');
  const checkpoint = join(data, 'checkpoint.json');
  let script:
    | { answers: readonly number[]; crashAt: number; committed: boolean; request: number }
    | undefined;
  let stop = new AbortController();
  const seen = new Set<string>();
  const sink = await startChunkSink({
    react: ({ key }) => {
      const reaction = reactionTo();
      // A collector that has a chunk gives its receipt again, whatever else it may do.
      if (seen.has(key) && reaction.kind !== 'hang_up') return { kind: 'commit' };
      if (reaction.kind.startsWith('commit')) seen.add(key);
      return reaction;
    },
  });
  const reactionTo = (): Reaction => {
    if (script === undefined) return { kind: 'commit' };
    script.request += 1;
    if (script.request === script.crashAt) {
      // What is on disk now is what a new process will find.
      copyFileSync(checkpoint, `${checkpoint}.crash`);
      stop.abort();
      return { kind: script.committed ? 'commit_silently' : 'hang_up' };
    }
    return REACTIONS[script.answers[script.request - 1] ?? 0] ?? { kind: 'commit' };
  };
  const config = {
    ...outputConfigSchema.parse({ url: sink.url, api_key: SINK_KEY }),
    chunk_bytes: 5000,
  };
  const clock = { nowMs: Date.now, random: () => 0, wait: async () => undefined };
  const ship = async (): Promise<void> => {
    stop = new AbortController();
    const uploader = createUploader({
      ...{
        spoolFolder: folder,
        stateFolder: data,
        config,
        agentId: TEST_AGENT_ID,
        log: SILENT_LOG,
        clock,
      },
    });
    const running = uploader.run(stop.signal);
    await uploader.drained(stop.signal);
    stop.abort();
    await running;
    await uploader.close();
    if (existsSync(`${checkpoint}.crash`)) {
      copyFileSync(`${checkpoint}.crash`, checkpoint);
      rmSync(`${checkpoint}.crash`);
    }
  };
  let nowMs = Date.UTC(2026, 10, 23);
  const spoolConfig = {
    ...spoolConfigSchema.parse({}),
    segment_bytes: 12_000,
    retention: 2 ** 40,
  };
  const open = () =>
    openSpool({ folder, config: spoolConfig, log: SILENT_LOG, nowMs: () => nowMs });
  const onNewest = (bytes: string): void => {
    const newest = listSegments(folder).at(-1);
    if (newest !== undefined) appendFileSync(newest.path, bytes);
  };
  let spool = await open();
  for (const step of actions) {
    switch (step.do) {
      case 'append':
        await spool.append(Array.from({ length: step.events }, () => processStart()));
        break;
      case 'ship':
        script = { ...step, request: 0 };
        await ship();
        break;
      case 'tear':
        await spool.close();
        onNewest('{"torn":\0\0');
        recoverSpool(folder, SILENT_LOG);
        spool = await open();
        break;
      case 'corrupt':
        onNewest(`{"flipped ${Math.random()}\n`);
        break;
      case 'next_day':
        nowMs += 86_400_000;
        break;
    }
  }
  script = undefined;
  await ship();
  await spool.close();
  await sink.stop();
  check(folder, sink.lines());
  assert.deepEqual(sink.faults, []);
}

function check(folder: string, committed: readonly string[]): void {
  const linesOf = (path: string): string[] =>
    readFileSync(path, 'utf8').split('\n').filter(Boolean);
  const spooled = listSegments(folder).flatMap((one) => linesOf(one.path));
  const quarantine = join(folder, 'quarantine');
  const aside = (existsSync(quarantine) ? readdirSync(quarantine) : [])
    .flatMap((name) => linesOf(join(quarantine, name)))
    .map((line) => JSON.parse(line) as { reason: string; text: string })
    .filter(
      (entry) =>
        entry.reason !== REJECTED && !entry.reason.startsWith('torn line at the end of the spool'),
    )
    .flatMap((entry) => entry.text.split('\n').filter(Boolean));
  const setAside = new Set(aside);
  assert.equal(setAside.size, aside.length);
  // In order, each exactly once.
  assert.deepEqual(
    committed,
    spooled.filter((line) => !setAside.has(line)),
  );
  assert.equal(new Set(committed).size + setAside.size, spooled.length);
}

test('each line gets exactly one receipt or is in quarantine, in order, whatever happens', async (t) => {
  const root = temporaryFolder(t);
  let life = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 12 }), async (actions) => {
      life += 1;
      await live(join(root, String(life)), actions);
    }),
    { numRuns: Number(process.env['LAUNCHBEAT_PROPERTY_RUNS'] ?? 40) },
  );
});

test('retryDelayMs() stays between 0 and the back-off, which doubles up to its max', () => {
  const backoff = { init: 1000, max: 60_000 };
  const longest = [1, 2, 3, 6, 7, 1000].map((attempt) => retryDelayMs(attempt, backoff, () => 1));
  assert.deepEqual(longest, [1000, 2000, 4000, 32_000, 60_000, 60_000]);
  assert.equal(
    retryDelayMs(5, backoff, () => 0),
    0,
  );
});

test('retryAfterMs() reads seconds and HTTP dates, and bounds what is absurd', () => {
  const now = Date.UTC(2026, 10, 23, 12);
  const cases: readonly (readonly [string | undefined, number | undefined])[] = [
    ['120', 120_000],
    ['Mon, 23 Nov 2026 12:00:30 GMT', 30_000],
    ['Mon, 23 Nov 2026 11:00:00 GMT', 0],
    ['999999999', 3_600_000],
    ['soon', undefined],
    [undefined, undefined],
  ];
  for (const [header, expected] of cases) assert.equal(retryAfterMs(header, now), expected);
});
