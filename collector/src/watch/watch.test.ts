/**
 * Goal: what no event can tell is told once: an agent in trouble, a key that fell silent. Method: real check-ins and events through
 * the collector's app into a real PostgreSQL; random walks of agents' states against a model that remembers everything.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import fc from 'fast-check';
import { type CollectorApp, startCollectorApp } from '../../../tests/support/collector-app.ts';
import { ndjsonLines, processStart, TEST_AGENT_ID } from '../../../tests/support/documents.ts';
import { runsOr } from '../../../tests/support/rule-models.ts';
import { alertsConfigSchema } from '../assess/alerts-config.ts';
import { createLiveRules } from '../live-rules.ts';
import { createWatch, type Watch } from './create-watch.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 12);
const MINUTE_MS = 60_000;

interface Lab {
  readonly app: CollectorApp;
  readonly watch: Watch;
  readonly woken: () => number;
  at(minutes: number): void;
  /** Rule, PC, key and reason of the alerts since the last look at them. */
  told(): Promise<string[]>;
}

async function lab(t: TestContext, file: Record<string, unknown>): Promise<Lab> {
  let nowMs = NOW_MS;
  const now = (): number => nowMs;
  const raw = { chats: { duty: 1, tills: 2 }, ...file };
  const app = await startCollectorApp(t, { alerts: raw, now });
  let woken = 0;
  const watch = createWatch({
    sql: app.sql,
    rules: createLiveRules(alertsConfigSchema.parse(raw), true),
    config: { offline_after: 5 * MINUTE_MS },
    wake: () => {
      woken += 1;
    },
    log: SILENT_LOG,
    now,
  });
  let last = 0;
  return {
    ...{ app, watch, woken: () => woken },
    at(minutes) {
      nowMs = NOW_MS + minutes * MINUTE_MS;
    },
    async told() {
      await watch.look();
      const rows = await app.sql<
        { id: string; rule_id: string; chat_id: string; fields: Record<string, string> }[]
      >`
        select id, rule_id, chat_id, fields from alerts where alerts.id > ${last} order by alerts.id`;
      last = Number(rows.at(-1)?.id ?? last);
      return rows.map(({ rule_id: rule, chat_id: chat, fields }) =>
        [rule, chat, fields['host'], fields['key'], fields['reason']].filter(Boolean).join(' | '),
      );
    },
  };
}

interface Agent {
  readonly id?: string;
  readonly host?: string;
  readonly tags?: readonly string[];
  readonly reasons?: readonly string[];
  readonly seenMinute?: number;
}

async function putAgent({ app }: Lab, agent: Agent): Promise<void> {
  const { id = TEST_AGENT_ID, host = 'pc-1', tags = [], reasons = [], seenMinute = 0 } = agent;
  const seen = new Date(NOW_MS + seenMinute * MINUTE_MS).toISOString();
  await app.sql`
    insert into agents (id, name, host, tags, reasons, last_seen_at)
    values (${id}, ${host}, ${host}, ${[...tags]}, ${[...reasons]}, ${seen})
    on conflict (id) do update set tags = excluded.tags, reasons = excluded.reasons,
      last_seen_at = excluded.last_seen_at`;
}

test('agent_offline: told once, again after it was back, and only of the PCs that the rule is about', async (t) => {
  const one = await lab(t, {
    groups: { tills: { tags: ['till'] } },
    rules: [
      { id: 'gone', kind: 'agent_offline', chats: ['duty'] },
      { id: 'till', kind: 'agent_offline', within: '1h', groups: ['tills'], chats: ['tills'] },
      { id: 'other', kind: 'agent_offline', hosts: ['srv-*'], chats: ['duty'] },
      { id: 'night', kind: 'agent_offline', schedule: { from: '22:00', to: '23:00' } },
    ],
  });
  await putAgent(one, { tags: ['Till'] });
  assert.deepEqual(await one.told(), []);
  one.at(6);
  assert.deepEqual(await one.told(), ['gone | 1 | pc-1 | 23.11.2026 12:00:00']);
  assert.equal(one.woken(), 1);
  one.at(61);
  assert.deepEqual(await one.told(), ['till | 2 | pc-1 | 23.11.2026 12:00:00']);
  await putAgent(one, { tags: ['Till'], seenMinute: 61 });
  assert.deepEqual(await one.told(), []);
  one.at(67);
  assert.deepEqual(await one.told(), ['gone | 1 | pc-1 | 23.11.2026 13:01:00']);
  await one.app.sql`update agents set revoked_at = now()`;
  one.at(300);
  assert.deepEqual(await one.told(), []);
});

