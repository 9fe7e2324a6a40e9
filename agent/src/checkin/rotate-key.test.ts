/**
 * Goal: wherever an agent stops while its key is rotated, its next start has a key that works, and ends with the new one alone.
 * Method: a real collector app on real PostgreSQL, a real keystore; the process "dies" at each request and each write in turn.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { HealthNote } from '@launchbeat/ecs-schemas';
import { type Keystore, openKeystore, SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { askForRotation } from '../../../collector/src/fleet/rotate-key.ts';
import { startCollectorApp } from '../../../tests/support/collector-app.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { createAgentKey } from '../upload/agent-key.ts';
import { type HttpExchange, openHttpExchange } from '../upload/http-exchange.ts';
import { outputConfigSchema } from '../upload/output-config.ts';
import { BEFORE, createKeyRotation } from './rotate-key.ts';

const NAME = 'LAUNCHBEAT_API_KEY';
const GRACE_MS = 31_000;

class Died extends Error {}

interface Hooks {
  readonly beforeWrite?: () => void;
  readonly afterWrite?: () => void;
  readonly beforeRequest?: (path: string) => void;
  readonly afterRequest?: (path: string) => void;
}

async function open(t: TestContext) {
  let nowMs = Date.now();
  const app = await startCollectorApp(t, { now: () => nowMs });
  const agentId = randomUUID();
  const folder = temporaryFolder(t);
  const old = (await app.keys.create({ agentId })).encoded;
  openKeystore(folder, 'launchbeat').write(new Map([[NAME, old]]));
  await askForRotation(app.sql, { agentId }, 'cli:test');
  const notes: HealthNote[] = [];

  /** A start of the agent: what is in memory is what the keystore has. */
  const start = (hooks: Hooks = {}, literal?: string, environment: Record<string, string> = {}) => {
    const store = openKeystore(folder, 'launchbeat');
    const keystore: Keystore = {
      ...store,
      write(entries) {
        hooks.beforeWrite?.();
        store.write(entries);
        hooks.afterWrite?.();
      },
    };
    const configured = (): string => literal ?? store.read().get(NAME) ?? environment[NAME] ?? '';
    const key = createAgentKey(configured());
    const config = outputConfigSchema.parse({ url: app.server.url, api_key: key.encoded() });
    const way = openHttpExchange(app.server.url, config, Date.now, key);
    const http: HttpExchange = {
      async exchange(request, signal) {
        hooks.beforeRequest?.(request.path);
        const answer = await way.exchange(request, signal);
        hooks.afterRequest?.(request.path);
        return answer;
      },
      close: way.close,
    };
    t.after(() => way.close());
    const note = (one: HealthNote): void => void notes.push(one);
    const rotation = createKeyRotation({
      ...{ agentId, key, keystore, environment, configured, http, note, log: SILENT_LOG },
    });
    return { key, rotation };
  };
  return {
    ...{ app, agentId, folder, old, notes, start },
    stored: () => openKeystore(folder, 'launchbeat').read(),
    pass: (ms: number): void => {
      nowMs += ms;
    },
    works: async (encoded: string) => {
      const [id = '', secret = ''] = encoded.split(':');
      return (await app.keys.authenticate(id, secret)) !== undefined;
    },
  };
}

type Opened = Awaited<ReturnType<typeof open>>;
const signal = new AbortController().signal;

/** What every start does: settle, then ask if the collector still wants it. */
async function checkInsOf({ rotation }: ReturnType<Opened['start']>): Promise<void> {
  await rotation.settle(signal);
  await rotation.rotate(signal);
}

/** The keystore has one key; it works, and the old one does not any more. */
async function assertRotated(opened: Opened, memory: string): Promise<void> {
  opened.pass(GRACE_MS);
  assert.deepEqual([...opened.stored().keys()], [NAME]);
  const stored = opened.stored().get(NAME) ?? '';
  assert.notEqual(stored, opened.old);
  assert.equal(memory, stored, 'in use is what the next start will have');
  assert.deepEqual([await opened.works(stored), await opened.works(opened.old)], [true, false]);
}

