/**
 * Goal: an agent that reads forwarded events loses none when it is killed, and goes on where it was. Method: the real agent on a stand-in
 * for the bridge, with a collector that takes nothing, so that the spool shows what was kept.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { stringify } from 'yaml';
import { startChunkSink } from '../../tests/support/chunk-sink.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { forwardedRecording } from '../../tests/support/forwarded-recording.ts';
import { startProgram } from '../../tests/support/processes.ts';
import { readSpooled } from '../../tests/support/spooled.ts';
import { temporaryFolder } from '../../tests/support/temporary-folder.ts';
import { knownPosition } from './spool/position.ts';

const keyOf = (xml: string): string =>
  /<EventRecordID>(\d+).*<Computer>([^<]*)/.exec(xml)?.slice(1).join(' ') ?? '';

test('an agent that is killed again and again spools every forwarded event and goes on from its place', async (t) => {
  const sink = await startChunkSink({ react: () => ({ kind: 'problem', name: 'unavailable' }) });
  t.after(() => sink.stop());
  const data = temporaryFolder(t);
  const recording = join(data, 'forwarded.ndlines');
  writeFileSync(recording, `${forwardedRecording.join('\n')}\n`);
  const file = join(data, 'launchbeat.yml');
  const config = {
    ...{ select: 'all', exclude: { system_accounts: false, helper_processes: false } },
    capture: {
      ...{ source: 'forwarded-events', start: 'oldest', batch_size: 5, poll_interval: '100ms' },
      command: [
        ...[process.execPath, 'tests/support/play-bridge.ts', '--file', recording],
        ...['--new', '--seconds', '6'],
      ],
    },
    check_in: { enabled: false },
    output: { collector: { url: sink.url, api_key: 'id:secret' } },
    path: { data, logs: join(data, 'logs') },
  };
  writeFileSync(file, stringify(config));
  const kept = (): string[] =>
    readSpooled(join(data, 'spool')).map(({ winlog }) =>
      [winlog.record_id, winlog.computer_name].join(' '),
    );
  for (const wanted of [20, 60, forwardedRecording.length]) {
    const agent = startProgram(process.execPath, ['agent/src/main.ts', 'run', '-c', file], { t });
    await eventually(() => new Set(kept()).size >= wanted, { timeoutMs: 40_000 });
    agent.signal('SIGKILL');
    await agent.exited;
  }
  const expected = forwardedRecording.map(keyOf);
  assert.deepEqual(new Set(kept()), new Set(expected));
  // What was durable but without a position yet may stand there twice; that much only.
  assert.ok(kept().length <= expected.length + 2 * 5, `${kept().length} lines`);
  // As the agent reads it: the file itself is not there when the kill fell between its two renames.
  const position = knownPosition(data, SILENT_LOG);
  assert.equal(position?.log, 'ForwardedEvents');
  assert.ok(position.recordId > 60 && position.recordId <= forwardedRecording.length);
});