test('agent_degraded: each trouble once, whatever its numbers; each loss by itself; reasons choose', async (t) => {
  const one = await lab(t, {
    rules: [
      { id: 'ill', kind: 'agent_degraded', chats: ['duty'] },
      { id: 'audit', kind: 'agent_degraded', reasons: ['*AUDITING*', 'gap'], chats: ['tills'] },
    ],
  });
  const off = 'auditing of process creation is off';
  await putAgent(one, { reasons: [off, 'clock is 90 s ahead', 'gap in the last 24 h: 3'] });
  assert.deepEqual((await one.told()).sort(), [
    `audit | 2 | pc-1 | ${off}`,
    `ill | 1 | pc-1 | ${off}`,
    'ill | 1 | pc-1 | clock is 90 s ahead',
  ]);
  await putAgent(one, { reasons: [off, 'clock is 95 s ahead'] });
  assert.deepEqual(await one.told(), []);
  const fact = async (id: string, kind: string, level = 'error'): Promise<void> => {
    await one.app.sql`
      insert into agent_facts (agent_id, fact_id, kind, level, at, reason, found_by, received_at)
      values (${TEST_AGENT_ID}, ${id}, ${kind}, ${level}, now(), ${`of ${id}`}, 'agent', ${new Date(NOW_MS).toISOString()})`;
  };
  await fact('fact-0001', 'gap');
  await fact('fact-0002', 'gap');
  await fact('fact-0003', 'restart', 'warn');
  await fact('fact-0004', 'reader_warning', 'warn');
  assert.deepEqual((await one.told()).sort(), [
    'audit | 2 | pc-1 | gap: of fact-0001',
    'audit | 2 | pc-1 | gap: of fact-0002',
    'ill | 1 | pc-1 | gap: of fact-0001',
    'ill | 1 | pc-1 | gap: of fact-0002',
    'ill | 1 | pc-1 | reader_warning: of fact-0004',
  ]);
  assert.deepEqual(await one.told(), []);
  await putAgent(one, { reasons: [] });
  assert.deepEqual(await one.told(), []);
  one.at(1);
  await putAgent(one, { reasons: [off] });
  assert.equal((await one.told()).length, 2);
});

test('flatline: a till that is silent while the shop is open', async (t) => {
  const one = await lab(t, {
    rules: [
      {
        ...{ id: 'silent', kind: 'flatline', key: ['host'], within: '1h', chats: ['duty'] },
        schedule: { from: '09:00', to: '14:00' },
      },
    ],
  });
  const start = async (minute: number, name: string): Promise<unknown> => {
    const time = new Date(NOW_MS + minute * MINUTE_MS).toISOString();
    return await one.app.send(ndjsonLines([processStart({ '@timestamp': time, host: { name } })]));
  };
  await start(-1, 'till-1');
  await start(0, 'till-2');
  one.at(30);
  await start(30, 'till-1');
  one.at(61);
  assert.deepEqual(await one.told(), ['silent | 1 | till-2 | till-2 | 23.11.2026 12:00:00']);
  assert.deepEqual(await one.told(), []);
  await start(61, 'till-2');
  assert.deepEqual(await one.told(), []);
  // After 14:00 the shop is closed.
  one.at(125);
  assert.deepEqual(await one.told(), []);
});

test('random walks of agents: told is what begins, and nothing else', async (t) => {
  const one = await lab(t, {
    rules: [
      { id: 'gone', kind: 'agent_offline', chats: ['duty'] },
      { id: 'ill', kind: 'agent_degraded', chats: ['duty'] },
    ],
  });
  const ids = ['a', 'b', 'c'].map((letter) => TEST_AGENT_ID.replace(/^./, letter));
  type Step = typeof arbitraryStep extends fc.Arbitrary<infer T> ? T : never;
  const arbitraryStep = fc.record({
    agent: fc.constantFrom(0, 1, 2),
    seen: fc.boolean(),
    ill: fc.boolean(),
    pass: fc.constantFrom(0, 1, 4, 6),
    /** Two collectors look at once. */
    looks: fc.constantFrom(0, 1, 2),
  });
  let minute = 0;
  let told = 0;
  /** What an agent said last, in minutes. */
  type Seen = Map<string, { readonly at: number; readonly isIll: boolean }>;
  const checkIn = async ({ agent, ill }: Step, seen: Seen): Promise<void> => {
    const id = ids[agent] ?? '';
    seen.set(id, { at: minute, isIll: ill });
    const reasons = ill ? [`clock is ${minute} s ahead`] : [];
    await putAgent(one, { id, host: `pc-${agent}`, reasons, seenMinute: minute });
  };
  /** Walks; gives how many alerts the model wants. */
  const walk = async (steps: readonly Step[]): Promise<number> => {
    const going = new Set<string>();
    const seen: Seen = new Map();
    let wanted = 0;
    for (const step of steps) {
      minute += step.pass;
      one.at(minute);
      if (step.seen) await checkIn(step, seen);
      if (step.looks === 0) continue;
      await Promise.all(Array.from({ length: step.looks }, async () => one.watch.look()));
      const now = [
        ...[...seen].filter(([, { at }]) => minute - at > 5).map(([name]) => `gone ${name}`),
        ...[...seen].filter(([, { isIll }]) => isIll).map(([name]) => `ill ${name}`),
      ];
      wanted += now.filter((name) => !going.has(name)).length;
      going.clear();
      for (const name of now) going.add(name);
    }
    return wanted;
  };
  await fc.assert(
    fc.asyncProperty(fc.array(arbitraryStep, { maxLength: 20 }), async (steps) => {
      await one.app.sql`truncate agents, rule_spells, alerts`;
      const wanted = await walk(steps);
      const [row] = await one.app.sql<{ n: number }[]>`select count(*)::int as n from alerts`;
      assert.equal(row?.n, wanted);
      told += wanted;
    }),
    { numRuns: runsOr(20), endOnFailure: true },
  );
  assert.ok(told > 0);
});
