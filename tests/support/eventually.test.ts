/**
 * The one way in which tests wait.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from './eventually.ts';

test('eventually() gives the first value that is neither false nor null', async () => {
  const values = [false, null, 0];
  let asked = 0;
  const value = await eventually(() => {
    asked += 1;
    return values[asked - 1] ?? null;
  });
  assert.deepEqual([value, asked], [0, 3]);
});

test('eventually() waits until an assertion holds', async () => {
  let count = 0;
  await eventually(() => {
    count += 1;
    assert.equal(count, 3);
  });
  assert.equal(count, 3);
});

test('eventually() throws the last error of the check, or says what it still gives', async () => {
  const failing = eventually(() => assert.equal(1, 2, 'one is not two'), { timeoutMs: 30 });
  await assert.rejects(failing, /one is not two/);
  await assert.rejects(
    eventually(async () => false, { timeoutMs: 30 }),
    /still gives false after 30 ms/,
  );
});

test('a check that gives undefined for "not yet" is an error of types', async () => {
  // @ts-expect-error undefined means that an assertion passed: write `find(…) ?? null`
  assert.equal(await eventually(() => [1].find((value) => value > 1)), undefined);
});
