/**
 * Goal: small chunks that come together share a transaction, and nobody's chunk suffers by that. Method: the places by themselves
 * with a run that the test ends; then real PostgreSQL, where a lock holds the first transactions until company waits behind them.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import {
  type Answer,
  type CollectorApp,
  type CollectorAppOptions,
  startCollectorApp,
} from '../../../tests/support/collector-app.ts';
import { ndjsonLines, processStart } from '../../../tests/support/documents.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { createGroups, type Groupable } from './group-commits.ts';

const small = (agentId: string): Groupable => ({ agentId, lines: 1, raw: { length: 1000 } });
const large = (agentId: string): Groupable => ({ agentId, lines: 5000, raw: { length: 5e6 } });

/** Groups whose runs end when the test says so. */
function heldGroups(places = 5) {
  const runs: (PromiseWithResolvers<void> & { readonly agents: string })[] = [];
  const groups = createGroups<Groupable, string>({
    places,
    mayPassAlone: (error) => (error as Error).message !== 'down',
    async run(items) {
      const run = Promise.withResolvers<void>();
      runs.push({ ...run, agents: items.map((one) => one.agentId).join('') });
      await run.promise;
      return items.map((one) => `${one.agentId} of ${items.length}`);
    },
  });
  const enter = async (item: Groupable): Promise<string> => {
    const begun = await groups.enter(item, 60_000);
    return begun === undefined ? 'late' : await begun.result;
  };
  return { runs, groups, enter, names: () => runs.map((one) => one.agents).join(' ') };
}

test('a small chunk waits for nobody; those that come while two transactions run go together', async () => {
  const { runs, enter, names } = heldGroups();
  const all = ['a', 'b', 'c', 'd', 'e'].map((agent) => enter(small(agent)));
  assert.equal(names(), 'a b');
  runs[0]?.resolve();
  await turn();
  assert.equal(names(), 'a b cde');
  for (const run of runs) run.resolve();
  assert.deepEqual(await Promise.all(all), ['a of 1', 'b of 1', 'c of 3', 'd of 3', 'e of 3']);
});

test('a large chunk goes by itself, past small ones whose places are taken, and never past the places', async () => {
  const { runs, enter, names } = heldGroups(4);
  for (const agent of ['a', 'b', 'c']) void enter(small(agent));
  for (const agent of ['X', 'Y', 'Z']) void enter(large(agent));
  assert.equal(names(), 'a b X Y');
  runs[2]?.resolve();
  await turn();
  assert.equal(names(), 'a b X Y Z');
  runs[0]?.resolve();
  await turn();
  assert.equal(names(), 'a b X Y Z c');
});

test('two chunks of one agent are never in one transaction, and a group has its bound', async () => {
  const { runs, enter, names } = heldGroups();
  for (const agent of ['a', 'b', 'c', 'c', 'd', 'c']) void enter(small(agent));
  for (let n = 0; n < 40; n += 1) void enter(small(`.${n}`));
  runs[0]?.resolve();
  await turn();
  assert.match(names(), /^a b cd\.0\.1/);
  assert.equal(runs[2]?.agents.split('.').length, 31);
});

