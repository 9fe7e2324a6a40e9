/**
 * Goal: wherever the agent is killed, after its next start the collector has what the source gave, each event once. Method: the real
 * agent is killed with SIGKILL at a named step (kill-point.ts) while it reads a played log, and started again; the collector is the
 * real app on PostgreSQL. `make test` does a few of the steps, `make faults` all.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { type CollectorApp, startCollectorApp } from '../support/collector-app.ts';
import { eventually } from '../support/eventually.ts';
import type { KillPoint } from '../support/kill-point.ts';
import { type Program, startProgram } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { type Given, giveEvents, writeRecording } from './given-events.ts';

const AGENT = fileURLToPath(new URL('../../agent/src/main.ts', import.meta.url));
const BRIDGE = fileURLToPath(new URL('../support/play-bridge.ts', import.meta.url));
const PRELOAD = new URL('../support/kill-point.ts', import.meta.url).href;

const EVENTS = 130;
/** Long enough that the spool begins a second file: three copies of it are in each line. */
const PAYLOAD_UNITS = 4_000;
/** Has no System/Computer: it goes to quarantine. */
const REFUSED = 25;
const SETTLE_TIMEOUT_MS = 60_000;
const KILL_TIMEOUT_MS = 60_000;
const NOT_PASSED = { signal: 'none: the step was never reached' };

const SEGMENT = 'launchbeat\\.\\d{8}\\.\\d+\\.ndjson$';
const SECOND = 'launchbeat\\.\\d{8}\\.2\\.ndjson$';
const state = (name: string, to: string): string => `${name} → .*${to}$`;

interface Row {
  readonly name: string;
  /** Where it is killed, one start after the other. */
  readonly kills: readonly KillPoint[];
  /** Done in `make test` too. */
  readonly quick?: true;
}

const ON_THE_WAY: KillPoint = { channel: 'bodySent', path: '/v1/chunks', pass: 2 };
/** All of the first file has its receipts, and the checkpoint says so. */
const IN_SECOND: KillPoint = {
  ...{ call: 'writeSync', path: 'checkpoint\\.json\\.new$', when: 'before' },
  ...{ text: '"number":2', pass: 2 },
};
const TORN: KillPoint = { call: 'writeSync', path: SEGMENT, when: 'half', pass: 4 };

const ROWS: readonly Row[] = [
  {
    name: 'its id is written, not yet in its place',
    kills: [{ call: 'renameSync', path: 'agent\\.json', when: 'before' }],
  },
  {
    name: 'the redaction key is in its place, its folder not forced to disk',
    kills: [{ call: 'renameSync', path: 'redaction-key\\.json$', when: 'after' }],
  },
  {
    name: 'the first file of the spool is made, and empty',
    kills: [{ call: 'openSync', path: SEGMENT, when: 'after' }],
  },
  {
    name: 'lines are about to be written',
    kills: [{ call: 'writeSync', path: SEGMENT, when: 'before', pass: 3 }],
  },
  { name: 'half of the lines are written', kills: [TORN], quick: true },
  {
    name: 'lines are written, not forced to disk',
    kills: [{ call: 'fsyncSync', path: SEGMENT, when: 'before', pass: 3 }],
  },
  {
    name: 'lines are on disk, the position does not know',
    kills: [{ call: 'fsyncSync', path: SEGMENT, when: 'after', pass: 3 }],
    quick: true,
  },
  {
    name: 'the second file of the spool is begun',
    kills: [{ call: 'openSync', path: SECOND, when: 'after' }],
  },
  {
    name: 'lines are written to the second file',
    kills: [{ call: 'fsyncSync', path: SECOND, when: 'before' }],
  },
  {
    name: 'half of the position is written',
    kills: [{ call: 'writeSync', path: 'position\\.json\\.new$', when: 'half', pass: 2 }],
  },
  {
    name: 'the position is kept as the old one, the new one is not in its place',
    kills: [{ call: 'renameSync', path: state('position\\.json', '\\.old'), when: 'after' }],
    quick: true,
  },
  {
    name: 'the position is in its place, its folder not forced to disk',
    kills: [
      { call: 'renameSync', path: state('position\\.json\\.new', 'json'), when: 'after', pass: 3 },
    ],
  },
  {
    name: 'a torn line of the spool is about to be cut',
    kills: [TORN, { call: 'ftruncateSync', path: SEGMENT, when: 'before' }],
  },
  {
    name: 'a torn line of the spool is cut, the cut not forced to disk',
    kills: [TORN, { call: 'ftruncateSync', path: SEGMENT, when: 'after' }],
  },
  {
    name: 'half of what is no event is in quarantine',
    kills: [{ call: 'writeSync', path: 'quarantine\\.\\d+\\.ndjson$', when: 'half' }],
  },
  {
    name: 'what is no event is in quarantine, the position does not know',
    kills: [{ call: 'fsyncSync', path: 'quarantine\\.\\d+\\.ndjson$', when: 'after' }],
  },
  {
    name: 'the range of a chunk is about to be planned',
    kills: [{ call: 'openSync', path: 'checkpoint\\.json\\.new$', when: 'before' }],
  },
  {
    name: 'half of the checkpoint is written',
    kills: [{ call: 'writeSync', path: 'checkpoint\\.json\\.new$', when: 'half', pass: 2 }],
  },
  {
    name: 'the checkpoint is kept as the old one, the new one is not in its place',
    kills: [{ call: 'renameSync', path: state('checkpoint\\.json', '\\.old'), when: 'after' }],
  },
  {
    name: 'the range of a chunk is planned, and nothing sent',
    kills: [{ channel: 'create', path: '/v1/chunks', pass: 2 }],
  },
  { name: 'a chunk is sent, its receipt not come', kills: [ON_THE_WAY], quick: true },
  {
    name: 'a chunk is sent, twice without a receipt',
    kills: [ON_THE_WAY, { channel: 'bodySent', path: '/v1/chunks' }],
  },
  {
    name: 'the answer begins to come',
    kills: [{ channel: 'headers', path: '/v1/chunks', pass: 2 }],
  },
  {
    name: 'the receipt is read, the checkpoint does not know',
    kills: [{ channel: 'trailers', path: '/v1/chunks', pass: 2 }],
    quick: true,
  },
  {
    name: 'an acknowledged file is about to be deleted',
    kills: [IN_SECOND, { call: 'rmSync', path: SEGMENT, when: 'before' }],
  },
  {
    name: 'an acknowledged file is deleted',
    kills: [IN_SECOND, { call: 'rmSync', path: SEGMENT, when: 'after' }],
  },
];

