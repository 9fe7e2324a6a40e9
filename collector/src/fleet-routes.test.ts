/**
 * Goal: an agent gets a key for a token and says how it does; nobody else does. Method: the whole app on a port, real PostgreSQL, a
 * clock of the test's own.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { apiKeyAuthorization, CHECK_IN_PATH, ENROLL_PATH } from '@launchbeat/ecs-schemas';
import {
  type CollectorApp,
  type CollectorAppOptions,
  startCollectorApp,
} from '../../tests/support/collector-app.ts';
import { ndjsonLines, processStart } from '../../tests/support/documents.ts';
import { eventually } from '../../tests/support/eventually.ts';
import { revokeAgent } from './fleet/agent-changes.ts';
import { listAgents } from './fleet/agent-list.ts';
import { listAudit } from './fleet/audit.ts';
import { addToken, revokeToken, type TokenPolicy } from './fleet/tokens.ts';

const POLICY: TokenPolicy = {
  name: 'office',
  tags: ['office'],
  forwarder: false,
  knownAgents: false,
  usesMax: 1,
};
const OFFLINE_AFTER_MS = 300_000;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what a test looks at.
  readonly body: any;
}

async function open(t: TestContext, options: CollectorAppOptions = {}) {
  let nowMs = Date.now();
  const app = await startCollectorApp(t, { ...options, now: () => nowMs });
  const post = async (path: string, key: string, body: unknown): Promise<Answer> => {
    const [id = '', secret = ''] = key.split(':');
    const response = await fetch(app.server.url + path, {
      method: 'POST',
      headers: { authorization: apiKeyAuthorization(id, secret) },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    const { status, headers } = response;
    return { status, headers, body: await response.json() };
  };
  return {
    app,
    now: () => nowMs,
    pass: (ms: number): void => {
      nowMs += ms;
    },
    token: async (policy: Partial<TokenPolicy> = {}) =>
      await addToken(app.sql, { ...POLICY, ...policy }, 'test'),
    enroll: (token: string, agentId: string, more: object = {}) =>
      post(ENROLL_PATH, token, {
        ...{ agent_id: agentId, name: 'PC-042', version: '0.1.0' },
        host: { name: 'PC-042', os: 'Windows 10' },
        ...more,
      }),
    checkIn: (key: string, agentId: string, more: object = {}) =>
      post(CHECK_IN_PATH, key, { ...checkIn(agentId, nowMs), ...more }),
    post,
  };
}

function checkIn(agentId: string, nowMs: number) {
  const now = new Date(nowMs).toISOString();
  return {
    agent_id: agentId,
    ephemeral_id: '00000000-0000-4000-8000-00000000000a',
    sequence: 1,
    ...{ sent_at: now, started_at: now, name: 'PC-042', version: '0.1.0' },
    host: { name: 'PC-042', os: 'Windows 10' },
    source: 'security-log',
    spool: { pending_bytes: 0, bytes: 10, segments: 1, bytes_max: 1000 },
    lag_ms: 0,
    counters: { 'capture.read': 7 },
  };
}

const fact = (id: string, more: object = {}) => ({
  ...{ id, kind: 'gap', level: 'error', at: '2026-11-23T10:00:00.000Z', from: 5, to: 9 },
  ...{ count: 5, reason: 'Records 5 to 9 are gone' },
  ...more,
});

const problemOf = ({ status, body }: Answer) => [status, String(body.type).split(':').at(-1)];
const actionsOf = async (app: CollectorApp) =>
  (await listAudit(app.sql, { limit: 100 })).map((one) => one.action).reverse();

test('a token gives an agent a key of its own, once, and both are in the audit log without secrets', async (t) => {
  const { app, token, enroll, checkIn } = await open(t);
  const { encoded } = await token();
  const agentId = randomUUID();
  const given = await enroll(encoded, agentId);
  assert.equal(given.status, 200, JSON.stringify(given.body));
  assert.equal(given.body.agent_id, agentId);
  assert.deepEqual(given.body.tags, ['office']);
  const [id = '', secret = ''] = given.body.api_key.split(':');
  assert.equal((await app.keys.authenticate(id, secret))?.agentId, agentId);
  assert.equal((await checkIn(given.body.api_key, agentId)).status, 200);
  assert.deepEqual(problemOf(await enroll(encoded, randomUUID())), [403, 'token-refused']);
  assert.deepEqual(await actionsOf(app), ['token.add', 'agent.enroll']);
  const [row] = await app.sql`
    select (select json_agg(audit_log)::text from audit_log) ||
      (select json_agg(enrolment_tokens)::text from enrolment_tokens) as text`;
  assert.ok(!row?.['text'].includes(secret));
  assert.ok(!row?.['text'].includes(encoded.split(':')[1]));
});

for (const [what, wrong] of [
  ['an unknown token', () => 'enroll-nobody:nothing'],
  ['a wrong secret', (right: string) => `${right.split(':')[0]}:wrong`],
  ['an agent key', (_: string, key: string) => key],
] as const) {
  test(`${what} enrols nobody, and counts like a wrong key`, async (t) => {
    const { app, token, enroll } = await open(t, { admit: { failed_keys_per_minute: 2 } });
    const { encoded } = await token();
    const bad = wrong(encoded, app.key.encoded);
    assert.deepEqual(problemOf(await enroll(bad, randomUUID())), [401, 'unauthorized']);
    assert.deepEqual(problemOf(await enroll(bad, randomUUID())), [401, 'unauthorized']);
    assert.deepEqual(problemOf(await enroll(encoded, randomUUID())), [429, 'too-many-requests']);
    const [row] = await app.sql`select uses from enrolment_tokens`;
    assert.equal(row?.['uses'], 0);
  });
}

test('a token that is expired or revoked is refused with its state, and leaves keys as they are', async (t) => {
  const { app, token, enroll, pass, now, checkIn } = await open(t);
  const agentId = randomUUID();
  const expiring = await token({ usesMax: 9, expiresAt: new Date(now() + 1000) });
  const revoked = await token();
  assert.equal(await revokeToken(app.sql, revoked.id, 'test'), true);
  assert.equal(await revokeToken(app.sql, 'enroll-none', 'test'), false);
  const given = await enroll(expiring.encoded, agentId);
  assert.equal(given.status, 200);
  pass(1000);
  for (const [{ encoded }, state] of [
    [expiring, /is expired/],
    [revoked, /is revoked/],
  ] as const) {
    const answer = await enroll(encoded, agentId);
    assert.deepEqual(problemOf(answer), [403, 'token-refused']);
    assert.match(answer.body.detail, state);
  }
  assert.equal((await checkIn(given.body.api_key, agentId)).status, 200);
});

test('of two agents that use the last use of a token at once, one enrols', async (t) => {
  const { app, token, enroll } = await open(t);
  const { encoded } = await token();
  const answers = await Promise.all([enroll(encoded, randomUUID()), enroll(encoded, randomUUID())]);
  assert.deepEqual(answers.map((one) => one.status).sort(), [200, 403]);
  const [row] = await app.sql`select uses from enrolment_tokens`;
  assert.equal(row?.['uses'], 1);
});

test('an agent whose answer was lost may ask again until its key is used; then it is known', async (t) => {
  const { app, token, enroll, checkIn } = await open(t);
  const { encoded } = await token();
  const agentId = randomUUID();
  const lost = await enroll(encoded, agentId);
  const again = await enroll(encoded, agentId);
  assert.equal(again.status, 200);
  assert.deepEqual(problemOf(await checkIn(lost.body.api_key, agentId)), [401, 'unauthorized']);
  assert.equal((await checkIn(again.body.api_key, agentId)).status, 200);
  assert.deepEqual(problemOf(await enroll(encoded, agentId)), [403, 'token-refused']);
  const other = await token();
  assert.deepEqual(problemOf(await enroll(other.encoded, agentId)), [409, 'agent-known']);
  const rows = await app.sql`select uses from enrolment_tokens order by created_at`;
  assert.deepEqual(
    rows.map((row) => row['uses']),
    [1, 0],
  );
});

test('a token for known agents gives another key, whose first use ends the one before', async (t) => {
  const { app, token, enroll, checkIn, pass } = await open(t);
  const agentId = randomUUID();
  const first = (await enroll((await token()).encoded, agentId)).body.api_key;
  assert.equal((await checkIn(first, agentId)).status, 200);
  const second = (await enroll((await token({ knownAgents: true })).encoded, agentId)).body.api_key;
  pass(60_000);
  assert.equal((await checkIn(first, agentId)).status, 200, 'good until the new one is used');
  assert.equal((await checkIn(second, agentId)).status, 200);
  pass(60_000);
  assert.deepEqual(problemOf(await checkIn(first, agentId)), [401, 'unauthorized']);
  assert.equal((await checkIn(second, agentId)).status, 200);
  assert.ok((await actionsOf(app)).includes('key.supersede'));
});

test('a revoked agent is refused, also with a token that does not name known agents', async (t) => {
  const { app, token, enroll, checkIn, pass } = await open(t);
  const agentId = randomUUID();
  const key = (await enroll((await token()).encoded, agentId)).body.api_key;
  assert.equal((await checkIn(key, agentId)).status, 200);
  assert.equal(await revokeAgent(app.sql, agentId, 'test'), 1);
  pass(5000);
  assert.deepEqual(problemOf(await checkIn(key, agentId)), [401, 'unauthorized']);
  assert.deepEqual(problemOf(await enroll((await token()).encoded, agentId)), [409, 'agent-known']);
  const [agent] = await listAgents(app.sql, { offlineAfterMs: OFFLINE_AFTER_MS });
  assert.equal(agent?.state, 'revoked');
});

for (const [what, body, expected] of [
  ['no JSON', '{', [400, 'bad-body']],
  ['no agent id', '{"host":{"name":"PC"}}', [400, 'bad-request']],
  ['a body that is too large', `"${'x'.repeat(256 * 1024)}"`, [413, 'too-large']],
] as const) {
  test(`${what} is refused on both paths`, async (t) => {
    const { app, token, post } = await open(t);
    const { encoded } = await token();
    assert.deepEqual(problemOf(await post(ENROLL_PATH, encoded, body)), expected);
    assert.deepEqual(problemOf(await post(CHECK_IN_PATH, app.key.encoded, body)), expected);
  });
}

test('a check-in binds a new key, is kept, and tells the state', async (t) => {
  const { app, checkIn, now, pass } = await open(t);
  const agentId = randomUUID();
  const answer = await checkIn(app.key.encoded, agentId);
  assert.deepEqual(answer.body, {
    ...{ server_time: new Date(now()).toISOString(), clock_skew_ms: 0 },
    ...{ state: 'healthy', reasons: [] },
  });
  const list = async (nowMs: number) =>
    (await listAgents(app.sql, { offlineAfterMs: OFFLINE_AFTER_MS, nowMs }))[0];
  const agent = await list(now());
  assert.equal(agent?.id, agentId);
  assert.equal(agent?.state, 'healthy');
  assert.equal(agent?.checkIn.counters?.['capture.read'], 7);
  pass(OFFLINE_AFTER_MS + 1);
  assert.equal((await list(now()))?.state, 'offline');
  await app.fleet.look();
  assert.deepEqual(app.fleet.counts().agents, { healthy: 0, degraded: 0, offline: 1, revoked: 0 });
});

test('facts that come again stand once, and a loss makes the agent degraded for a day', async (t) => {
  const { app, checkIn, pass } = await open(t);
  const agentId = randomUUID();
  const facts = [fact('fact-0001'), fact('fact-0002', { kind: 'restart', level: 'warn' })];
  const first = await checkIn(app.key.encoded, agentId, { facts });
  assert.deepEqual(
    [first.body.state, first.body.reasons],
    ['degraded', ['gap in the last 24 h: 5']],
  );
  await checkIn(app.key.encoded, agentId, { facts: [...facts, fact('fact-0001')] });
  const rows =
    await app.sql`select fact_id, from_record::int, to_record::int from agent_facts order by fact_id`;
  assert.deepEqual(
    rows.map((row) => [row['fact_id'], row['from_record'], row['to_record']]),
    [
      ['fact-0001', 5, 9],
      ['fact-0002', 5, 9],
    ],
  );
  assert.deepEqual(app.fleet.counts().facts, { gap: 1, restart: 1 });
  pass(25 * 3_600_000);
  assert.equal((await checkIn(app.key.encoded, agentId)).body.state, 'healthy');
});

test('a check-in of another agent is refused and told as a fact of the agent whose key it was', async (t) => {
  const { app, checkIn } = await open(t);
  const agentId = randomUUID();
  assert.equal((await checkIn(app.key.encoded, agentId)).status, 200);
  assert.deepEqual(problemOf(await checkIn(app.key.encoded, randomUUID())), [403, 'other-agent']);
  await eventually(async () => {
    const rows = await app.sql`select agent_id, kind, level from agent_facts`;
    assert.deepEqual([...rows], [{ agent_id: agentId, kind: 'foreign_agent', level: 'error' }]);
  });
});

test('a key that is bound to a computer is refused for events of another one', async (t) => {
  const { app, token, enroll, pass } = await open(t);
  const agentId = randomUUID();
  const { encoded } = await token();
  const given = await enroll(encoded, agentId, { host: { name: 'PC-042' } });
  const [id = '', secret = ''] = given.body.api_key.split(':');
  const agent = { ...processStart({}).agent, id: agentId };
  const winlog = (computer_name: string) => ({ ...processStart({}).winlog, computer_name });
  const send = (computer: string) =>
    app.send(ndjsonLines([processStart({ agent, winlog: winlog(computer) })]), {
      key: { id, secret },
    });
  const own = await send('pc-042.acme.local');
  assert.equal(own.status, 200, JSON.stringify(own.body));
  pass(1000);
  assert.deepEqual(problemOf(await send('pc-043.acme.local')), [403, 'other-host']);
  await eventually(async () => {
    const [row] = await app.sql`select kind from agent_facts`;
    assert.equal(row?.['kind'], 'foreign_host');
  });
});

test('two starts that check in by turns are told as a clone, a wrong clock as such', async (t) => {
  const { app, checkIn, pass, now } = await open(t);
  const agentId = randomUUID();
  const other = { ephemeral_id: '00000000-0000-4000-8000-00000000000b' };
  for (const more of [{}, other, {}, other]) {
    assert.equal((await checkIn(app.key.encoded, agentId, more)).body.state, 'healthy');
    pass(60_000);
  }
  const cloned = await checkIn(app.key.encoded, agentId);
  assert.match(cloned.body.reasons[0], /^cloned in the last 24 h: 1$/);
  const sentAt = new Date(now() + 90_000).toISOString();
  const ahead = await checkIn(app.key.encoded, agentId, { sent_at: sentAt });
  assert.equal(ahead.body.clock_skew_ms, 90_000);
  assert.match(ahead.body.reasons.at(-1), /90 s ahead/);
});

test('check-ins above the limit of a key get 429 and are tried later', async (t) => {
  const { app, checkIn } = await open(t, { fleet: { requests_per_minute: 2 } });
  const agentId = randomUUID();
  assert.equal((await checkIn(app.key.encoded, agentId)).status, 200);
  assert.equal((await checkIn(app.key.encoded, agentId)).status, 200);
  const over = await checkIn(app.key.encoded, agentId);
  assert.deepEqual(problemOf(over), [429, 'too-many-requests']);
  assert.equal(over.headers.get('retry-after'), '60');
});
