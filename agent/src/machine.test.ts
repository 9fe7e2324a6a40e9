/** Goal: a machine is told from others without its id leaving it. Method: files and printed text as both systems have them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../tests/support/temporary-folder.ts';
import { digestOf, guidIn, machineDigest, machineId } from './machine.ts';

const GUID = '3f2504e0-4f89-11d3-9a0c-0305e82c3301';

test('guidIn() finds the GUID in what reg query prints', () => {
  const printed = `\r\nHKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Cryptography\r\n    MachineGuid    REG_SZ    ${GUID}\r\n\r\n`;
  assert.equal(guidIn(printed), GUID);
  assert.equal(guidIn('ERROR: The system was unable to find the specified registry key'), '');
});

test('machineId() takes the first file that has an id', (t) => {
  const folder = temporaryFolder(t);
  const [empty, good] = [join(folder, 'a'), join(folder, 'b')];
  writeFileSync(empty, 'uninitialized\n');
  writeFileSync(good, `${'ab'.repeat(16)}\n`);
  assert.equal(machineId([join(folder, 'none'), empty, good]), 'ab'.repeat(16));
  assert.equal(machineId([empty]), '');
});

test('digestOf() is the same in any case, another for another id, and has nothing of the id', () => {
  const digest = digestOf(GUID);
  assert.match(digest, /^[0-9a-f]{64}$/);
  assert.equal(digestOf(`${GUID.toUpperCase()}\r\n`), digest);
  assert.notEqual(digestOf(GUID.replace('3', '4')), digest);
  assert.match(machineDigest(), /^([0-9a-f]{64})?$/);
});
