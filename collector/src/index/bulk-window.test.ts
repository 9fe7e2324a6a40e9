/**
 * Goal: an overloaded Elasticsearch gets less, and all again later. Method: the window alone, with given outcomes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createBulkWindow } from './bulk-window.ts';

const MIB = 1024 * 1024;
const never = new AbortController().signal;

test('bulk window: wide open, every worker has a full request', async () => {
  const window = createBulkWindow({ requestBytesMax: MIB, workers: 3 });
  for (let worker = 0; worker < 3; worker += 1) {
    assert.equal((await window.enter(never)).bytes, MIB);
  }
});

test('bulk window: a refusal halves it once, however many requests were on their way', async () => {
  const window = createBulkWindow({ requestBytesMax: MIB, workers: 2 });
  const [one, two] = [await window.enter(never), await window.enter(never)];
  one.leave('throttled');
  two.leave('throttled');
  assert.equal(window.bytes(), MIB);
  const third = await window.enter(never);
  let entered = false;
  const fourth = window.enter(never).then(() => {
    entered = true;
  });
  await turn();
  assert.equal(entered, false, 'there is room for one request only');
  third.leave('throttled');
  await fourth;
  assert.equal(window.bytes(), MIB / 2);
});

test('bulk window: it never closes below one small request, and opens again step by step', async () => {
  const window = createBulkWindow({ requestBytesMax: MIB, workers: 2 });
  for (let refusals = 0; refusals < 30; refusals += 1) {
    (await window.enter(never)).leave('throttled');
  }
  assert.equal(window.bytes(), 16 * 1024);
  (await window.enter(never)).leave('other');
  assert.equal(window.bytes(), 16 * 1024, 'other failures neither open nor close it');
  let taken = 0;
  for (; window.bytes() < 2 * MIB; taken += 1) (await window.enter(never)).leave('taken');
  assert.equal(taken, 32);
});

test('bulk window: after a request that was too large no one is as large', async () => {
  const window = createBulkWindow({ requestBytesMax: MIB, workers: 1 });
  (await window.enter(never)).leave('other');
  window.tooLarge(1000);
  assert.equal((await window.enter(never)).bytes, 500);
});

test('bulk window: who waits for room goes on when asked to stop', async () => {
  const window = createBulkWindow({ requestBytesMax: MIB, workers: 1 });
  await window.enter(never);
  const stop = new AbortController();
  const waiting = window.enter(stop.signal);
  stop.abort();
  await waiting;
});
