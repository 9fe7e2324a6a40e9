/**
 * Goal: the one file that goes to a PC is the whole agent. Method: bundle it, put it into a folder where no node_modules is near,
 * laid out as in Program Files, and run it there with the Node.js that Windows gets too, with the flags that launchbeat.exe gives.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { SINK_KEY, startChunkSink } from '../../../tests/support/chunk-sink.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { type Program, startProgram } from '../../../tests/support/processes.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { bundleAgent, bundlerInstalled } from './bundle-agent.ts';
import { NODE_FLAGS, ROOT, VERSION } from './layout.ts';

const skip = bundlerInstalled() ? false : 'the bundler is not installed: run make windows';
const OFFICE = join(ROOT, 'ecs-schemas/fixtures/demo-office.xml.ndlines');
const BRIDGE = join(ROOT, 'tests/support/play-bridge.ts');
const EVENTS = readFileSync(OFFICE, 'utf8').trimEnd().split('\n').length;

/** Lays the bundle out as in Program Files; gives a start of it with the flags of launchbeat.exe. */
function installed(t: TestContext): (...args: string[]) => Program {
  const folder = temporaryFolder(t);
  bundleAgent(join(folder, 'app/launchbeat.mjs'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ version: VERSION }));
  writeFileSync(
    join(folder, 'launchbeat.yml'),
    readFileSync(join(ROOT, 'agent/launchbeat.yml'), 'utf8').replaceAll('\n', '\r\n'),
  );
  for (let at = folder; at !== dirname(at); at = dirname(at))
    assert.ok(!existsSync(join(at, 'node_modules')), `${at} has a node_modules`);
  const flags = [
    ...['--path.home', folder, '--path.config', folder],
    ...['--path.data', join(folder, 'data'), '--path.logs', join(folder, 'logs')],
  ];
  return (...args) =>
    startProgram(
      process.execPath,
      [...NODE_FLAGS, join(folder, 'app/launchbeat.mjs'), ...flags, ...args],
      {
        cwd: folder,
        env: {
          LAUNCHBEAT_API_KEY: SINK_KEY,
          LAUNCHBEAT_COLLECTOR_URL: sinkUrl,
          NODE_PATH: undefined,
          NODE_OPTIONS: undefined,
        },
        t,
      },
    );
}
let sinkUrl = 'http://127.0.0.1:9';

test('the bundle replays, spools and ships every event, with CRLF in its config', {
  skip,
}, async (t) => {
  const sink = await startChunkSink();
  t.after(() => sink.stop());
  sinkUrl = sink.url;
  const start = installed(t);
  const program = start(
    ...['-E', 'capture.source=replay', '-E', `capture.files=${OFFICE}`],
    ...['-E', 'select=all', '-E', 'exclude.system_accounts=false'],
    ...['-E', 'exclude.helper_processes=false', 'run', '-e'],
  );
  const end = await program.exited;
  assert.equal(end.code, 0, program.stderr());
  assert.deepEqual(sink.faults, []);
  assert.equal(sink.lines().length, EVENTS);
});

test('the bundle follows a live log, and ends in good order when its standard input does', {
  skip,
}, async (t) => {
  const sink = await startChunkSink();
  t.after(() => sink.stop());
  sinkUrl = sink.url;
  const start = installed(t);
  const command = JSON.stringify([process.execPath, BRIDGE, '--file', OFFICE]);
  const program = start(
    ...['-E', `capture.command=${command}`, '-E', 'select=all'],
    ...['run', '--stop-on-stdin-end', '-e'],
  );
  await eventually(() => sink.lines().length > 0, { timeoutMs: 20_000 });
  program.stdin.end();
  const end = await program.exited;
  assert.equal(end.code, 0, program.stderr());
  assert.match(program.stderr(), /launchbeat ends\./);
});

test('the flags that stand for what the installer was told are understood', { skip }, async (t) => {
  const start = installed(t);
  const program = start(
    ...[
      '-E',
      "programs=[{label: 'winword.exe', names: ['winword.exe']}, {label: 'Учёт 1.exe', names: ['Учёт 1.exe']}]",
    ],
    ...['-E', `output.collector.ssl.ca_trusted_fingerprint='${'0'.repeat(64)}'`],
    ...['-E', 'output.collector.ssl.certificate_authorities=C:\\ProgramData\\Launchbeat\\ca.crt'],
    ...['export', 'config'],
  );
  const end = await program.exited;
  assert.equal(end.code, 0, program.stderr());
  for (const words of [
    'winword.exe',
    'Учёт 1.exe',
    '0'.repeat(64),
    'C:\\ProgramData\\Launchbeat\\ca.crt',
  ])
    assert.ok(program.stdout().includes(words), words);
});

test('a wrong config ends with 78, which the service takes as a reason not to start again', {
  skip,
}, async (t) => {
  const start = installed(t);
  const program = start('-E', 'select=everything', 'run', '--stop-on-stdin-end');
  assert.equal((await program.exited).code, 78);
  assert.match(program.stderr(), /select/);
});

test('the agent has no dynamic import and no file of a package that the bundle would miss', {
  skip,
}, (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'app/launchbeat.mjs');
  const packages = bundleAgent(file);
  assert.deepEqual(readdirSync(join(folder, 'app')), ['launchbeat.mjs']);
  assert.ok(packages.some(({ name }) => name === 'pino'));
  const manifest = JSON.parse(readFileSync(join(ROOT, 'agent/package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const missing = Object.keys(manifest.dependencies).filter(
    (name) => !name.startsWith('@launchbeat/') && !packages.some((one) => one.name === name),
  );
  assert.deepEqual(missing, []);
});
