/**
 * Goal: the storm of one chat keeps no other chat waiting, and the rows of each chat are still decided about in their order. Method:
 * real PostgreSQL; a row of the storm is locked, so the triage stands still there.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../../tests/support/eventually.ts';
import { testDatabase } from '../../../tests/support/postgres.ts';
import { alertsConfigSchema } from '../assess/alerts-config.ts';
import { openDatabase } from '../commit/database.ts';
import { migrate } from '../commit/migrate.ts';
import { createQuietPolicies } from './quiet-policies.ts';
import { createTriageOutbox } from './triage-outbox.ts';

const STORM = 5000;
const BUDGET = 7;

test('an alert of a calm chat is decided about before the end of a storm that began earlier', async (t) => {
  const database = await testDatabase(t);
  const sql = openDatabase({ url: database.url, connections_max: 4 });
  t.after(async () => sql.end({ timeout: 1 }));
  await migrate(sql);
  const raise = async (chat: string, count: number): Promise<unknown> => sql`
    insert into alerts (rule_id, event_id, event_timestamp, agent_id, chat_id, fields)
    select 'r', 'e' || at, now(), '6f1c1f5e-7d9d-4f3e-9d39-4c8f5a0d2b11', ${chat}, '{}'::jsonb
    from generate_series(1, ${count}::int) as at`;
  await raise('1', STORM);
  await raise('2', 1);
  const chats = { loud: { id: 1, budget: BUDGET }, calm: 2 };
  const policies = createQuietPolicies(alertsConfigSchema.parse({ chats }));
  const outbox = createTriageOutbox(sql, () => policies);
  const totals: Record<string, number> = {};
  const run = async (): Promise<boolean> => {
    const { fates, isMore } = await outbox.run(Date.now(), new AbortController().signal);
    for (const [fate, count] of Object.entries(fates)) totals[fate] = (totals[fate] ?? 0) + count;
    return isMore;
  };
  let running: Promise<boolean> | undefined;
  await sql.begin(async (transaction) => {
    await transaction`select from alerts where id = ${STORM - 1000} for update`;
    running = run();
    await eventually(async () => {
      const rows = await sql`select from alerts where chat_id = '2' and triaged_at is not null`;
      return rows.length === 1;
    });
    const [row] = await sql<{ waiting: number }[]>`
      select count(*)::int as waiting from alerts where triaged_at is null`;
    assert.ok((row?.waiting ?? 0) >= 1000, 'the storm still waits');
  });
  while ((await running) === true) running = run();
  assert.deepEqual(
    { ...totals },
    { pending: BUDGET + 1, stormed: STORM - BUDGET, folded: 0, suppressed: 0, held: 0, muted: 0 },
  );
  const rows = await sql<{ id: string }[]>`
    select id from alerts where chat_id = '1' and notice_id is null order by id`;
  assert.deepEqual(
    rows.map((row) => Number(row.id)),
    Array.from({ length: BUDGET }, (_, at) => at + 1),
    'the first ones passed',
  );
});
