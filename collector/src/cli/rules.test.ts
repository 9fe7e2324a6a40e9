/**
 * Goal: an admin sees what rules do before they are trusted: each mistake with its line, each rule with its hearers, each event with
 * what fires and why the rest does not. Method: the real command on files, without PostgreSQL and Telegram.
 */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ndjsonLines, processStart } from '../../../tests/support/documents.ts';
import { runProgram } from '../../../tests/support/processes.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';

const COLLECTOR = 'collector/src/main.ts';
const ALERTS = `time_zone: Europe/Moscow
chats:
  duty: 1
  boss: 2
rules:
  - id: browsers
    description: What people surf with
    programs: [Google Chrome]
    severity: low
    chats: [duty]
  - id: remote
    programs: ['*']
    flags: [remote_tool]
    template: "<b>{{user}}</b>\\n{{process}} & {{host}}"
  - id: paused
    enabled: false
    executables: ['*\\Temp\\*']
`;

async function rules(t: TestContext, alerts: string, args: readonly string[], input?: Buffer) {
  const folder = temporaryFolder(t);
  cpSync('collector/collector.yml', join(folder, 'collector.yml'));
  writeFileSync(join(folder, 'alerts.yml'), alerts);
  const end = await runProgram(
    process.execPath,
    [COLLECTOR, 'rules', ...args, '--path.config', folder],
    {
      env: { LAUNCHBEAT_POSTGRESQL_URL: undefined, LAUNCHBEAT_TELEGRAM_TOKEN: undefined },
      ...(input === undefined ? {} : { input }),
    },
  );
  return { ...end, folder };
}

const AT_NOON = { '@timestamp': '2026-11-23T09:00:00Z' };
const CHROME = processStart(AT_NOON);
const ANYDESK = processStart({
  ...AT_NOON,
  process: { name: 'AnyDesk\u202E.exe' },
  launchbeat: { program: undefined, flags: ['remote_tool'] },
});

test('rules check shows each rule, who hears it, and what may not be meant', async (t) => {
  const { code, stdout, stderr, folder } = await rules(t, ALERTS, ['check']);
  assert.equal(code, 0, stderr);
  assert.deepEqual(stdout.trimEnd().split('\n'), [
    `${join(folder, 'alerts.yml')}: Config OK`,
    'on   browsers  low → duty',
    '       What people surf with',
    'on   remote  medium → duty, boss',
    'off  paused  medium → duty, boss',
    "       Note: it is about watched programs only. For all programs write programs: ['*'].",
  ]);
});

test('rules check of the shipped file shows the rule that is in force, and that nobody hears it', async (t) => {
  const { code, stdout } = await rules(t, readFileSync('collector/alerts.yml', 'utf8'), ['check']);
  assert.equal(code, 0);
  assert.match(stdout, /on {3}watched-programs {2}low → nobody\n.*\n +Note: nobody hears it/);
});

test('rules check names every mistake with its line and ends with 78', async (t) => {
  const text = ALERTS.replace('programs: [Google', 'program: [Google').replace('low', 'lowest');
  const { code, stderr } = await rules(t, text, ['check']);
  assert.equal(code, 78);
  assert.match(stderr, /alerts\.yml:8: rules\.0\.program: Unknown key\. Did you mean "programs"/);
  assert.match(stderr, /alerts\.yml:9: rules\.0\.severity: Expected one of/);
});

test('rules test says for each event which rules fire with which message, and why the others do not', async (t) => {
  const input = ndjsonLines([CHROME, 'nonsense', ANYDESK, '{"event": 1}']);
  const { code, stdout } = await rules(t, ALERTS, ['test', '-'], input);
  assert.equal(code, 1, 'lines that are no events');
  const rows = stdout.split('\n');
  assert.deepEqual(rows.slice(0, 11), [
    'line 1  23.11.2026 12:00:00  ACME\\Иванов  chrome.exe  pc-042.acme.local',
    '  fires  browsers → duty: 23.11.2026 12:00:00 Пользователь Иванов запустил chrome.exe',
    '  not    remote: flags: nothing is not in [remote_tool]',
    `  not    paused: enabled: the rule is switched off; executables: ${CHROME.process.executable?.toLowerCase()} is not in [*\\Temp\\*]`,
    'line 2  no event: not JSON',
    'line 3  23.11.2026 12:00:00  ACME\\Иванов  AnyDesk⟨U+202E⟩.exe  pc-042.acme.local',
    '  fires  remote → duty, boss: Иванов',
    '         AnyDesk⟨U+202E⟩.exe & pc-042.acme.local',
    '  not    browsers: programs: anydesk⟨U+202E⟩.exe is not in [Google Chrome]',
    rows[9],
    rows[10],
  ]);
  assert.match(rows[9] ?? '', /^ {2}not {4}paused: .*switched off; programs: the rule names none/);
  assert.match(rows[10] ?? '', /^line 4 {2}no event: .*event: /);
  assert.deepEqual(rows.slice(11), [
    '',
    '2 events, 2 lines that are none',
    '       1  fired: browsers',
    '       1  fired: remote',
    '       0  fired: paused',
    '       2  messages to duty',
    '       1  messages to boss',
    '',
  ]);
});