/** The recording of a row; its marks are its own, since all rows share a collector. */
function recordingOf(index: number): Given[] {
  const computer = `PC-KILL-${index}.office.example`;
  const filling = 'x'.repeat(PAYLOAD_UNITS);
  return giveEvents({
    count: EVENTS,
    alerts: false,
    payload: (at) => ` --row=${index} ${filling}${at}`,
  }).map((one, at) => ({
    ...one,
    xml: one.xml.replace(
      /<Computer>[^<]*<\/Computer>/,
      at === REFUSED ? '<Computer></Computer>' : `<Computer>${computer}</Computer>`,
    ),
  }));
}

interface Pc {
  readonly folder: string;
  readonly given: readonly Given[];
  start(kill?: KillPoint): Program;
}

async function installPc(t: TestContext, app: CollectorApp, index: number): Promise<Pc> {
  const folder = temporaryFolder(t);
  const given = recordingOf(index);
  const recording = join(folder, 'recording.xml');
  writeRecording(recording, given);
  const key = await app.keys.create({ name: `PC of row ${index}` });
  const config = {
    select: 'all',
    capture: {
      batch_size: 10,
      poll_interval: '100ms',
      command: [process.execPath, BRIDGE, '--file', recording, '--seconds', '1'],
    },
    spool: { segment_bytes: '1MiB', max_bytes: '4MiB', retention: '0s', disk_free_min: 0 },
    output: {
      collector: {
        ...{ url: app.server.url, api_key: `${key.id}:${key.secret}`, chunk_bytes: '64KiB' },
        backoff: { init: '50ms', max: '200ms' },
      },
    },
    path: { data: join(folder, 'data'), logs: join(folder, 'logs') },
  };
  writeFileSync(join(folder, 'launchbeat.yml'), stringify(config), { mode: 0o600 });
  return {
    folder,
    given: given.filter((_, at) => at !== REFUSED),
    start: (kill) =>
      startProgram(
        process.execPath,
        ['--import', PRELOAD, AGENT, 'run', '-e', '--path.config', folder],
        { env: { LAUNCHBEAT_TEST_KILL_POINT: kill && JSON.stringify(kill) }, t },
      ),
  };
}

async function marksOf(app: CollectorApp, index: number): Promise<string[]> {
  const rows = await app.sql<{ command_line: string }[]>`
    select command_line from events where command_line like ${`%--row=${index} %`}`;
  return rows.map(({ command_line: text }) => /--given=(\w+)/.exec(text)?.[1] ?? text).sort();
}

async function livesThrough(t: TestContext, app: CollectorApp, row: Row): Promise<void> {
  const index = ROWS.indexOf(row);
  const pc = await installPc(t, app, index);
  for (const kill of row.kills) {
    const program = pc.start(kill);
    const end = await Promise.race([
      program.exited,
      wait(KILL_TIMEOUT_MS, NOT_PASSED, { ref: false }),
    ]);
    assert.equal(end.signal, 'SIGKILL', `${JSON.stringify(kill)} was passed:\n${program.stderr()}`);
  }
  const program = pc.start();
  const marks = pc.given.map((one) => one.mark).sort();
  await eventually(async () => assert.equal((await marksOf(app, index)).length, marks.length), {
    timeoutMs: SETTLE_TIMEOUT_MS,
  });
  await eventually(() => assert.match(quarantined(pc), /"reason":"Event has no System/));
  assert.equal((await program.stop()).code, 0);
  assert.deepEqual(await marksOf(app, index), marks);
  assert.doesNotMatch(
    program.stderr(),
    /Events (?:are|may be) lost|Collector (?:refused|rejected)/,
  );
}

const quarantined = (pc: Pc): string =>
  globSync(join(pc.folder, 'data/spool/quarantine/*'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('');

const everything = process.env['LAUNCHBEAT_FAULTS_TABLE'] !== undefined;

test('the agent is killed, started again, and the collector has what the source gave', {
  concurrency: 2,
}, async (t) => {
  const app = await startCollectorApp(t);
  const rows = ROWS.map((row) => {
    const skip = everything || row.quick === true ? false : 'make faults does this one too';
    return t.test(row.name, { skip }, (sub) => livesThrough(sub, app, row));
  });
  await Promise.all(rows);
});
