/**
 * The signal of one piece of work: aborted by time or from outside, and let go of when the work has ended.
 */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { timeLimit } from './time-limit.ts';

test('time aborts it with a TimeoutError, and not once the work has ended', async () => {
  const late = timeLimit(1);
  const inTime = timeLimit(1);
  inTime.end();
  await wait(20);
  assert.equal((late.signal.reason as Error).name, 'TimeoutError');
  assert.equal(inTime.signal.aborted, false);
});

test('the outer signal aborts it with its own reason, at once where it is aborted already', () => {
  const outer = new AbortController();
  const before = timeLimit(60_000, outer.signal);
  outer.abort('enough');
  const after = timeLimit(60_000, outer.signal);
  assert.deepEqual([before.signal.reason, after.signal.reason], ['enough', 'enough']);
  before.end();
  after.end();
});

test('nothing of it stays with the outer signal', () => {
  const outer = new AbortController();
  const limit = timeLimit(60_000, outer.signal);
  assert.equal(getEventListeners(outer.signal, 'abort').length, 1);
  limit.end();
  assert.equal(getEventListeners(outer.signal, 'abort').length, 0);
});
