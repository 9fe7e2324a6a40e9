/**
 * Goal: a key opens exactly what it should, for as long as it should. Method: real PostgreSQL, a clock of the test's own.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { testDatabase } from '../../../tests/support/postgres.ts';
import { openDatabase } from '../commit/database.ts';
import { createKeyStore, randomId } from './keys.ts';
import { createRecentMap } from './recent-map.ts';

const ONE = '6f1c1f5e-7d9d-4f3e-9d39-4c8f5a0d2b11';
const TWO = '00000000-0000-4000-8000-000000000002';

async function open(t: TestContext) {
  const { url } = await testDatabase(t);
  const sql = openDatabase({ url });
  t.after(() => sql.end({ timeout: 1 }));
  let nowMs = Date.now();
  const now = (): number => nowMs;
  return {
    sql,
    here: createKeyStore(sql, now),
    elsewhere: createKeyStore(sql, now),
    pass: (ms: number): void => {
      nowMs += ms;
    },
  };
}

test('create() gives a key that authenticate() takes, and stores no secret', async (t) => {
  const { here, sql } = await open(t);
  const key = await here.create({ name: 'PC-042' });
  assert.equal(key.encoded, `${key.id}:${key.secret}`);
  assert.equal(Buffer.from(key.secret, 'base64url').length, 32);
  assert.deepEqual(await here.authenticate(key.id, key.secret), { id: key.id, name: 'PC-042' });
  const [row] = await sql`select agent_keys::text as text from agent_keys`;
  assert.ok(!row?.['text'].includes(key.secret));
});

for (const [what, id, secret] of [
  ['a wrong secret', (right: string) => right, () => 'x'],
  ['an empty secret', (right: string) => right, () => ''],
  ['an unknown id', () => 'nobody', (right: string) => right],
  ['an id that is no id', () => "' or true --\0", (right: string) => right],
] as const) {
  test(`authenticate() refuses ${what}`, async (t) => {
    const { here } = await open(t);
    const key = await here.create({});
    assert.equal(await here.authenticate(id(key.id), secret(key.secret)), undefined);
  });
}

test('revoke() is in force here at once and in other collectors after three seconds', async (t) => {
  const { here, elsewhere, pass } = await open(t);
  const key = await here.create({});
  assert.ok(await here.authenticate(key.id, key.secret));
  assert.ok(await elsewhere.authenticate(key.id, key.secret));
  assert.equal(await here.revoke(key.id), true);
  assert.equal(await here.authenticate(key.id, key.secret), undefined);
  pass(3000);
  assert.equal(await elsewhere.authenticate(key.id, key.secret), undefined);
  assert.equal(await here.revoke('nobody'), false);
});

test('a revocation elsewhere is in force after three seconds, also where the use of the key was just noted', async (t) => {
  const { here, elsewhere, pass } = await open(t);
  const key = await here.create({});
  await here.authenticate(key.id, key.secret);
  pass(59_000);
  assert.ok(await here.authenticate(key.id, key.secret));
  await elsewhere.revoke(key.id);
  pass(2000);
  assert.ok(await here.authenticate(key.id, key.secret));
  pass(1000);
  assert.equal(await here.authenticate(key.id, key.secret), undefined);
});

test('bind() gives a key to one of two agents that try at once', async (t) => {
  const { here, elsewhere } = await open(t);
  const key = await here.create({});
  const outcomes = await Promise.all([here.bind(key.id, ONE), elsewhere.bind(key.id, TWO)]);
  assert.deepEqual(outcomes.toSorted(), ['bound', 'other_agent']);
  const winner = outcomes[0] === 'bound' ? ONE : TWO;
  assert.equal(await here.bind(key.id, winner), 'bound');
  assert.equal((await here.authenticate(key.id, key.secret))?.agentId, winner);
});

test('two keys may belong to one agent, so that a lost one can be replaced', async (t) => {
  const { here } = await open(t);
  const old = await here.create({ agentId: ONE });
  const fresh = await here.create({});
  assert.equal(await here.bind(fresh.id, ONE), 'bound');
  await here.revoke(old.id);
  assert.equal((await here.authenticate(fresh.id, fresh.secret))?.agentId, ONE);
});

test('list() tells when a key was used, to the minute, and never its secret', async (t) => {
  const { here, sql, pass } = await open(t);
  const key = await here.create({ name: 'one' });
  const [unused] = await here.list();
  assert.deepEqual(
    [unused?.name, unused?.lastUsedAt, unused?.revokedAt],
    ['one', undefined, undefined],
  );
  await here.authenticate(key.id, key.secret);
  const [first] = await here.list();
  pass(30_000);
  await here.authenticate(key.id, key.secret);
  assert.deepEqual((await here.list())[0]?.lastUsedAt, first?.lastUsedAt);
  pass(31_000);
  await here.authenticate(key.id, key.secret);
  const [second] = await here.list();
  assert.equal((second?.lastUsedAt?.getTime() ?? 0) - (first?.lastUsedAt?.getTime() ?? 0), 61_000);
  assert.ok(!JSON.stringify(await here.list()).includes(key.secret));
  assert.equal((await sql`select from agent_keys`).length, 1);
});

test('authenticate() rejects when PostgreSQL cannot be asked', async () => {
  const sql = openDatabase({ url: 'postgres://nobody@127.0.0.1:1/nothing' });
  await assert.rejects(createKeyStore(sql).authenticate('id', 'secret'), { code: 'ECONNREFUSED' });
  await sql.end({ timeout: 1 });
});

test('createRecentMap() keeps what was touched last', () => {
  const map = createRecentMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.get('a');
  map.set('c', 3);
  assert.deepEqual([map.get('a'), map.get('b'), map.get('c')], [1, undefined, 3]);
});

test('randomId() never begins with a dash, which a command line would take for an option', () => {
  assert.deepEqual(
    Array.from({ length: 2000 }, () => randomId()).filter((id) => id.startsWith('-')),
    [],
  );
});