test('a group that fails is tried chunk by chunk; where the store is away all are told at once', async () => {
  const { runs, enter, names } = heldGroups();
  const all = ['a', 'b', 'c', 'd'].map((agent) => enter(small(agent)));
  runs[0]?.resolve();
  await turn();
  runs[2]?.reject(new Error('bad line'));
  await turn();
  assert.equal(names(), 'a b cd c d');
  runs[3]?.reject(new Error('bad line'));
  for (const at of [1, 4]) runs[at]?.resolve();
  const ends = await Promise.allSettled(all);
  assert.deepEqual(
    ends.map((one) => one.status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
  );

  const away = heldGroups();
  const some = ['a', 'b', 'c', 'd'].map((agent) => away.enter(small(agent)));
  for (const run of away.runs) run.resolve();
  await turn();
  away.runs[2]?.reject(new Error('down'));
  assert.deepEqual(
    (await Promise.allSettled(some)).map((one) => one.status),
    ['fulfilled', 'fulfilled', 'rejected', 'rejected'],
  );
  assert.equal(away.names(), 'a b cd');
});

test('who waits too long for a place is sent away and goes with nobody', async () => {
  const { runs, groups, enter, names } = heldGroups();
  for (const agent of ['a', 'b']) void enter(small(agent));
  assert.equal(await groups.enter(small('c'), 1), undefined);
  runs[0]?.resolve();
  await turn();
  assert.equal(names(), 'a b');
});

const MANY = { chunks_at_once: 100 };

interface Pc {
  readonly agentId: string;
  send(documents: Parameters<typeof ndjsonLines>[0], key?: string): Promise<Answer>;
}

async function startWithPcs(t: TestContext, count: number, options: CollectorAppOptions = {}) {
  const app = await startCollectorApp(t, { admit: MANY, ...options });
  await app.sql`select ensure_events_partition('2026-11-23')`;
  const pcs = await Promise.all(
    Array.from({ length: count }, async (): Promise<Pc> => {
      const agentId = randomUUID();
      const key = await app.keys.create({ agentId });
      return {
        agentId,
        send: (documents, idempotencyKey) =>
          app.send(ndjsonLines(documents), {
            key,
            ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
          }),
      };
    }),
  );
  return { app, pcs };
}

const startOf = ({ agentId }: Pc) => processStart({ agent: { id: agentId } });

async function metric({ server }: CollectorApp, name: string): Promise<number> {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(new RegExp(`^launchbeat_collector_${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

/** Sends while nothing can be committed, until all of it is here; then lets go. */
async function together(
  app: CollectorApp,
  sends: readonly (() => Promise<Answer>)[],
): Promise<Answer[]> {
  const blocker = await app.sql.reserve();
  await blocker`begin`;
  await blocker`lock table events in access exclusive mode`;
  const waiting = async (): Promise<number> => {
    const rows = await app.sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
        and query like '%insert into events%' and pid <> pg_backend_pid()`;
    return rows.length;
  };
  // The first two hold the places, the others find company behind them.
  const sent: Promise<Answer>[] = [];
  for (const send of sends.slice(0, 2)) {
    sent.push(send());
    await eventually(async () => (await waiting()) === sent.length);
  }
  sent.push(...sends.slice(2).map((send) => send()));
  await eventually(async () => (await metric(app, 'in_flight_requests')) === sends.length);
  await blocker`commit`;
  blocker.release();
  return await Promise.all(sent);
}

test('small chunks of many PCs share transactions; each has its receipt, its events and its alerts', async (t) => {
  const { app, pcs } = await startWithPcs(t, 24, { alerts: { chats: { duty: -1001 } } });
  const answers = await together(
    app,
    pcs.map((pc, n) => () => pc.send(n % 2 === 0 ? [startOf(pc), 'bad'] : [startOf(pc)])),
  );
  for (const [n, answer] of answers.entries()) {
    const rejected = n % 2 === 0 ? [{ line: 2, reason: 'Line is not JSON' }] : [];
    assert.deepEqual(answer.body, { accepted: 1, duplicates: 0, rejected });
  }
  const rows = await app.sql`
    select chunks.agent_id, chunks.lines, length(line_ids) as ids, body_bytes = length(body) as whole,
      indexed_at is null as queued, leased_until > now() as leased, events.agent_id = chunks.agent_id as own, rule_id
    from chunks join events on events.chunk_id = chunks.id join alerts using (event_id) order by chunks.id`;
  assert.deepEqual(
    new Set(rows.map((row) => row['agent_id'])),
    new Set(pcs.map((pc) => pc.agentId)),
  );
  for (const row of rows) {
    assert.equal(row['ids'], row['lines'] * 16);
    assert.ok(row['whole'] && row['queued'] && row['leased'] && row['own'], JSON.stringify(row));
  }
  assert.deepEqual([rows.length, app.offered.length], [24, 24]);
  assert.equal(await metric(app, 'chunks_total'), 24);
  assert.equal(await metric(app, 'alerts_total'), 24);
  const transactions = await metric(app, 'commit_transactions_total');
  assert.ok(transactions < 12, `${transactions} transactions for 24 chunks`);
});

test('in company an event that two PCs send is stored and told once, a chunk seen before changes nothing, another under its key is 409', async (t) => {
  const { app, pcs } = await startWithPcs(t, 8, { alerts: { chats: { duty: -1001 } } });
  const [one, two, seen, clone, ...others] = pcs;
  assert.ok(one && two && seen && clone);
  const KEY = 'launchbeat.20261123.7.ndjson@0-999';
  const old = [startOf(seen)];
  await seen.send(old, KEY);
  await clone.send([startOf(clone)], KEY);
  const shared = startOf(one);
  const answers = await together(app, [
    ...others.map((pc) => () => pc.send([startOf(pc)])),
    () => one.send([shared]),
    () => two.send([{ ...shared, agent: { ...shared.agent, id: two.agentId } }]),
    () => seen.send(old, KEY),
    () => clone.send([startOf(clone)], KEY),
  ]);
  assert.deepEqual(
    answers.map((answer) => answer.status),
    [...others.map(() => 200), 200, 200, 200, 409],
  );
  const [first, second] = answers.slice(others.length).map(({ body }) => body.accepted as number);
  assert.equal((first ?? 0) + (second ?? 0), 1);
  const [row] = await app.sql`
    select (select count(*) from events)::int as events, (select count(*) from alerts)::int as alerts,
      (select count(*) from chunks where indexed_at is not null)::int as nothing_to_index`;
  const stored = others.length + 3;
  assert.deepEqual({ ...row }, { events: stored, alerts: stored, nothing_to_index: 1 });
});

test('in company a chunk that PostgreSQL will not have fails by itself, and one whose key somebody holds delays nobody for long', async (t) => {
  const { app, pcs } = await startWithPcs(t, 8, { log: SILENT_LOG });
  const [bad, held, ...others] = pcs;
  assert.ok(bad && held);
  await app.sql.unsafe(`
    create function refuse() returns trigger language plpgsql as $$
      begin if new.agent_id = '${bad.agentId}' then raise exception 'as the test wants it'; end if; return new; end $$;
    create trigger refuse before insert on chunks for each row execute function refuse()`);
  const KEY = 'launchbeat.20261123.7.ndjson@0-999';
  const holder = await app.sql.reserve();
  await holder`begin`;
  await holder`
    insert into chunks (agent_id, idempotency_key, digest, encoding, namespace, lines, line_ids, body_bytes, receipt)
    values (${held.agentId}, ${KEY}, '', 'zstd', 'default', 1, '', 0, '{}')`;
  const late = Promise.withResolvers<Answer>();
  const answers = await together(app, [
    ...others.map((pc) => () => pc.send([startOf(pc)])),
    () => bad.send([startOf(bad)]),
    async () => {
      held.send([startOf(held)], KEY).then(late.resolve, late.reject);
      return await Promise.resolve({ status: 0, headers: new Headers(), body: undefined });
    },
  ]);
  assert.deepEqual(
    answers.map((answer) => answer.status),
    [...others.map(() => 200), 500, 0],
  );
  await holder`rollback`;
  holder.release();
  assert.equal((await late.promise).body.accepted, 1);
});
