/**
 * Goal: an agent that needs too much memory says so and begins anew, and no other does. Method: the watch on figures of its own, and
 * the real agent with a limit that is too small for it.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Log, SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { stringify } from 'yaml';
import { SINK_KEY, startChunkSink } from '../../tests/support/chunk-sink.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { startProgram } from '../../tests/support/processes.ts';
import { readSpooled } from '../../tests/support/spooled.ts';
import { temporaryFolder } from '../../tests/support/temporary-folder.ts';
import { watchMemory } from './watch-memory.ts';

const MIB = 1024 * 1024;
const usageOf = (rss: number): NodeJS.MemoryUsage => ({
  ...{ rss, heapUsed: rss / 2, heapTotal: rss / 2, external: 0, arrayBuffers: 0 },
});

/** Looks through the figures; gives what was said, once all of them were seen. */
async function said(figures: readonly number[], bytesMax: number): Promise<string[]> {
  const reasons: string[] = [];
  let [index, looks] = [0, 0];
  const usage = (): NodeJS.MemoryUsage => {
    looks += 1;
    index = Math.min(looks, figures.length) - 1;
    return usageOf((figures[index] ?? 0) * MIB);
  };
  const lines: string[] = [];
  const log: Log = { ...SILENT_LOG, error: (_, message) => void lines.push(message) };
  const end = watchMemory({
    ...{ bytesMax: bytesMax * MIB, log, usage, lookMs: 1 },
    onExceeded: (reason) => void reasons.push(reason),
  });
  await eventually(() => looks >= figures.length || reasons.length > 0);
  end();
  assert.equal(lines.length, reasons.length);
  return reasons;
}

test('a peak is not judged, and neither is memory below the limit', async () => {
  assert.deepEqual(await said([90, 300, 300, 90, 300, 300, 90], 200), []);
});

test('memory that stays above the limit is told once, with both figures', async () => {
  const reasons = await said([90, 300, 300, 300, 300, 300, 300], 200);
  assert.equal(reasons.length, 1);
  assert.match(reasons[0] ?? '', /had 300 MiB of memory and may have 200 MiB \(max_memory\)/);
});

test('an agent that needs more than max_memory ends with 75, keeps what it read and tells the collector at its next start', async (t) => {
  const data = temporaryFolder(t);
  const sink = await startChunkSink();
  t.after(() => sink.stop());
  const file = join(data, 'launchbeat.yml');
  const bridge = [process.execPath, 'tests/support/play-bridge.ts', '--file'];
  bridge.push('ecs-schemas/fixtures/demo-office.xml.ndlines');
  const config = {
    capture: { source: 'security-log', command: bridge },
    select: 'all',
    max_memory: '64MiB',
    output: { collector: { url: sink.url, api_key: SINK_KEY } },
    path: { data, logs: join(data, 'logs') },
  };
  writeFileSync(file, stringify(config));
  const agent = startProgram(process.execPath, ['agent/src/main.ts', 'run', '-e', '-c', file], {
    t,
  });
  const line = await agent.waitForLine(/max_memory is 64 MiB/);
  assert.match(line, /"log\.level":"error"/);
  assert.equal((await agent.exited).code, 75);
  assert.ok(readSpooled(join(data, 'spool')).length > 0);
  const { facts } = JSON.parse(readFileSync(join(data, 'facts.json'), 'utf8'));
  assert.ok(facts.some(({ kind }: { kind: string }) => kind === 'memory'));
});
