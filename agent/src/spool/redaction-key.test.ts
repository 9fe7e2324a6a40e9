/** Goal: marks of redacted secrets stay joinable for as long as the data folder lives. Method: real folders, damaged files. */
import assert from 'node:assert/strict';
import { rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { redactionKey } from './redaction-key.ts';

test('redactionKey() makes 32 bytes once, for the account alone, and gives them ever after', (t) => {
  const folder = temporaryFolder(t);
  const key = redactionKey(folder, SILENT_LOG);
  assert.equal(key.length, 32);
  assert.deepEqual(redactionKey(folder, SILENT_LOG), key);
  if (process.platform !== 'win32') {
    assert.equal(statSync(join(folder, 'redaction-key.json')).mode & 0o777, 0o600);
  }
  assert.notDeepEqual(redactionKey(temporaryFolder(t), SILENT_LOG), key);
});

test('redactionKey() survives a damaged or a missing file, and replaces a key that is no key', (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'redaction-key.json');
  const key = redactionKey(folder, SILENT_LOG);
  writeFileSync(file, '\0\0\0\0');
  assert.deepEqual(redactionKey(folder, SILENT_LOG), key);
  rmSync(file);
  assert.deepEqual(redactionKey(folder, SILENT_LOG), key);
  writeFileSync(file, '{"key":"AAAA"}');
  assert.equal(redactionKey(folder, SILENT_LOG).length, 32);
});
