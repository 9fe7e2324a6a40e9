/**
 * Goal: an agent speaks for its own computer and no other, and a PC that was renamed goes on by itself. Method: the whole app on a
 * port, real PostgreSQL; agents enrol, check in and send as they do.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { apiKeyAuthorization, CHECK_IN_PATH, ENROLL_PATH } from '@launchbeat/ecs-schemas';
import { startCollectorApp } from '../../../tests/support/collector-app.ts';
import { ndjsonLines, processStart } from '../../../tests/support/documents.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { bindHosts } from './agent-changes.ts';
import { listAudit } from './audit.ts';
import { addToken } from './tokens.ts';

const [ONE, TWO] = ['1'.repeat(64), '2'.repeat(64)];

async function open(t: TestContext) {
  let nowMs = Date.now();
  const app = await startCollectorApp(t, { now: () => nowMs });
  // biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what a test looks at.
  const post = async (path: string, encoded: string, body: object): Promise<any> => {
    const [id = '', secret = ''] = encoded.split(':');
    const response = await fetch(app.server.url + path, {
      method: 'POST',
      headers: { authorization: apiKeyAuthorization(id, secret) },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 200, await response.clone().text());
    return await response.json();
  };
  /** An agent on a computer, with the key that its enrolment gave. */
  const enrol = async (name: string, machine: string, forwarder = false) => {
    const agentId = randomUUID();
    const token = await addToken(
      app.sql,
      { name: '', tags: [], forwarder, knownAgents: false, usesMax: 1 },
      'test',
    );
    const host = { name, os: 'Windows', machine };
    const { api_key } = await post(ENROLL_PATH, token.encoded, { agent_id: agentId, host });
    const [id = '', secret = ''] = String(api_key).split(':');
    const ephemeral = randomUUID();
    return {
      agentId,
      checkIn: async (as: string, machineNow: string, start = ephemeral) => {
        nowMs += 60_000;
        const now = new Date(nowMs).toISOString();
        return await post(CHECK_IN_PATH, api_key, {
          ...{ agent_id: agentId, ephemeral_id: start, sequence: 1, sent_at: now, started_at: now },
          ...{ host: { name: as, machine: machineNow }, lag_ms: 0 },
          spool: { pending_bytes: 0, bytes: 0, segments: 0, bytes_max: 1 },
        });
      },
      send: async (computer_name: string) => {
        const agent = { ...processStart({}).agent, id: agentId };
        const winlog = { ...processStart({}).winlog, computer_name };
        const body = ndjsonLines([processStart({ agent, winlog })]);
        return (await app.send(body, { key: { id, secret } })).status;
      },
      facts: async () =>
        (await app.sql`select kind from agent_facts where agent_id = ${agentId} order by id`).map(
          (row) => String(row['kind']),
        ),
    };
  };
  return { app, enrol };
}

test('an agent sends for its own computer, and for another one only as a forwarder', async (t) => {
  const { enrol } = await open(t);
  const pc = await enrol('PC-042', ONE);
  assert.equal(await pc.send('PC-042.acme.local'), 200);
  assert.equal(await pc.send('DC01.acme.local'), 403);
  await eventually(async () => assert.deepEqual(await pc.facts(), ['foreign_host']));
  const forwarder = await enrol('COLLECTOR', TWO, true);
  assert.equal(await forwarder.send('DC01.acme.local'), 200);
});

test('a PC that was renamed goes on under its new name, and events from before are taken too', async (t) => {
  const { app, enrol } = await open(t);
  const pc = await enrol('PC-042', ONE);
  await pc.checkIn('PC-042', ONE);
  assert.equal(await pc.send('pc-042.acme.local'), 200);
  await pc.checkIn('RECEPTION', ONE, randomUUID());
  assert.equal(await pc.send('reception.acme.local'), 200);
  assert.equal(await pc.send('pc-042.acme.local'), 200);
  assert.equal(await pc.send('pc-043.acme.local'), 403);
  assert.ok((await pc.facts()).includes('renamed'));
  assert.ok((await listAudit(app.sql, { limit: 9 })).some((one) => one.action === 'agent.rename'));
});

test('another machine under the same id is told, and sends nothing under its own name', async (t) => {
  const { enrol } = await open(t);
  const pc = await enrol('PC-042', ONE);
  const copy = randomUUID();
  await pc.checkIn('PC-042', ONE);
  await pc.checkIn('PC-043', TWO, copy);
  assert.deepEqual(await pc.facts(), ['moved', 'foreign_host']);
  assert.equal(await pc.send('pc-043.acme.local'), 403);
  // That it says the same again does not make it known.
  await pc.checkIn('PC-043', TWO, copy);
  assert.equal(await pc.send('pc-043.acme.local'), 403);
  const back = await pc.checkIn('PC-042', ONE);
  assert.ok((await pc.facts()).includes('cloned'));
  assert.ok(back.reasons.some((one: string) => one.startsWith('cloned')));
  assert.equal(await pc.send('pc-042.acme.local'), 200);
});

test("a name that is another agent's computer is not taken by a check-in, but by an operator's word", async (t) => {
  const { app, enrol } = await open(t);
  const server = await enrol('DC01', TWO);
  await server.checkIn('DC01', TWO);
  const pc = await enrol('PC-042', ONE);
  await pc.checkIn('DC01', ONE);
  assert.equal(await pc.send('dc01.acme.local'), 403);
  assert.ok((await pc.facts()).includes('foreign_host'));
  assert.equal(await bindHosts(app.sql, pc.agentId, ['dc01'], 'cli:test'), true);
  assert.equal(await pc.send('dc01.acme.local'), 200);
});

test('a chunk with other bytes under the same name is answered 409 and told', async (t) => {
  const { app } = await open(t);
  const send = (name: string) =>
    app.send(ndjsonLines([processStart({ host: { name } })]), { idempotencyKey: 'a@0-9' });
  assert.equal((await send('one')).status, 200);
  assert.equal((await send('two')).status, 409);
  await eventually(async () => {
    const rows = await app.sql`select kind, level from agent_facts`;
    assert.deepEqual([...rows], [{ kind: 'conflict', level: 'error' }]);
  });
});
