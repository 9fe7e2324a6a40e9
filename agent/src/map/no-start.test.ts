/**
 * Goal: what is no start is never shipped as one, and nothing can hide behind that; what process-poll found is told apart from what
 * Windows logged. Method: the mapper, on events as they come.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { processStartSchema } from '@launchbeat/ecs-schemas';
import { createMapper, type MapOutcome } from './create-mapper.ts';
import { mapConfigSchema } from './map-config.ts';

const at = (name: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../${name}`, import.meta.url)), 'utf8');
const CHROME = at('ecs-schemas/fixtures/v2-person-chrome.xml').trimEnd();
const POLLED = /^P (.*3001.*)$/m.exec(at('agent/fixtures/bridge/denied.bridge'))?.[1] ?? '';
const TIME = '2026-11-23T09:00:00.4417210Z';

const agent = { id: crypto.randomUUID(), name: 'PC', version: '1.0.0', ephemeralId: 'e' };
const config = mapConfigSchema.parse({
  select: 'all',
  exclude: { system_accounts: false, helper_processes: false },
});
const mapper = createMapper({ config, agent, namespace: 'default' });
const map = (xml: string): MapOutcome => mapper.map({ xml, readAtMs: Date.parse(TIME) });

/** The event with other values. */
function withData(values: Readonly<Record<string, string>>): string {
  return Object.entries(values).reduce(
    (xml, [name, value]) =>
      xml.replace(new RegExp(`(<Data Name='${name}'>)[^<]*`), (_, head: string) => head + value),
    CHROME,
  );
}

const MARK = `launchbeat-canary-${'0123456789abcdef'.repeat(2)}`;
const SHELL = 'C:\\Windows\\System32\\cmd.exe';

const CANARIES: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['as the agent starts it', { CommandLine: `${SHELL} /d /c rem ${MARK}` }],
  ['with its path in quotes', { CommandLine: `&quot;${SHELL}&quot; /d /c rem ${MARK}` }],
  [
    'in the case of another Windows',
    { CommandLine: `C:\\WINDOWS\\system32\\cmd.exe /d /c rem ${MARK}` },
  ],
  [
    ...(['of an installed agent, without command lines'] as const),
    { CommandLine: '', ParentProcessName: 'C:\\Program Files\\Launchbeat\\node.exe' },
  ],
];

for (const [what, values] of CANARIES) {
  test(`the canary of any agent is left out: ${what}`, () => {
    const xml = withData({ NewProcessName: SHELL, ...values });
    assert.deepEqual(map(xml), { outcome: 'left_out', reason: 'canary' });
  });
}

const IMPOSTORS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['more commands', { CommandLine: `${SHELL} /d /c rem ${MARK} &amp; calc.exe` }],
  ['a line more', { CommandLine: `${SHELL} /d /c rem ${MARK}&#10;calc.exe` }],
  ['another verb', { CommandLine: `${SHELL} /d /c start ${MARK}` }],
  ['a program of its own', { NewProcessName: 'C:\\Users\\anna\\cmd.exe' }],
  ['a mark that is none', { CommandLine: `${SHELL} /d /c rem launchbeat-canary-x` }],
  [
    'no command line, and another parent',
    { CommandLine: '', ParentProcessName: 'C:\\Temp\\node.exe' },
  ],
];

for (const [what, values] of IMPOSTORS) {
  test(`nobody hides behind the canary's mark: ${what}`, () => {
    const canary = { NewProcessName: SHELL, CommandLine: `${SHELL} /d /c rem ${MARK}` };
    assert.equal(map(withData({ ...canary, ...values })).outcome, 'done');
  });
}

test('an event older than capture.ignore_older is left out when it is read, whatever it is', () => {
  const strict = createMapper({ config, agent, namespace: 'default', ignoreOlderMs: 60_000 });
  const time = Date.parse(/SystemTime='([^']+)/.exec(CHROME)?.[1] ?? '');
  const outcomes = [60_000, 60_001].map((age) => strict.map({ xml: CHROME, readAtMs: time + age }));
  assert.equal(outcomes[0]?.outcome, 'done');
  assert.deepEqual(outcomes[1], { outcome: 'left_out', reason: 'too_old' });
});

test('what process-poll finds has an id that stays, and that no event of Windows has', () => {
  const polled = POLLED.replace('{now-1s}', TIME);
  const documents = [
    polled,
    polled,
    polled.replace('0x3001', '0x3002').replace('>12289<', '>12290<'),
  ].map((xml) => {
    const mapped = map(xml);
    assert.ok(mapped.outcome === 'done', JSON.stringify(mapped));
    return processStartSchema.parse({ ...mapped.document });
  });
  const [one, again, other] = documents;
  assert.equal(one?.event.id, again?.event.id);
  assert.notEqual(one?.event.id, other?.event.id);
  const audited = polled
    .replace('Launchbeat-ProcessPoll', 'Microsoft-Windows-Security-Auditing')
    .replace('8a1f6b57-2c4e-4a5d-9b0e-5f0c1d2e3a47', '54849625-5478-4994-a5ba-3e3b0328c30d')
    .replace('<EventID>1<', '<EventID>4688<');
  const mapped = map(audited);
  assert.ok(mapped.outcome === 'done');
  assert.notEqual(mapped.document.event.id, one?.event.id);
  assert.equal(mapped.document.launchbeat.source, undefined);
  assert.equal(one?.launchbeat.source, 'poll');
  assert.ok(one.launchbeat.flags?.includes('degraded'));
  assert.equal(one.launchbeat.actor.name, 'anna');
  assert.equal(one.launchbeat.launch, true);
});

test('of a process whose owner may not be asked, the session says whether it is the system', () => {
  const unnamed = POLLED.replace('{now-1s}', TIME).replace(
    /(<Data Name='Subject\w+'>)[^<]*/g,
    '$1',
  );
  const usual = createMapper({
    config: mapConfigSchema.parse({ select: 'all' }),
    ...{ agent, namespace: 'default' },
  });
  const outcome = (session: string): string => {
    const xml = unnamed.replace("'SessionId'>1<", `'SessionId'>${session}<`);
    return usual.map({ xml, readAtMs: 0 }).outcome;
  };
  assert.deepEqual([outcome('1'), outcome('0'), outcome('')], ['done', 'left_out', 'left_out']);
});
