/** Goal: no bound of Telegram's is crossed, whatever the order of the messages. Method: the clock is a number. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPace, createPaces, isGroup } from './pace.ts';

const LIMITS = { per_second: 30, per_chat_per_second: 1, per_group_per_minute: 20 };

test('book() spaces the messages to a person by a second', () => {
  const pace = createPace(LIMITS);
  assert.deepEqual(
    [1, 2, 3].map(() => pace.book('1', 5000)),
    [5000, 6000, 7000],
  );
});

test('book() lets a group have 20 a minute', () => {
  const pace = createPace(LIMITS);
  const times = Array.from({ length: 45 }, () => pace.book('-100', 0));
  for (const [at, time] of times.entries()) {
    if (at > 0) assert.ok(time - (times[at - 1] ?? 0) >= 1000);
    if (at >= 20) assert.ok(time - (times[at - 20] ?? 0) >= 60_000);
  }
  assert.equal(times[20], 61_000);
});

test('book() lets all chats together have 30 a second', () => {
  const pace = createPace(LIMITS);
  const times = Array.from({ length: 100 }, (_, chat) => pace.book(String(chat + 1), 0));
  for (let at = 30; at < times.length; at += 1) {
    assert.ok((times[at] ?? 0) - (times[at - 30] ?? 0) >= 1000, `message ${at}`);
  }
  assert.equal(times[99], 3000);
});

test('pauseChat() holds one chat; two at once hold all', () => {
  const pace = createPace(LIMITS);
  pace.pauseChat('1', 0, 9000);
  assert.equal(pace.book('1', 0), 9000);
  assert.equal(pace.book('2', 0), 0);
  pace.pauseChat('2', 0, 4000);
  assert.equal(pace.book('3', 0), 4000);
  assert.equal(pace.pausedUntilMs('4'), 4000);
});

test('pauseBot() holds every chat', () => {
  const pace = createPace(LIMITS);
  pace.pauseBot('1', 7000);
  assert.equal(pace.book('1', 0), 7000);
});

test('isGroup() knows groups and channels by their ids and names', () => {
  assert.deepEqual(['42', '-42', '@channel'].map(isGroup), [false, true, true]);
});

test('a message that went late keeps the next one a second away from its answer', () => {
  const pace = createPaces(LIMITS);
  const booked = pace.book('-100/7', 5000);
  assert.equal(booked, 5000);
  pace.answered('-100/7', booked, 5400);
  assert.equal(pace.book('-100/8', 5500), 6400);
  // Another bot is another sender.
  assert.equal(pace.book('second:-100', 5500), 5500);
});
