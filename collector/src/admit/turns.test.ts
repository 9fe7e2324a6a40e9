/** Goal: agents share the places fairly, whatever one of them does. Method: turns in memory, order of begin noted. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createRates, type RateLimits } from './rates.ts';
import { createTurns, type TurnOutcome } from './turns.ts';

const LONG_MS = 60_000;

function open(places = 1, perAgent = 10) {
  const turns = createTurns({ places, perAgent: () => perAgent });
  const order: string[] = [];
  const enter = async (agent: string, waitMs = LONG_MS): Promise<TurnOutcome> => {
    const outcome = await turns.enter(agent, waitMs);
    if (outcome === 'done') order.push(agent);
    return outcome;
  };
  return { turns, order, enter };
}

test('so many are in at once, the others wait', async () => {
  const { turns, order, enter } = open(2);
  const all = ['a', 'b', 'c'].map((agent) => enter(agent));
  await nextTurn();
  assert.deepEqual([order, turns.waiting()], [['a', 'b'], 1]);
  turns.leave('a');
  await Promise.all(all);
  assert.deepEqual([order, turns.waiting()], [['a', 'b', 'c'], 0]);
});

test('small chunks have places of their own, eight for one, and count for their agent all the same', async () => {
  const turns = createTurns({ places: 1, perAgent: () => 2 });
  assert.equal(await turns.enter('a', LONG_MS, 'large'), 'done');
  for (const agent of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
    assert.equal(await turns.enter(agent, LONG_MS, 'small'), 'done');
  }
  assert.equal(await turns.enter('a', LONG_MS, 'small'), 'often');
  const [large, small] = [turns.enter('i', LONG_MS, 'large'), turns.enter('j', LONG_MS, 'small')];
  assert.equal(turns.waiting(), 2);
  turns.leave('a', 'small');
  assert.equal(await small, 'done');
  assert.equal(turns.waiting(), 1);
  turns.leave('a', 'large');
  assert.equal(await large, 'done');
});

test('who had a turn goes behind those who had none, however many he sends', async () => {
  const { turns, order, enter } = open();
  const noisy = Array.from({ length: 5 }, () => enter('noisy'));
  const quiet = ['x', 'y', 'z'].map((agent) => enter(agent));
  for (const agent of ['noisy', 'x', 'y', 'z', 'noisy', 'noisy', 'noisy', 'noisy']) {
    await nextTurn();
    assert.equal(order.at(-1), agent);
    turns.leave(agent);
  }
  await Promise.all([...noisy, ...quiet]);
});

test('who was sent away goes before those who had a turn since', async () => {
  const { turns, order, enter } = open();
  await enter('in');
  assert.equal(await enter('late', 1), 'late');
  const had = enter('in');
  const again = enter('late');
  turns.leave('in');
  await again;
  turns.leave('late');
  await had;
  assert.deepEqual(order, ['in', 'late', 'in']);
});

test('one agent has so many chunks here and no more, and gets its share back', async () => {
  const { turns, enter } = open(1, 2);
  await enter('a');
  const second = enter('a');
  assert.equal(await enter('a'), 'often');
  assert.equal(await enter('b', 1), 'late');
  turns.leave('a');
  await second;
  turns.leave('a');
  assert.equal(await enter('a'), 'done');
});

test('a place is never lost: after any order of comings and goings all are free', async () => {
  const { turns, enter } = open(3, 100);
  const outcomes = await Promise.all(
    Array.from({ length: 200 }, async (_, number) => {
      const agent = `agent ${number % 7}`;
      const outcome = await enter(agent, number % 5 === 0 ? 1 : LONG_MS);
      if (number % 3 === 0) await nextTurn();
      if (outcome === 'done') turns.leave(agent);
      return outcome;
    }),
  );
  assert.ok(outcomes.includes('done'));
  assert.equal(turns.waiting(), 0);
  const filled = await Promise.all(['a', 'b', 'c'].map((agent) => enter(agent, 1)));
  assert.deepEqual(filled, ['done', 'done', 'done']);
});

function openRates(limits: RateLimits) {
  let nowMs = 0;
  const rates = createRates(
    () => limits,
    () => nowMs,
  );
  const pass = (seconds: number): void => {
    nowMs += seconds * 1000;
  };
  return { rates, pass };
}

test('an agent that sent more than its rate waits until it is paid off, others do not', () => {
  const { rates, pass } = openRates({ per_agent: 100, total: 0 });
  rates.pay('a', 6000);
  assert.equal(rates.waitSeconds('a'), 1);
  rates.pay('a', 1000);
  assert.deepEqual([rates.waitSeconds('a'), rates.waitSeconds('b')], [11, 0]);
  pass(9);
  assert.equal(rates.waitSeconds('a'), 2);
  pass(2);
  assert.equal(rates.waitSeconds('a'), 0);
  rates.pay('a', 1_000_000);
  assert.equal(rates.waitSeconds('a'), 60, 'it is told to ask again, not to stay away');
});

test('all agents together have a rate too, and 0 is no bound', () => {
  const { rates, pass } = openRates({ per_agent: 0, total: 100 });
  for (let agent = 0; agent < 70; agent += 1) rates.pay(`${agent}`, 100);
  assert.equal(rates.waitSeconds('new'), 11);
  pass(600);
  assert.equal(rates.waitSeconds('new'), 0);
  const free = openRates({ per_agent: 0, total: 0 }).rates;
  free.pay('a', 1e12);
  assert.equal(free.waitSeconds('a'), 0);
});
