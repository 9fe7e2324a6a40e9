/**
 * Goal: the bench does not rot. Method: run every part with tiny sizes (and without Elasticsearch) and see that each figure is there;
 * hold the results' form and the page against each other. No figure is judged.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../tests/support/temporary-folder.ts';
import { benchAgent } from './agent/bench-agent-part.ts';
import { benchAlerts } from './alerts/bench-alerts.ts';
import { benchCollector } from './collector/bench-collector.ts';
import { eventXml } from './event-xml.ts';
import { arithmeticOf } from './fleet/arithmetic.ts';
import { benchLatency } from './latency/bench-latency.ts';
import { performancePage, resultsTable } from './performance-page.ts';
import { sharesOf } from './profile-shares.ts';
import { beginResults, emptyFigures, readResults, withPart, writeResults } from './results.ts';
import { median, medianOfRounds, percentile } from './rounds.ts';
import { SMOKE, settingsOf } from './settings.ts';

const ABOUT = { machine: 'a machine', versions: { node: '24' }, commit: 'abc' };
const isLinux = process.platform === 'linux';
const NEEDS_PROC = isLinux ? false : 'CPU seconds come from /proc';

/** Figures that are neither a number above 0 nor among those that may be missing. */
function missing(value: unknown, path: string): string[] {
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).flatMap(([name, part]) => missing(part, `${path}.${name}`));
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? [] : [path];
}

const options = (folder: string) => ({ folder, settings: SMOKE, say: () => undefined });

test('the agent part gives every figure', { skip: NEEDS_PROC }, async (t) => {
  const { figures } = await benchAgent(options(temporaryFolder(t)));
  const without = missing(figures, 'agent').filter((path) => !/CpuMicros|cpuMicros/.test(path));
  assert.deepEqual(without, []);
});

test('the collector part gives every figure but those of Elasticsearch', {
  skip: NEEDS_PROC,
}, async (t) => {
  const { figures } = await benchCollector(options(temporaryFolder(t)));
  const without = missing(figures, 'collector').filter((path) => !path.includes('bothStores'));
  assert.deepEqual(without, []);
});

test('the alerts part gives every figure', { skip: NEEDS_PROC }, async (t) => {
  const { figures } = await benchAlerts(options(temporaryFolder(t)));
  assert.deepEqual(missing(figures, 'alerts'), []);
});

test('the latency part gives every figure, and every message comes', {
  skip: NEEDS_PROC,
}, async (t) => {
  const { detail } = await benchLatency(options(temporaryFolder(t)));
  assert.deepEqual(missing(detail, 'latency'), []);
});

test('results are kept for the same commit and dropped for another', (t) => {
  const file = join(temporaryFolder(t), 'results.json');
  const first = beginResults(ABOUT, 3, file);
  const latency = { eventToChat: { p50Ms: 12.3456, p95Ms: 2_100, p99Ms: null } };
  writeResults(withPart(first, 'latency', { figures: latency, detail: { rates: {} } }), file);
  assert.equal(readResults(file).latency.eventToChat.p50Ms, 12.35);
  assert.equal(beginResults(ABOUT, 3, file).latency.eventToChat.p50Ms, 12.35);
  assert.deepEqual(
    beginResults({ ...ABOUT, commit: 'def' }, 3, file).latency,
    emptyFigures().latency,
  );
  writeFileSync(file, '{"agent":1}');
  assert.deepEqual(beginResults(ABOUT, 3, file).agent, emptyFigures().agent);
});

test('the table says what was met, what was missed and what was not measured', () => {
  const results = withPart(beginResults(ABOUT, 3, '/nowhere/results.json'), 'latency', {
    figures: { eventToChat: { p50Ms: 12, p95Ms: 2_100, p99Ms: 3_000 } },
    detail: { rates: { 100: { p50Ms: 12, p95Ms: 2_100, p99Ms: 3_000, messages: 7 } } },
  });
  const table = resultsTable(results);
  assert.match(table, /\| Event → chat, 95 of 100 \| 2,100 ms \| at most 2,000 \| no \|/);
  assert.match(table, /\| Agent: memory, idle \| not measured \| at most 90 \| {2}\|/);
  assert.match(performancePage(results), /\| 100 \| 12 \| 2,100 \| 3,000 \| 7 \|/);
});

