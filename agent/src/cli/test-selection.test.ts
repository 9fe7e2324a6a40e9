/**
 * Goal: an admin who writes a selection sees what it does before it is rolled out, on a PC without collector and key.
 * Method: the real command on fixtures, with configs whose output is not filled in.
 */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runProgram } from '../../../tests/support/processes.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';

const AGENT = 'agent/src/main.ts';
const OUTPUT = 'output.collector: {url: "${NOT_SET_URL}", api_key: "${NOT_SET_KEY}"}';

const fixture = (name: string): string =>
  readFileSync(`ecs-schemas/fixtures/${name}.xml`, 'utf8').trimEnd();

async function select(t: TestContext, yaml: string, lines: readonly string[], ...args: string[]) {
  const folder = temporaryFolder(t);
  const config = join(folder, 'launchbeat.yml');
  const data = join(folder, 'data');
  writeFileSync(config, `${yaml}\n${OUTPUT}\npath: {data: '${data}', logs: '${data}'}\n`);
  const events = join(folder, 'events.xml');
  writeFileSync(events, `${lines.join('\n')}\n`);
  const end = await runProgram(process.execPath, [
    AGENT,
    'test',
    'selection',
    events,
    '-c',
    config,
    ...args,
  ]);
  return { ...end, data, events };
}

test('each event is shipped or has its reason, the summary adds up, nothing is written', async (t) => {
  const chrome = fixture('v2-person-chrome');
  const secret = chrome.replace(/(<Data Name='CommandLine'>)[^<]*/, '$1chrome.exe --token Zq71kk');
  const yaml = `
processors:
  - drop_event.when.contains.process.command_line: kiosk
`;
  const dropped = chrome.replace(/(<Data Name='CommandLine'>)[^<]*/, '$1chrome.exe --kiosk');
  const broken = chrome.replace(/<Computer>[^<]*<\/Computer>/, '');
  const { code, stdout, stderr, data } = await select(t, yaml, [
    chrome,
    secret,
    dropped,
    broken,
    'nonsense',
  ]);
  assert.equal(code, 0, stderr);
  const rows = stdout.trimEnd().split('\n');
  assert.match(
    rows[0] ?? '',
    /^\d+ {2}2026-03-02T\S+Z {2}C:\\.*chrome\.exe {2}shipped as Google Chrome$/,
  );
  assert.match(rows[1] ?? '', /shipped as Google Chrome, 1 redacted$/);
  assert.match(rows[2] ?? '', /left out: processors\.0$/);
  assert.match(rows[3] ?? '', /refused: Event has no System\/Computer\.$/);
  assert.match(rows[4] ?? '', /refused: .*events\.xml/);
  assert.deepEqual(rows.slice(6), [
    '5 events',
    '         2  shipped, with 1 secrets redacted',
    '         1  left out: processors.0',
    '         2  refused',
  ]);
  assert.ok(!stdout.includes('Zq71kk'));
  assert.ok(!existsSync(data), 'a test writes nothing');
});

test('--json gives an object for each event and the summary last', async (t) => {
  const names = globSync('ecs-schemas/fixtures/*.xml').map((file) => basename(file, '.xml'));
  const { stdout } = await select(t, 'select: watched', names.map(fixture), '--json');
  const objects = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const summary = objects.at(-1) as {
    type: string;
    events: number;
    shipped: number;
    refused: number;
    left_out: Record<string, number>;
  };
  const left = Object.values(summary.left_out).reduce((sum, count) => sum + count, 0);
  assert.equal(summary.type, 'summary');
  assert.equal(summary.events, objects.length - 1);
  assert.equal(summary.shipped + summary.refused + left, summary.events);
  assert.ok(
    (summary.left_out['helper_process'] ?? 0) > 0 && (summary.left_out['not_watched'] ?? 0) > 0,
  );
  for (const one of objects.slice(0, -1)) {
    assert.equal(one['type'], 'event');
    assert.equal(
      one['outcome'] === 'left_out',
      typeof one['reason'] === 'string' && one['outcome'] !== 'refused',
    );
  }
});

test('what is wrong outside of the output still stops it; a file that is not there is said', async (t) => {
  const wrong = await select(t, 'name: "${NOT_SET_NAME}"', []);
  assert.equal(wrong.code, 78);
  assert.match(wrong.stderr, /name: Variable NOT_SET_NAME is not set/);
  assert.doesNotMatch(wrong.stderr, /NOT_SET_URL|output/);
  const folder = temporaryFolder(t);
  const config = join(folder, 'launchbeat.yml');
  writeFileSync(config, OUTPUT);
  const missing = await runProgram(process.execPath, [
    AGENT,
    'test',
    'selection',
    join(folder, 'no.xml'),
    '-c',
    config,
  ]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /no\.xml is not there/);
});
