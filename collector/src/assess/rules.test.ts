/**
 * Goal: a rule says exactly what it seems to say, to whom, and `rules test` explains it by the same tests. Method: tables worked out
 * by hand, and random rules over random documents, where "fires" and "has no reason not to" must be one and the same.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ConfigError, loadConfig } from '@launchbeat/ecs-schemas/beat';
import fc from 'fast-check';
import { z } from 'zod';
import { type Overrides, processStart } from '../../../tests/support/documents.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { ALERT_FIELDS } from './alert-fields.ts';
import { alertsConfigSchema } from './alerts-config.ts';
import { createAssess } from './assess.ts';
import { compileGlobs } from './glob.ts';
import { explainRules } from './why-not.ts';

const SCRIPT = processStart({
  process: {
    name: 'PowerShell.exe',
    executable: 'C:\\Users\\Иванов\\Downloads\\PowerShell.exe',
    command_line: 'powershell -NoProfile -File D:\\Отчёт.ps1',
    parent: { name: 'WINWORD.EXE' },
  },
  launchbeat: { program: undefined, flags: ['office_child', 'elevated'] },
});

const configOf = (rule: object) =>
  alertsConfigSchema.parse({ chats: { duty: 1 }, rules: [{ id: 'r', ...rule }] });

function fires(rule: object, document = SCRIPT): boolean {
  const config = configOf(rule);
  const isRaised = createAssess(config)([document]).length === 1;
  const [explained] = explainRules(config);
  assert.equal(explained?.whyNot(document).length === 0, isRaised, JSON.stringify(rule));
  return isRaised;
}

const JSON_SCHEMA = { io: 'input', unrepresentable: 'any' } as const;
/** Words of JSON Schema itself. */
const STANDARD = new Set([
  'default',
  'properties',
  'items',
  'additionalProperties',
  'propertyNames',
]);

const ALL = { programs: ['*'] };

for (const [rule, want] of [
  [{ ...ALL, parents: ['winword.exe'] }, true],
  [{ ...ALL, parents: ['excel.exe', 'win?ord.*'] }, true],
  [{ ...ALL, parents: ['excel.exe'] }, false],
  [{ ...ALL, executables: ['*\\downloads\\*'] }, true],
  [{ ...ALL, executables: ['powershell.exe'] }, false],
  [{ ...ALL, command_lines: ['*-file *отчёт.PS1'] }, true],
  [{ ...ALL, command_lines: ['-file'] }, false],
  [{ ...ALL, flags: ['ELEVATED'] }, true],
  [{ ...ALL, flags: ['lolbin', 'remote_tool'] }, false],
  [{ ...ALL, exclude: { parents: ['winword.exe'] } }, false],
  [{ ...ALL, exclude: { executables: ['C:\\Windows\\*'] } }, true],
  [{ ...ALL, exclude: { command_lines: ['*-noprofile*'] } }, false],
  [{ ...ALL, exclude: { flags: ['lolbin'] } }, true],
  [{ ...ALL, enabled: false }, false],
  [{ parents: ['winword.exe'] }, false],
  [{ ...ALL, when: { equals: { process: { name: 'PowerShell.exe' } } } }, true],
  [{ ...ALL, when: { equals: { process: { name: 'powershell.exe' } } } }, false],
  [{ ...ALL, when: { regexp: { process: { command_line: '(?i)noprofile' } } } }, true],
  [{ ...ALL, when: { contains: { launchbeat: { flags: 'office' } } } }, true],
  [{ ...ALL, when: { not: { has_fields: ['process.parent.name'] } } }, false],
  [{ ...ALL, users: ['петров'], when: { has_fields: ['process.parent.name'] } }, false],
] as const) {
  test(`a rule ${JSON.stringify(rule)} ${want ? 'fires' : 'does not fire'}`, () => {
    assert.equal(fires(rule), want);
  });
}