test('median(), percentile() and medianOfRounds() take the middle', async () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(percentile([5, 1, 4, 2, 3], 0.95), 5);
  assert.equal(percentile([5, 1, 4, 2, 3], 0.5), 3);
  const figures = await medianOfRounds(3, async (round) => ({ a: round, b: -round }));
  assert.deepEqual(figures, { a: 1, b: -1 });
});

test('settingsOf() takes ROUNDS and BACKLOG_LINES and refuses what is none', () => {
  assert.equal(settingsOf({ ROUNDS: '2' }).rounds, 2);
  assert.equal(settingsOf({ BACKLOG_LINES: '9' }).moreBacklogLines, 9);
  assert.throws(() => settingsOf({ BACKLOG_LINES: '0' }), /BACKLOG_LINES is "0"/);
  assert.throws(() => settingsOf({ ROUNDS: 'many' }), /ROUNDS is "many"/);
});

test('eventXml() gives the same event for the same number', () => {
  assert.equal(eventXml(7), eventXml(7));
  assert.notEqual(eventXml(7), eventXml(8));
});

test('arithmeticOf() multiplies what a fleet measured up to 100,000 PCs', () => {
  const sizes = { agents: 10, seconds: 1, backlog: 100, chunkBytes: 1 };
  const text = arithmeticOf(sizes, {
    ...{ sent: 1_000, lost: 0, doubled: 0, answers: {}, accepted: 1_000, duplicates: 0 },
    ...{
      trickled: { chunks: 100, events: 100 },
      delayMs: { median: 1, p99: 2 },
      calmDelayMs: { median: 1, p99: 2 },
      peakRssMiB: 1,
    },
    ...{ drainSeconds: { fastest: 1, slowest: 1 }, drainReceipts: { fastest: 1, slowest: 1 } },
    cpu: {
      trickle: { collector: 0.1, postgres: 0.05 },
      drain: { collector: 0.02, postgres: 0.01 },
    },
    storedBytes: { events: 500_000, chunks: 100_000 },
  });
  // 8,333 chunks a second × 1,000 µs; 200 million events × 500 bytes.
  assert.match(text, /\| collectors for them \| × 1,000 µs \| 8.33 cores \|/);
  assert.match(text, /\| PostgreSQL for them \| × 500 µs \| 4.17 cores \|/);
  assert.match(text, /100 GB a day, 9 TB in 90 days/);
  assert.match(text, /64,000 chunks of one event a second/);
});

test('sharesOf() sums the program’s busiest profile by stage and library, without its waiting', () => {
  const frame = (id: number, functionName: string, url: string) => ({
    ...{ id, callFrame: { functionName, url } },
  });
  const nodes = [
    frame(1, '(idle)', ''),
    frame(2, 'map', 'file:///house/agent/src/map/create-mapper.ts'),
    frame(3, 'stringify', 'file:///house/node_modules/pino/lib/tools.js'),
    frame(4, '(garbage collector)', ''),
    frame(5, '', 'file:///house/agent/src/cli/run.ts'),
  ];
  const busy = { nodes, samples: [1, 2, 3, 3, 4], timeDeltas: [900, 40, 20, 30, 10] };
  const idle = { nodes, samples: [1, 2], timeDeltas: [5_000, 1] };
  const loader = { nodes: nodes.slice(1, 4), samples: [2], timeDeltas: [7_000] };
  assert.deepEqual(sharesOf('agent', [idle, busy, loader]), {
    pino: 50,
    'agent: map': 40,
    'garbage collection': 10,
  });
});
