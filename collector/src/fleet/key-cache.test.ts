/**
 * Goal: keys in use cost few questions, and none holds longer than it may. Method: a table that counts what it is asked, a clock of
 * the test's own.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyCache } from './key-cache.ts';

function open(ids: readonly string[]) {
  let nowMs = 1_000_000;
  const table = new Map(ids.map((id) => [id, { id, state: 'good' }]));
  const asked: string[] = [];
  const cache = createKeyCache(
    async (wanted) => {
      asked.push(wanted.toSorted().join(''));
      return await Promise.resolve(wanted.flatMap((id) => table.get(id) ?? []));
    },
    () => nowMs,
  );
  return {
    cache,
    table,
    asked,
    pass: (ms: number): void => {
      nowMs += ms;
    },
  };
}

test('keys that are in use are read anew in one question, those that are not are left alone', async () => {
  const { cache, asked, pass } = open(['a', 'b', 'c']);
  for (const id of ['a', 'b', 'c']) await cache.read(id);
  pass(1000);
  for (const id of ['a', 'b']) await cache.read(id);
  assert.equal(asked.join(' '), 'a b c');
  pass(2000);
  for (const id of ['a', 'b', 'b', 'a']) await cache.read(id);
  assert.equal(asked.join(' '), 'a b c ab');
});

test('who asks while an answer is on its way asks for no key of that answer again', async () => {
  const { cache, asked, pass } = open(['a', 'b', 'c']);
  for (const id of ['a', 'b', 'c', 'a', 'b', 'c']) await cache.read(id);
  pass(2000);
  cache.forget('a');
  cache.forget('b');
  await Promise.all([cache.read('a'), cache.read('b')]);
  assert.equal(asked.slice(3).join(' '), 'ac b');
});

test('a change is seen after three seconds at the latest, however busy the key is', async () => {
  const { cache, table, pass } = open(['a']);
  await cache.read('a');
  table.set('a', { id: 'a', state: 'revoked' });
  for (let ms = 0; ms < 2900; ms += 100) {
    pass(100);
    await cache.read('a');
  }
  pass(100);
  assert.equal((await cache.read('a'))?.state, 'revoked');
});

test('an id that is none is not asked for with others, and a made one is seen', async () => {
  const { cache, table, asked, pass } = open(['a']);
  for (const id of ['x', 'a', 'x', 'a']) await cache.read(id);
  assert.equal(cache.seenLately('x'), false);
  pass(3000);
  table.set('x', { id: 'x', state: 'good' });
  await cache.read('a');
  assert.equal((await cache.read('x'))?.state, 'good');
  assert.equal(asked.join(' '), 'x a a x');
});
