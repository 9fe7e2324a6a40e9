/**
 * Goal: alerts.yml can be changed while the collector runs, and a mistake in it breaks nothing. Method: real files, the real loader.
 */
import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Log, SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { processStart } from '../../tests/support/documents.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { temporaryFolder } from '../../tests/support/temporary-folder.ts';
import { alertsConfigSchema } from './assess/alerts-config.ts';
import { loadAlerts } from './config.ts';
import { createLiveRules } from './live-rules.ts';
import { watchAlerts } from './watch-alerts.ts';

test('a changed alerts.yml is in force for the next chunk; one with a mistake leaves the rules as they were', async (t) => {
  const file = join(temporaryFolder(t), 'alerts.yml');
  writeFileSync(file, 'chats: {duty: 1}\n');
  const load = () => loadAlerts({ file, bots: [], environment: {} });
  const rules = createLiveRules(load().alerts, true);
  const errors: string[] = [];
  const log: Log = { ...SILENT_LOG, error: ({ err }) => void errors.push(String(err)) };
  t.after(watchAlerts({ file, load, use: (alerts) => rules.use(alerts), log, everyMs: 20 }));
  const chats = (): string[] =>
    rules
      .inForce()
      .assess([processStart()])
      .map((one) => one.chatId);
  assert.deepEqual(chats(), ['1']);

  // As editors do it: another file takes its place.
  writeFileSync(`${file}.new`, 'chats: {duty: 1, boss: 2}\nrules: [{id: all}]\n');
  renameSync(`${file}.new`, file);
  await eventually(() => chats().length === 2);

  writeFileSync(file, 'chats: {duty: 1}\nrules: [{id: all, program: [x]}]\n');
  await eventually(() => errors.length === 1);
  assert.match(errors[0] ?? '', /alerts\.yml:2: rules\.0\.program: Unknown key/);
  assert.deepEqual(chats(), ['1', '2']);

  writeFileSync(
    file,
    'chats: {duty: 3}\nrules: [{id: all}, {id: many, kind: threshold, count: 2, within: 1m}]\n',
  );
  await eventually(() => rules.tracked().length === 1);
  assert.deepEqual(chats(), ['3']);
});

test('a changed list is in force as well; one that is gone is a mistake that is told with its line', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'alerts.yml');
  const list = join(folder, 'tools.txt');
  writeFileSync(list, '\uFEFF# remote tools\r\nanydesk.exe\r\n\r\n');
  writeFileSync(
    file,
    "chats: {duty: 1}\nrules:\n  - id: tools\n    programs: ['file:tools.txt', x.exe]\n",
  );
  const load = () => loadAlerts({ file, bots: [], environment: {} });
  const first = load();
  assert.deepEqual(first.alertsLists, [list]);
  const rules = createLiveRules(first.alerts, true);
  const broken: string[] = [];
  t.after(
    watchAlerts({
      ...{ file, lists: first.alertsLists, load, log: SILENT_LOG, everyMs: 20 },
      use: (alerts) => rules.use(alerts),
      onBroken: (problem) => void broken.push(problem),
    }),
  );
  const fires = (name: string): boolean =>
    rules.inForce().assess([processStart({ process: { name } })]).length === 1;
  assert.deepEqual(['anydesk.exe', 'x.exe', 'radmin.exe'].map(fires), [true, true, false]);
  writeFileSync(list, 'radmin.exe\n');
  await eventually(() => fires('radmin.exe') && !fires('anydesk.exe'));
  rmSync(list);
  await eventually(() => broken.length === 1);
  assert.match(
    broken[0] ?? '',
    /alerts\.yml:4: rules\.0\.programs: .*tools\.txt cannot be read \(ENOENT\)/,
  );
  assert.ok(fires('radmin.exe'));
});

test('a list that is written after the file that names it is taken, and the mistake until then is told once', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'alerts.yml');
  writeFileSync(file, 'chats: {duty: 1}\n');
  const load = () => loadAlerts({ file, bots: [], environment: {} });
  const rules = createLiveRules(load().alerts, true);
  const broken: string[] = [];
  let loads = 0;
  t.after(
    watchAlerts({
      ...{ file, log: SILENT_LOG, everyMs: 20 },
      load: () => {
        loads += 1;
        return load();
      },
      use: (alerts) => rules.use(alerts),
      onBroken: (problem) => void broken.push(problem),
    }),
  );
  writeFileSync(file, "chats: {duty: 1}\nrules: [{id: tools, programs: ['file:tools.txt']}]\n");
  await eventually(() => loads > 3);
  assert.equal(broken.length, 1);
  writeFileSync(join(folder, 'tools.txt'), 'radmin.exe\n');
  const document = processStart({ process: { name: 'radmin.exe' } });
  await eventually(() => rules.inForce().assess([document])[0]?.ruleId === 'tools');
  assert.equal(broken.length, 1);
});

test('a chat of a bot that is not in collector.yml is refused with its line', (t) => {
  const file = join(temporaryFolder(t), 'alerts.yml');
  writeFileSync(file, 'chats:\n  duty:\n    id: 1\n    bot: second\n');
  const load = (bots: readonly string[]) => loadAlerts({ file, bots, environment: {} });
  assert.throws(() => load([]), /alerts\.yml:4: chats\.duty\.bot: Bot "second" is not under/);
  assert.equal(load(['second']).alerts.chats['duty']?.id, 'second:1');
});

test('without a bot there are no rules, whatever the file says', () => {
  const alerts = alertsConfigSchema.parse({ chats: { duty: 1 } });
  const rules = createLiveRules(alerts, false);
  rules.use(alerts);
  assert.deepEqual(rules.inForce().assess([processStart()]), []);
});