test('a rotation writes the new key before it is sent, and ends with it alone', async (t) => {
  const opened = await open(t);
  const order: string[] = [];
  const agent = opened.start({
    afterWrite: () => void order.push('write'),
    beforeRequest: (path) => void order.push(path),
  });
  await checkInsOf(agent);
  assert.deepEqual(order, ['/v1/rotate-key', 'write', '/v1/whoami', 'write']);
  await assertRotated(opened, agent.key.encoded());
  assert.deepEqual(opened.notes, []);
});

/** The n-th time that the hook is called, the process is gone: nothing after it happens. */
function dieAt(hook: keyof Hooks, number: number): Hooks {
  let [calls, dead] = [0, false];
  const all: (keyof Hooks)[] = ['beforeWrite', 'afterWrite', 'beforeRequest', 'afterRequest'];
  const each = (name: keyof Hooks) => (): void => {
    if (name === hook) calls += 1;
    if (dead || (name === hook && calls === number)) {
      dead = true;
      throw new Died();
    }
  };
  return Object.fromEntries(all.map((name) => [name, each(name)]));
}

for (const hook of ['beforeWrite', 'afterWrite', 'beforeRequest', 'afterRequest'] as const) {
  for (const number of [1, 2]) {
    test(`an agent that dies at ${hook} ${number} starts with a key that works and ends with the new one`, async (t) => {
      const opened = await open(t);
      await checkInsOf(opened.start(dieAt(hook, number)));
      const agent = opened.start();
      assert.ok(await opened.works(agent.key.encoded()), 'events go on at once');
      await checkInsOf(agent);
      await assertRotated(opened, agent.key.encoded());
    });
  }
}

test('a new key that the collector does not know gives way to the one before', async (t) => {
  const opened = await open(t);
  const store = openKeystore(opened.folder, 'launchbeat');
  store.write(
    new Map([
      [NAME, 'lost:key'],
      [NAME + BEFORE, opened.old],
    ]),
  );
  const agent = opened.start();
  await agent.rotation.settle(signal);
  assert.equal(agent.key.encoded(), opened.old);
  assert.deepEqual([...opened.stored()], [[NAME, opened.old]]);
  await checkInsOf(agent);
  await assertRotated(opened, agent.key.encoded());
});

test('a key that is not from the keystore stays, and that is told once', async (t) => {
  const opened = await open(t);
  const elsewhere = (await opened.app.keys.create({ agentId: opened.agentId })).encoded;
  const agent = opened.start({}, elsewhere);
  await checkInsOf(agent);
  await checkInsOf(agent);
  assert.equal(agent.key.encoded(), elsewhere);
  assert.deepEqual(
    opened.notes.map((one) => [one.kind, one.level]),
    [['rotation_failed', 'warn']],
  );
  assert.ok(!JSON.stringify(opened.notes).includes(elsewhere));
});

test('a key of the environment is replaced by one of the keystore, which goes before it', async (t) => {
  const opened = await open(t);
  openKeystore(opened.folder, 'launchbeat').write(new Map());
  const agent = opened.start({}, undefined, { [NAME]: opened.old });
  await checkInsOf(agent);
  await assertRotated(opened, agent.key.encoded());
});

test('a key that the config holds itself is never given up for one that the next start would not have', async (t) => {
  const opened = await open(t);
  for (const hooks of [{}, dieAt('beforeWrite', 2), {}]) {
    const agent = opened.start(hooks, opened.old);
    await checkInsOf(agent);
    assert.equal(agent.key.encoded(), opened.old);
    opened.pass(GRACE_MS);
    assert.ok(await opened.works(opened.old));
  }
  assert.deepEqual([...opened.stored()], [[NAME, opened.old]]);
  assert.equal(opened.notes[0]?.kind, 'rotation_failed');
});

test('a disk that refuses the new key leaves the agent with the one that it has', async (t) => {
  const opened = await open(t);
  const full = () => {
    throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
  };
  const agent = opened.start({ beforeWrite: full });
  await checkInsOf(agent);
  assert.equal(agent.key.encoded(), opened.old);
  assert.deepEqual([...opened.stored()], [[NAME, opened.old]]);
  opened.pass(GRACE_MS);
  assert.ok(await opened.works(opened.old));
  assert.equal(opened.notes.length, 1);
});