test('rules test names the chats that hear of this event, by its PC and its hour, and each event that a line tells of', async (t) => {
  const alerts = `chats: { night: 1, tills: 2, rest: 3 }
groups: { tills: { hosts: ['KASSA-*'] } }
routes:
  - { schedule: { from: '22:00', to: '06:00' }, chats: [night] }
  - { groups: [tills], chats: [tills] }
fallback: rest
rules:
  - { id: browsers, programs: [chrome.exe] }
  - id: pair
    kind: sequence
    within: 5m
    programs: [winword.exe]
    followed_by: { programs: [cmd.exe] }
    template: '{{time}}'
`;
  const of = (time: string, name: string, host = 'pc-1') =>
    processStart({ '@timestamp': `2026-11-23T${time}Z`, process: { name }, host: { name: host } });
  const input = ndjsonLines([
    of('12:00:00', 'chrome.exe'),
    of('12:00:00', 'chrome.exe', 'KASSA-7'),
    of('23:00:00', 'chrome.exe', 'KASSA-7'),
    ...[of('23:04:00', 'cmd.exe'), of('23:05:00', 'cmd.exe'), of('23:03:00', 'winword.exe')],
  ]);
  const { stdout } = await rules(t, alerts, ['test', '-', '--json'], input);
  const fires = stdout
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { fires?: { chats: string[]; message: string }[] }).fires);
  assert.deepEqual(
    fires.slice(0, 3).map((one) => one?.map(({ chats }) => chats)),
    [[['rest']], [['tills']], [['night', 'tills']]],
  );
  assert.deepEqual(
    fires[5]?.map(({ message }) => message),
    ['23.11.2026 23:04:00', '23.11.2026 23:05:00'],
  );
  assert.match(stdout, /"messages":\{"rest":1,"tills":2,"night":3\}/);
});

test('rules test reads a file without a last line feed, for one rule, as NDJSON', async (t) => {
  const file = join(temporaryFolder(t), 'events.ndjson');
  writeFileSync(file, ndjsonLines([ANYDESK, CHROME]).toString('utf8').trimEnd());
  const { code, stdout, stderr } = await rules(t, ALERTS, [
    'test',
    file,
    '--rule',
    'browsers',
    '--json',
  ]);
  assert.equal(code, 0, stderr);
  const [one, two, sums] = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(one?.['fires'], []);
  assert.equal(two?.['event_id'], CHROME.event.id);
  assert.deepEqual(two?.['fires'], [
    {
      rule: 'browsers',
      chats: ['duty'],
      message: '23.11.2026 12:00:00 Пользователь Иванов запустил chrome.exe',
    },
  ]);
  assert.deepEqual(sums, {
    outcome: 'sums',
    events: 2,
    no_events: 0,
    rules: { browsers: 1 },
    messages: { duty: 1 },
  });
});

test('rules test refuses a file that is not there, an unknown rule, and a line without end', async (t) => {
  const [gone, unknown, long] = await Promise.all([
    rules(t, ALERTS, ['test', 'no-such.ndjson']),
    rules(t, ALERTS, ['test', '-', '--rule', 'browser'], ndjsonLines([CHROME])),
    rules(t, ALERTS, ['test', '-'], Buffer.alloc(400_000, 'x')),
  ]);
  assert.match(gone.stderr, /no-such\.ndjson is not there\. Name a file of events/);
  assert.match(unknown.stderr, /No rule has the id browser\. Rules: browsers, remote, paused\./);
  assert.match(long.stderr, /has a line of more than 262144 bytes/);
  assert.ok([gone.code, unknown.code, long.code].every((code) => code !== 0));
});