test('whyNot() names each key that decides, down to the field of a condition and its value', () => {
  const whyNot = (rule: object): string[] | undefined =>
    explainRules(configOf(rule))[0]?.whyNot(SCRIPT);
  assert.deepEqual(whyNot({ users: ['петров'], exclude: { flags: ['elevated'] } }), [
    'programs: the rule names none, and the program is not a watched one',
    'users: иванов, acme\\иванов is not in [петров]',
    'exclude.flags: office_child, elevated is in [elevated]',
  ]);
  const and = [
    { equals: { process: { name: 'cmd.exe' } } },
    { range: { process: { args_count: { gt: 8 } } } },
    { not: { has_fields: ['host.name'] } },
    { has_fields: ['process.nothing', 'host.name'] },
    { or: [{ contains: { process: { command_line: 'curl' } } }] },
  ];
  assert.deepEqual(whyNot({ ...ALL, when: { and } }), [
    'when.and.0.equals.process.name: "PowerShell.exe" does not fit "cmd.exe"',
    'when.and.1.range.process.args_count: 2 does not fit {"gt":8}',
    'when.and.2.not: the condition in it holds',
    'when.and.3.has_fields: process.nothing is not there',
    `when.and.4.or.0.contains.process.command_line: ${JSON.stringify(SCRIPT.process.command_line)} does not fit "curl"`,
  ]);
  assert.match(
    whyNot({ ...ALL, schedule: { days: ['sun'], time_zone: 'Asia/Tokyo' } })?.[0] ?? '',
    /^schedule: 23\.11\.2026 20:\d\d:\d\d in Asia\/Tokyo is outside of it$/,
  );
  assert.match(
    whyNot({ ...ALL, schedule: { outside: true } })?.[0] ?? '',
    /^schedule: 23\.11\.2026 11:\d\d:\d\d in UTC is within it, and outside is true$/,
  );
  assert.deepEqual(whyNot({ ...ALL, enabled: false }), ['enabled: the rule is switched off']);
  const silent = alertsConfigSchema.parse({ rules: [{ id: 'r', ...ALL }] });
  assert.deepEqual(explainRules(silent)[0]?.whyNot(SCRIPT), ['chats: nobody hears the rule']);
});

const word = fc.constantFrom('a', 'b', 'A', 'ab', '');
const someDocument = fc
  .record({ name: word, line: word, parent: word, watched: fc.boolean(), launch: fc.boolean() })
  .map(({ name, line, parent, watched, launch }) => {
    const over: Overrides = {
      process: { name, command_line: line, parent: { name: parent } },
      launchbeat: { program: watched ? 'P' : undefined, launch, flags: [line, parent] },
    };
    return processStart(over);
  });
const someList = fc.option(
  fc.array(fc.constantFrom('a', 'B', '?', '*', 'a*', 'p'), { minLength: 1, maxLength: 2 }),
  { nil: undefined, freq: 1 },
);
const someCondition = fc.letrec((tie) => ({
  leaf: fc.oneof(
    word.map((text) => ({ equals: { process: { name: text } } })),
    word.map((text) => ({ contains: { launchbeat: { flags: text } } })),
    fc.constantFrom('process.name', 'no.such').map((name) => ({ has_fields: [name] })),
  ),
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('leaf'),
    fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map((and) => ({ and })),
    fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map((or) => ({ or })),
    tie('node').map((not) => ({ not })),
  ),
})).node;
const someRule = fc.record({
  programs: someList,
  parents: someList,
  command_lines: someList,
  exclude: fc.option(fc.record({ flags: someList, programs: someList }), {
    nil: undefined,
    freq: 1,
  }),
  when: fc.option(someCondition, { nil: undefined, freq: 1 }),
  launch_only: fc.boolean(),
  schedule: fc.option(
    fc.record({ from: fc.constantFrom('00:00', '11:03', '11:05'), outside: fc.boolean() }),
    { nil: undefined, freq: 1 },
  ),
});

test('a rule fires exactly when whyNot() has nothing to say', () => {
  const seen = { yes: 0, no: 0 };
  fc.assert(
    fc.property(someRule, someDocument, (rule, document) => {
      seen[fires(JSON.parse(JSON.stringify(rule)) as object, document) ? 'yes' : 'no'] += 1;
    }),
    { numRuns: 2000 },
  );
  assert.ok(seen.yes > 100 && seen.no > 100, JSON.stringify(seen));
});

test('compileGlobs() agrees with a regular expression that means the same', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '\\n', '.'), maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'B', '.', '*', '*', '?'), maxLength: 7 });
  const meaning = (glob: string): RegExp =>
    new RegExp(
      `^${glob.replaceAll('.', '\\.').replaceAll('*', '[^]*').replaceAll('?', '[^]')}$`,
      'i',
    );
  fc.assert(
    fc.property(fc.array(pattern, { minLength: 1, maxLength: 2 }), text, (globs, one) => {
      const want = globs.some((glob) => meaning(glob).test(one));
      assert.equal(compileGlobs(globs)(one), want);
    }),
    { numRuns: 5000 },
  );
});

const CHATS = { duty: 1, boss: 2, it: 3, again: '3' };

function heardBy(rule: object, routes?: readonly object[]): string[] {
  const config = alertsConfigSchema.parse({ chats: CHATS, rules: [{ id: 'r', ...rule }], routes });
  return createAssess(config)([processStart()]).map((alert) => alert.chatId);
}

test('a rule is heard by its own chats, else by the routes that take it, else by all; each chat once', () => {
  const routes = [
    { chats: ['duty'] },
    { min_severity: 'high', chats: ['boss', 'duty'] },
    { labels: ['hardware', 'software'], chats: ['it', 'again'] },
  ];
  assert.deepEqual(heardBy({}), ['1', '2', '3']);
  assert.deepEqual(heardBy({}, routes), ['1']);
  assert.deepEqual(heardBy({ severity: 'low' }, routes), ['1']);
  assert.deepEqual(heardBy({ severity: 'high' }, routes), ['1', '2']);
  assert.deepEqual(heardBy({ severity: 'critical', labels: ['software'] }, routes), [
    '1',
    '2',
    '3',
  ]);
  assert.deepEqual(heardBy({ severity: 'critical', chats: ['it', 'again'] }, routes), ['3']);
});

