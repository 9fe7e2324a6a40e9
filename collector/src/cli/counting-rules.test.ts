/**
 * Goal: `rules test` counts as the collector does. Method: the real command on a file, without PostgreSQL and Telegram.
 */
import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ndjsonLines, processStart } from '../../../tests/support/documents.ts';
import { runProgram } from '../../../tests/support/processes.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';

const ALERTS = `chats: { duty: 1 }
rules:
  - { id: many, kind: threshold, key: [user], count: 3, within: 10m, template: "{{count}} by {{key}}" }
  - { id: first, kind: new_value, key: [host] }
  - id: pair
    kind: sequence
    within: 5m
    programs: [chrome.exe]
    followed_by: { programs: [telegram.exe] }
`;

test('rules test says on which line a rule that counts has enough, and why not on the others', async (t) => {
  const folder = temporaryFolder(t);
  cpSync('collector/collector.yml', join(folder, 'collector.yml'));
  writeFileSync(join(folder, 'alerts.yml'), ALERTS);
  const of = (second: number, name = 'chrome.exe') =>
    processStart({ '@timestamp': `2026-11-23T09:00:0${second}Z`, process: { name } });
  const input = ndjsonLines([of(1), of(2), of(3, 'telegram.exe'), of(4, 'calc.exe')]);
  const args = ['collector/src/main.ts', 'rules', 'test', '-', '--json', '--path.config', folder];
  const { code, stdout, stderr } = await runProgram(process.execPath, args, {
    env: { LAUNCHBEAT_POSTGRESQL_URL: undefined, LAUNCHBEAT_TELEGRAM_TOKEN: undefined },
    input,
  });
  assert.equal(code, 0, stderr);
  const verdicts = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const fires = verdicts.map((one) => one.fires?.map((fired: { rule: string }) => fired.rule));
  assert.deepEqual(fires, [['first'], [], ['many', 'pair'], [], undefined]);
  assert.equal(verdicts[2].fires[0].message, '3 by acme\\иванов');
  const [why] = verdicts[0].does_not;
  assert.deepEqual(why, { rule: 'many', why: ['kind: threshold needs more than this line'] });
  assert.deepEqual(verdicts[1].does_not.slice(1), [
    { rule: 'first', why: ['kind: new_value, and there was such a key before'] },
    { rule: 'pair', why: ['kind: sequence needs its other part as well'] },
  ]);
  assert.deepEqual(verdicts[3].does_not[2].why, [
    'programs: google chrome, calc.exe is not in [chrome.exe]',
    'followed_by.programs: google chrome, calc.exe is not in [telegram.exe]',
  ]);
});
