/**
 * Goal: an agent's key is replaced while both keys are good, and nobody else gets one. Method: the whole app on a port, real
 * PostgreSQL, a clock of the test's own.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { apiKeyAuthorization, CHECK_IN_PATH, ROTATE_KEY_PATH } from '@launchbeat/ecs-schemas';
import { startCollectorApp } from '../../../tests/support/collector-app.ts';
import { revokeAgent } from './agent-changes.ts';
import { listAudit } from './audit.ts';
import { askForRotation } from './rotate-key.ts';

const GRACE_MS = 31_000;
const CACHED_MS = 4000;

async function open(t: TestContext) {
  let nowMs = Date.now();
  const app = await startCollectorApp(t, { now: () => nowMs });
  const agentId = randomUUID();
  const key = await app.keys.create({ name: 'PC-042', agentId, hosts: ['pc-042'] });
  const post = async (path: string, encoded: string, body?: object) => {
    const [id = '', secret = ''] = encoded.split(':');
    const response = await fetch(app.server.url + path, {
      method: 'POST',
      headers: { authorization: apiKeyAuthorization(id, secret) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    // biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what a test looks at.
    return { status: response.status, body: (await response.json()) as any };
  };
  const now = new Date(nowMs).toISOString();
  const checkIn = (encoded: string) =>
    post(CHECK_IN_PATH, encoded, {
      ...{ agent_id: agentId, ephemeral_id: randomUUID(), sequence: 1 },
      ...{ sent_at: now, started_at: now, host: { name: 'PC-042' }, lag_ms: 0 },
      spool: { pending_bytes: 0, bytes: 0, segments: 0, bytes_max: 1 },
    });
  return {
    ...{ app, agentId, checkIn, sql: app.sql, old: key.encoded },
    pass: (ms: number): void => {
      nowMs += ms;
    },
    ask: () => askForRotation(app.sql, { agentId }, 'cli:test'),
    rotate: (encoded: string) => post(ROTATE_KEY_PATH, encoded),
    works: async (encoded: string) => {
      const [id = '', secret = ''] = encoded.split(':');
      return (await app.keys.authenticate(id, secret))?.agentId === agentId;
    },
    actions: async () =>
      (await listAudit(app.sql, { limit: 100 })).map((one) => one.action).reverse(),
  };
}

test('a rotation: the agent hears of it, gets a key, both are good until the new one is used, then one', async (t) => {
  const { app, agentId, old, ask, checkIn, rotate, works, pass, actions } = await open(t);
  assert.equal((await checkIn(old)).body.rotate_key, undefined);
  assert.deepEqual(await ask(), [agentId]);
  assert.equal((await checkIn(old)).body.rotate_key, true);
  const given = await rotate(old);
  assert.equal(given.status, 200, JSON.stringify(given.body));
  const fresh: string = given.body.api_key;
  pass(10 * 86_400_000);
  assert.ok(await works(old), 'good for as long as the new one waits');
  assert.ok(await works(fresh));
  assert.ok(await works(old), 'requests on their way');
  pass(GRACE_MS);
  assert.deepEqual([await works(old), await works(fresh)], [false, true]);
  assert.equal((await checkIn(fresh)).body.rotate_key, undefined);
  assert.equal((await rotate(fresh)).status, 409);
  const kept = (await app.keys.list()).find((one) => one.id === fresh.split(':')[0]);
  assert.deepEqual([kept?.name, kept?.hosts], ['PC-042', ['pc-042']]);
  assert.deepEqual(await actions(), ['agent.rotate', 'key.rotate', 'key.supersede']);
});

test('a new key whose answer was lost is dropped when the agent asks again', async (t) => {
  const { old, ask, rotate, works, pass } = await open(t);
  await ask();
  const lost: string = (await rotate(old)).body.api_key;
  const given: string = (await rotate(old)).body.api_key;
  assert.notEqual(lost, given);
  assert.deepEqual([await works(lost), await works(old), await works(given)], [false, true, true]);
  pass(GRACE_MS);
  assert.deepEqual([await works(lost), await works(old), await works(given)], [false, false, true]);
});

test('nobody gets a new key unasked, without a key, unbound, or revoked', async (t) => {
  const { app, agentId, old, ask, rotate, checkIn, pass } = await open(t);
  const refused = async (encoded: string, status: number) => {
    const answer = await rotate(encoded);
    assert.equal(answer.status, status, JSON.stringify(answer.body));
  };
  await refused(old, 409);
  await refused('nobody:nothing', 401);
  await refused(app.key.encoded, 409);
  await checkIn(old);
  await ask();
  await revokeAgent(app.sql, agentId, 'cli:test');
  pass(CACHED_MS);
  await refused(old, 401);
  assert.deepEqual(await ask(), [], 'nothing is asked of an agent without a valid key');
  assert.deepEqual(await askForRotation(app.sql, { agentId: randomUUID() }, 'cli:test'), []);
});

test('all agents with a valid key are asked at once, those without are not', async (t) => {
  const { app, agentId, sql } = await open(t);
  const other = randomUUID();
  await app.keys.create({ agentId: other });
  const gone = randomUUID();
  await app.keys.revoke((await app.keys.create({ agentId: gone })).id);
  assert.deepEqual(
    [...(await askForRotation(sql, 'all', 'cli:test'))].sort(),
    [agentId, other].sort(),
  );
});

test('two rotations of one key at once leave one new key that works', async (t) => {
  const { old, ask, rotate, works } = await open(t);
  await ask();
  const answers = await Promise.all([rotate(old), rotate(old), rotate(old)]);
  const given = answers.map((one) => one.body.api_key as string);
  const working = await Promise.all(given.map(works));
  assert.deepEqual(working.filter(Boolean), [true]);
});
