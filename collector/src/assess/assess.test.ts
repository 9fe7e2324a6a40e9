/**
 * Goal: a rule says exactly what it seems to say, and a template can show nothing but an event's fields, escaped.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { processStart } from '../../../tests/support/documents.ts';
import { alertsConfigSchema, DEFAULT_TEMPLATE } from './alerts-config.ts';
import { createAssess } from './assess.ts';
import { compileGlobs } from './glob.ts';
import { templateProblems } from './message-template.ts';

const CHATS = { duty: -1001234567890, boss: '@boss_channel' };

function rulesThatMatch(rule: Record<string, unknown>, document = processStart()): number {
  const config = alertsConfigSchema.parse({ chats: { duty: 1 }, rules: [{ id: 'r', ...rule }] });
  return createAssess(config)([document]).length;
}

function problemsOf(config: unknown): string[] {
  const parsed = alertsConfigSchema.safeParse(config);
  return parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
}

test('assess() tells the event time in the zone of the operator, and every field of the message', () => {
  const config = alertsConfigSchema.parse({ time_zone: 'Europe/Moscow', chats: CHATS });
  const document = processStart({ '@timestamp': '2026-11-23T11:03:27.9999999Z' });
  const [alert, second] = createAssess(config)([document]);
  assert.equal(alert?.fields.time, '23.11.2026 14:03:27');
  const shown = DEFAULT_TEMPLATE.replace(
    /\{\{(\w+)\}\}/g,
    (_, name: 'time') => alert?.fields[name] ?? '',
  );
  assert.equal(shown, '23.11.2026 14:03:27 Пользователь Иванов запустил chrome.exe');
  assert.equal(alert?.fields.domain, 'ACME');
  assert.equal(alert?.fields.parent, 'explorer.exe');
  assert.equal(alert?.fields.rule, 'watched-programs');
  assert.equal(alert?.eventId, document.event.id);
  assert.equal(alert?.eventTimestamp, '2026-11-23T11:03:27.999Z');
  assert.deepEqual([alert?.chatId, second?.chatId], ['-1001234567890', '@boss_channel']);
});

test('assess() without rules is about launches of watched programs', () => {
  const assess = createAssess(alertsConfigSchema.parse({ chats: { duty: 1 } }));
  assert.equal(assess([processStart()]).length, 1);
  assert.equal(assess([processStart({ launchbeat: { launch: false } })]).length, 0);
  assert.equal(assess([processStart({ launchbeat: { program: undefined } })]).length, 0);
});

test('assess() gives nothing without chats, and nothing for an empty list of rules', () => {
  assert.equal(createAssess(alertsConfigSchema.parse({}))([processStart()]).length, 0);
  const none = alertsConfigSchema.parse({ chats: CHATS, rules: [] });
  assert.equal(createAssess(none)([processStart()]).length, 0);
});

test('assess() sends one message to a chat that has two names', () => {
  const config = alertsConfigSchema.parse({ chats: { one: 7, two: '7' } });
  assert.equal(createAssess(config)([processStart()]).length, 1);
});

for (const [rule, want] of [
  [{ programs: ['google chrome'] }, 1],
  [{ programs: ['CHROME.*'] }, 1],
  [{ programs: ['firefox.exe'] }, 0],
  [{ users: ['иванов'] }, 1],
  [{ users: ['acme\\*'] }, 1],
  [{ users: ['ИВАН'] }, 0],
  [{ hosts: ['PC-0??'] }, 1],
  [{ hosts: ['*.acme.local'] }, 1],
  [{ hosts: ['pc-04'] }, 0],
  [{ users: ['*'], hosts: ['nowhere'] }, 0],
  [{ exclude: { users: ['иван*'] } }, 0],
  [{ exclude: { hosts: ['nowhere'], programs: ['chrome.exe'] } }, 0],
  [{ exclude: { hosts: ['nowhere'] } }, 1],
] as const) {
  test(`a rule ${JSON.stringify(rule)} matches ${want} time(s)`, () => {
    assert.equal(rulesThatMatch(rule), want);
  });
}

test('a rule with programs is also about programs that are not watched; launch_only: false takes helpers in', () => {
  const other = processStart({ process: { name: 'calc.exe' }, launchbeat: { program: undefined } });
  assert.equal(rulesThatMatch({ programs: ['calc.exe'] }, other), 1);
  const helper = processStart({ launchbeat: { launch: false } });
  assert.equal(rulesThatMatch({}, helper), 0);
  assert.equal(rulesThatMatch({ launch_only: false }, helper), 1);
});

test('compileGlobs() takes regular expressions for what they are not, and ends in time', () => {
  assert.equal(compileGlobs(['a.c'])('abc'), false);
  assert.equal(compileGlobs(['[ab]*'])('[ab]x'), true);
  assert.equal(compileGlobs([''])(''), true);
  assert.equal(compileGlobs(['*'])(''), true);
  assert.equal(compileGlobs(['a*b*c'])('a-b-b-c'), true);
  assert.equal(compileGlobs(['a*b*c'])('a-c-b'), false);
  assert.equal(compileGlobs([`${'*a'.repeat(20)}b`])('a'.repeat(100_000)), false);
});

for (const [template, want] of [
  ['{{{user}}}', /\{\{\{user\}\}\} would show text unescaped/],
  ['{{& user}}', /unescaped/],
  ['{{>partial}}', /no partials/],
  ['{{=<% %>=}}', /no other delimiters/],
  ['{{usr}}', /no field of an alert\. Fields: time, user/],
  ['{{constructor}}', /no field/],
  ['{{#domain}}x', /not closed/],
  ['x{{/domain}}', /closes what is not open/],
  ['{{user', /not closed/],
  ['<b>{{user}}', /<b> is not closed\. Write <\/b> after it/],
  ['<b><i>{{user}}</b></i>', /<\/b> closes what is not open/],
  ['{{user}}<br>{{process}}', /<br> is no tag that Telegram knows\. Tags: b, strong/],
  ['{{pid}} < 5', /a lone < is written &lt;/],
] as const) {
  test(`the template ${template} is refused`, () => {
    assert.match(templateProblems(template).join('\n'), want);
    assert.match(problemsOf({ template }).join('\n'), want);
  });
}

test('a template with sections and comments is taken', () => {
  assert.deepEqual(
    templateProblems('{{#domain}}{{domain}}\\{{/domain}}{{user}}{{! note }}{{^host}}-{{/host}}'),
    [],
  );
  const marked =
    '{{#link}}<a href="{{link}}">{{/link}}<B>{{user}}</b> &lt; 5{{#link}}</a>{{/link}}';
  assert.deepEqual(templateProblems(marked), []);
});

test('alertsConfigSchema refuses unknown keys, unknown chats, ids that are there twice, and lists without entries', () => {
  assert.match(problemsOf({ chat: {} }).join(), /chat/);
  assert.match(problemsOf({ rules: [{ id: 'r', program: ['x'] }] }).join(), /program/);
  assert.match(
    problemsOf({ chats: CHATS, rules: [{ id: 'r', chats: ['dut'] }] }).join(),
    /rules\.0\.chats: Chat "dut" .*Known: duty, boss/,
  );
  assert.match(problemsOf({ rules: [{ id: 'r' }, { id: 'r' }] }).join(), /twice/);
  assert.match(
    problemsOf({ rules: [{ id: 'r', users: [] }] }).join(),
    /rules\.0\.users: .*leave the key out/,
  );
  assert.match(problemsOf({ chats: { x: 'duty room' } }).join(), /chats\.x/);
  assert.match(problemsOf({ time_zone: 'Moscow' }).join(), /time_zone/);
  assert.deepEqual(problemsOf({ chats: CHATS }), []);
});

test('alertsConfigSchema can be written as JSON Schema, from which unknown keys are explained', () => {
  assert.ok(z.toJSONSchema(alertsConfigSchema, { io: 'input', unrepresentable: 'any' }));
});
