/**
 * Goal: whoever is killed between the commit of an alert and the note that it was sent, each alert is in the chat; it is there twice
 * at most once for each kill, and then its row says so. Method: a process of its own is ended by SIGKILL at each step, held there by
 * locks of the test or by the stand-in; another one goes on.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../../tests/support/eventually.ts';
import { testDatabase } from '../../../tests/support/postgres.ts';
import type { RunNotifier } from '../../../tests/support/run-notifier.ts';
import { startTelegram, type TelegramStandIn } from '../../../tests/support/telegram.ts';
import { openDatabase, type Sql } from '../commit/database.ts';
import { migrate } from '../commit/migrate.ts';

const SCRIPT = fileURLToPath(new URL('../../../tests/support/run-notifier.ts', import.meta.url));
const PERSON = 42;
const NO_LIMITS = { perSecond: Infinity, chatPerSecond: Infinity, groupPerMinute: Infinity };

interface Lab {
  readonly sql: Sql;
  readonly telegram: TelegramStandIn;
  /** Starts a process that sends; messages to a chat have so many milliseconds between them. */
  send(gapMs?: number): ChildProcess;
  /**
   * Keeps the row of an alert until the end of `during`. A statement of the process waits for it meanwhile, and never happens:
   * PostgreSQL would go on with it after the process is gone.
   */
  whileLocked(user: string, during: () => Promise<void>): Promise<void>;
  /** Some statement waits for a lock. */
  isHeld(): Promise<boolean>;
}

async function lab(t: TestContext, alerts: number): Promise<Lab> {
  const database = await testDatabase(t);
  const sql = openDatabase({ url: database.url, connections_max: 4 });
  await migrate(sql);
  const telegram = await startTelegram({
    chats: [{ id: PERSON, type: 'private' }],
    limits: NO_LIMITS,
  });
  await sql`
    insert into alerts (rule_id, event_id, event_timestamp, agent_id, chat_id, fields)
    select 'starts', 'e' || at, now(), '6f1c1f5e-7d9d-4f3e-9d39-4c8f5a0d2b11', ${String(PERSON)},
      jsonb_build_object('user', 'user-' || at, 'process', 'x.exe')
    from generate_series(1, ${alerts}::int) as at`;
  const children: ChildProcess[] = [];
  t.after(async () => {
    for (const child of children) await kill(child);
    await telegram.stop();
    await sql.end({ timeout: 1 });
  });
  return {
    ...{ sql, telegram },
    send(gapMs = 10) {
      const options: RunNotifier = {
        databaseUrl: database.url,
        telegram: {
          ...{ token: telegram.token, api_root: telegram.url },
          limits: { per_second: 1000, per_chat_per_second: 1000 / gapMs },
          backoff: { init: '20ms', max: '100ms' },
        },
        alerts: { template: '{{user}}' },
      };
      const child = spawn(process.execPath, [SCRIPT, JSON.stringify(options)], { stdio: 'ignore' });
      children.push(child);
      return child;
    },
    async whileLocked(user, during) {
      await sql.begin(async (transaction) => {
        await transaction`select from alerts where fields->>'user' = ${user} for update`;
        await during();
        await transaction`
          select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock'`;
      });
    },
    async isHeld() {
      const rows = await sql`
        select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      return rows.length > 0;
    },
  };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Another process sends the rest; gives how often each alert is in the chat, and which rows say that they may be there twice. */
async function goOn(
  { sql, telegram, send }: Lab,
  alerts: number,
): Promise<{ readonly times: number[]; readonly marked: string[] }> {
  const child = send();
  await eventually(async () => {
    const rows = await sql`select from alerts where state = 'sent'`;
    return rows.length === alerts;
  });
  await kill(child);
  const texts = telegram.messages().map(({ text }) => text);
  const times = Array.from(
    { length: alerts },
    (_, at) => texts.filter((text) => text === `user-${at + 1}`).length,
  );
  const rows = await sql<{ user: string }[]>`
    select fields->>'user' as user from alerts where maybe_twice order by alerts.id`;
  return { times, marked: rows.map((row) => row.user) };
}

test('killed before the attempt is noted: nothing was sent, nothing comes twice', async (t) => {
  const one = await lab(t, 2);
  await one.whileLocked('user-1', async () => {
    const child = one.send();
    await eventually(one.isHeld);
    await kill(child);
  });
  assert.deepEqual(await goOn(one, 2), { times: [1, 1], marked: [] });
});

test('killed after the attempt is noted and before the request: sent once, marked', async (t) => {
  const one = await lab(t, 2);
  const child = one.send(60_000);
  await eventually(async () => {
    const rows = await one.sql`select from alerts where sending_at is not null`;
    return rows.length === 1 && one.telegram.messages().length === 1;
  });
  await eventually(async () => {
    const rows = await one.sql`
      select from alerts where sending_at is not null and fields->>'user' = 'user-2'`;
    return rows.length === 1;
  });
  await kill(child);
  assert.deepEqual(await goOn(one, 2), { times: [1, 1], marked: ['user-2'] });
});

test('killed while Telegram answers: sent twice at most, marked', async (t) => {
  const one = await lab(t, 2);
  one.telegram.failNext({ how: 'delay', delayMs: 60_000 });
  const child = one.send();
  await eventually(() => one.telegram.messages().length === 1);
  await kill(child);
  assert.deepEqual(await goOn(one, 2), { times: [2, 1], marked: ['user-1'] });
});

test('killed after the answer and before its note: sent twice at most, marked', async (t) => {
  const one = await lab(t, 2);
  one.telegram.failNext({ how: 'delay', delayMs: 500 });
  const child = one.send();
  await eventually(() => one.telegram.messages().length === 1);
  await one.whileLocked('user-1', async () => {
    await eventually(one.isHeld);
    await kill(child);
  });
  assert.deepEqual(await goOn(one, 2), { times: [2, 1], marked: ['user-1'] });
});

test('killed after the note: nothing comes twice', async (t) => {
  const one = await lab(t, 2);
  const child = one.send(60_000);
  await eventually(async () => {
    const rows = await one.sql`select from alerts where state = 'sent'`;
    return rows.length === 1;
  });
  await kill(child);
  const { times } = await goOn(one, 2);
  assert.deepEqual(times, [1, 1]);
});

test('killed again and again at random: each alert is there, and no more twice than there were kills', async (t) => {
  const alerts = 30;
  const one = await lab(t, alerts);
  let kills = 0;
  for (const until of [7, 19]) {
    const child = one.send(15);
    await eventually(() => one.telegram.messages().length >= until);
    await kill(child);
    kills += 1;
  }
  const { times, marked } = await goOn(one, alerts);
  assert.ok(
    times.every((count) => count === 1 || count === 2),
    times.join(),
  );
  const twice = times.flatMap((count, at) => (count === 2 ? [`user-${at + 1}`] : []));
  assert.ok(twice.length <= kills, twice.join());
  assert.ok(
    twice.every((user) => marked.includes(user)),
    `${twice.join()} of ${marked.join()}`,
  );
});
