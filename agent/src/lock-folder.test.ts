/** Goal: one agent a data folder. Method: real processes hold locks, and die. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startProgram } from '../../tests/support/processes.ts';
import { temporaryFolder } from '../../tests/support/temporary-folder.ts';
import { lockFolder } from './lock-folder.ts';

const LOCKER = `
  const { lockFolder } = await import(process.argv[1]);
  await lockFolder(process.argv[2]);
  console.log('locked');
  setInterval(() => {}, 1000);
`;

test('lockFolder() refuses a folder that a living process holds, and takes it when that one was killed', async (t) => {
  const folder = temporaryFolder(t);
  const module = new URL('./lock-folder.ts', import.meta.url).href;
  const holder = startProgram(
    process.execPath,
    ['--input-type=module', '-e', LOCKER, module, folder],
    { t },
  );
  await holder.waitForLine(/^locked$/);
  await assert.rejects(lockFolder(folder), /is in use by another launchbeat.*--path\.data/);
  await holder.stop('SIGKILL');
  (await lockFolder(folder))();
});

test('lockFolder() keeps folders apart, and unlocks', async (t) => {
  const folder = temporaryFolder(t);
  const unlock = await lockFolder(join(folder, 'one'));
  (await lockFolder(join(folder, 'two')))();
  await assert.rejects(lockFolder(join(folder, 'one')));
  unlock();
  (await lockFolder(join(folder, 'one')))();
});