test('severity, labels and MITRE ids stand in the fields of the message', () => {
  const marks = { severity: 'high', labels: ['office', 'night'], mitre: ['T1059.001', 'TA0002'] };
  const [alert] = createAssess(configOf(marks))([processStart()]);
  assert.equal(alert?.fields.severity, 'high');
  assert.equal(alert?.fields.labels, 'office, night');
  assert.equal(alert?.fields.mitre, 'T1059.001, TA0002');
});

const FILE = `chats:
  duty: 1
rules:
  - id: one
    severity: hihg
    silence: 5m
  - id: two
    programms: [x]
    mitre: [1059]
    schedule:
      from: '8:00'
      day: [mon]
      holidays: ['2026-13-01']
    exclude:
      user: [x]
    when:
      and:
        - equal.process.name: x
        - regexp.process.name: '('
`;

function problemsOf(t: TestContext, text: string): string[] {
  const file = join(temporaryFolder(t), 'alerts.yml');
  writeFileSync(file, text);
  try {
    loadConfig({ file, schema: alertsConfigSchema, environment: {} });
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map(({ line, path, message }) => `${line} ${path}: ${message}`);
  }
}

test('each mistake of a rule is named with its line, and what was meant', (t) => {
  const problems = problemsOf(t, FILE);
  for (const want of [
    /^5 rules\.0\.severity: Expected one of "low"\|"medium"\|"high"\|"critical"/,
    /^6 rules\.0\.silence: Unknown key\./,
    /^8 rules\.1\.programms: Unknown key\. Did you mean "programs"\?/,
    /^9 rules\.1\.mitre\.0: /,
    /^11 rules\.1\.schedule\.from: Expected an hour such as "08:30"/,
    /^12 rules\.1\.schedule\.day: Unknown key\. Did you mean "days"\?/,
    /^13 rules\.1\.schedule\.holidays\.0: Expected a date such as/,
    /^15 rules\.1\.exclude\.user: Unknown key\. Did you mean "users"\?/,
    /^18 rules\.1\.when\.and\.0\.equal: "equal" is no condition/,
    /^19 rules\.1\.when\.and\.1\.regexp\.process\.name: .*RE2/,
  ]) {
    assert.equal(
      problems.filter((one) => want.test(one)).length,
      1,
      `${want}\n${problems.join('\n')}`,
    );
  }
  assert.equal(problems.length, 10, problems.join('\n'));
});

test('routes to unknown chats, and rules that no route takes, are refused', (t) => {
  const chats = 'chats:\n  duty: 1\n';
  const high = `${chats}routes:\n  - min_severity: high\n    chats: [duty]\n`;
  assert.match(
    problemsOf(t, `${chats}routes:\n  - chats: [dut]\n`).join(),
    /^4 routes\.0\.chats: Chat "dut" is not under chats\. Known: duty\./,
  );
  assert.match(
    problemsOf(t, `${high}rules:\n  - id: quiet\n    labels: [a, b]\n`).join(),
    /^7 rules\.0\.id: No route takes rule "quiet" \(severity medium, labels a, b\)/,
  );
  assert.match(problemsOf(t, high).join(), /^3 routes: No route takes rule "watched-programs"/);
  assert.deepEqual(problemsOf(t, `${high}rules:\n  - id: quiet\n    enabled: false\n`), []);
  assert.deepEqual(problemsOf(t, `${high}rules:\n  - id: own\n    chats: [duty]\n`), []);
});

test('every example of docs/alerts.md is right', (t) => {
  const page = readFileSync('docs/alerts.md', 'utf8');
  const blocks = [...page.matchAll(/^( *)```yaml\n([\s\S]*?)^ *```$/gm)].map(
    ([, indent = '', text = '']) => text.replace(new RegExp(`^${indent}`, 'gm'), ''),
  );
  for (const text of blocks) assert.deepEqual(problemsOf(t, text), [], text);
  assert.equal(blocks.length, 9);
});

test('docs/alerts.md names every key of a rule, a schedule and a route, and every field of a message', () => {
  const page = readFileSync('docs/alerts.md', 'utf8');
  const keys = JSON.stringify(z.toJSONSchema(alertsConfigSchema, JSON_SCHEMA));
  const names = [...keys.matchAll(/"(\w+)":\{/g)].map(([, name = '']) => name);
  const own = names.filter((name) => !STANDARD.has(name));
  const missing = [...own, ...Object.keys(ALERT_FIELDS)].filter(
    (name) => !page.includes(`\`${name}\``),
  );
  assert.deepEqual(missing, []);
  assert.ok(own.includes('min_severity') && own.includes('holidays'), own.join());
});
