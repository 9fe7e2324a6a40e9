/**
 * Goal: each alert reaches its chat once, in order, whatever Telegram answers and whoever dies.
 * Method: real PostgreSQL, the strict stand-in of the Bot API.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { eventually } from '../../../tests/support/eventually.ts';
import { testDatabase } from '../../../tests/support/postgres.ts';
import {
  startTelegram,
  type TelegramOptions,
  type TelegramStandIn,
} from '../../../tests/support/telegram.ts';
import { alertsConfigSchema } from '../assess/alerts-config.ts';
import { openDatabase, type Sql } from '../commit/database.ts';
import { createNotifier, type Notifier } from './create-notifier.ts';
import { telegramConfigSchema } from './telegram-config.ts';

const PERSON = 42;
const GROUP = -1001;
const NO_LIMITS = { perSecond: Infinity, chatPerSecond: Infinity, groupPerMinute: Infinity };

interface Lab {
  readonly sql: Sql;
  readonly telegram: TelegramStandIn;
  /** Lines of the log at level error. */
  readonly errors: string[];
  /** Seconds from each event to its message. */
  readonly told: number[];
  /** Puts alerts into the outbox; gives their texts. */
  alert(
    chatId: number | string,
    count?: number,
    fields?: Record<string, string>,
  ): Promise<string[]>;
  start(
    config?: Record<string, unknown>,
    template?: string,
  ): { notifier: Notifier; stop(): Promise<void> };
  states(): Promise<Record<string, number>>;
}

async function lab(t: TestContext, options: TelegramOptions = {}): Promise<Lab> {
  const database = await testDatabase();
  const sql = openDatabase({ url: database.url, connections_max: 8 });
  const telegram = await startTelegram({
    chats: [
      { id: PERSON, type: 'private' },
      { id: GROUP, type: 'group' },
    ],
    limits: NO_LIMITS,
    ...options,
  });
  const stops: (() => Promise<void>)[] = [];
  t.after(async () => {
    for (const stop of stops) await stop();
    await telegram.stop();
    await sql.end({ timeout: 1 });
    await database.drop();
  });
  const errors: string[] = [];
  const write: Log['info'] = () => undefined;
  const log: Log = {
    debug: write,
    info: write,
    warn: write,
    error: (fields, message) => errors.push(`${message} ${JSON.stringify(fields)}`),
  };
  let raised = 0;
  const told: number[] = [];
  return {
    sql,
    telegram,
    errors,
    told,
    async alert(chatId, count = 1, fields = {}) {
      const texts: string[] = [];
      for (let at = 0; at < count; at += 1) {
        raised += 1;
        const view = { user: `user-${raised}`, ...fields };
        await sql`
          insert into alerts (rule_id, event_id, event_timestamp, agent_id, chat_id, fields)
          values ('test', ${`e${raised}`}, now(), '6f1c1f5e-7d9d-4f3e-9d39-4c8f5a0d2b11', ${String(chatId)}, ${sql.json(view)})`;
        texts.push(view.user);
      }
      return texts;
    },
    start(config = {}, template = '<b>{{user}}</b>') {
      const stop = new AbortController();
      const notifier = createNotifier({
        sql,
        config: telegramConfigSchema.parse({
          token: telegram.token,
          api_root: telegram.url,
          limits: { per_second: 1000, per_chat_per_second: 100, per_group_per_minute: 6000 },
          backoff: { init: '20ms', max: '100ms' },
          ...config,
        }),
        alerts: alertsConfigSchema.parse({ template }),
        log,
        onTold: (seconds) => told.push(seconds),
      });
      const running = notifier.run(stop.signal);
      const end = async (): Promise<void> => {
        stop.abort();
        await running;
      };
      stops.push(end);
      return { notifier, stop: end };
    },
    async states() {
      const rows = await sql<{ state: string; n: number }[]>`
        select state, count(*)::int as n from alerts group by state`;
      return Object.fromEntries(rows.map((row) => [row.state, row.n]));
    },
  };
}

const textsTo = (telegram: TelegramStandIn, chatId: number): string[] =>
  telegram
    .messages()
    .filter((one) => one.chatId === chatId)
    .map((one) => one.text);

test('run() sends each alert to its chat once and in order, and writes down when', async (t) => {
  const { sql, telegram, alert, start, states, told } = await lab(t);
  const toPerson = await alert(PERSON, 5);
  const { notifier } = start();
  await eventually(() => notifier.counts().leader === 1);
  const toGroup = await alert(GROUP, 5);
  notifier.wake();
  await eventually(async () => (await states())['sent'] === 10);
  assert.deepEqual(textsTo(telegram, PERSON), toPerson);
  assert.deepEqual(textsTo(telegram, GROUP), toGroup);
  const [row] = await sql`
    select count(*)::int as n from alerts where message_id is not null and sent_at is not null and attempts = 1`;
  assert.equal(row?.['n'], 10);
  assert.equal(told.length, 10);
  assert.ok(told.every((seconds) => seconds > -60 && seconds < 600));
  assert.equal(telegram.messages()[0]?.entities[0]?.type, 'bold');
  assert.deepEqual(telegram.requests('sendMessage')[0]?.params['link_preview_options'], {
    is_disabled: true,
  });
});

test('run() shows what a hostile field says, and nothing else', async (t) => {
  const { telegram, alert, start, states } = await lab(t);
  await alert(PERSON, 1, { user: '</b><a href="tg://x">\u202Eexe.cod\n&amp;' });
  start();
  await eventually(async () => (await states())['sent'] === 1);
  const [message] = telegram.messages();
  assert.equal(message?.text, '</b><a href="tg://x">⟨U+202E⟩exe.cod␊&amp;');
  assert.deepEqual(
    message?.entities.map((entity) => entity.type),
    ['bold'],
  );
});

test('run() of two collectors sends each message once; the second takes over when the first ends', async (t) => {
  const { telegram, alert, start, states } = await lab(t);
  const first = start();
  await eventually(() => first.notifier.counts().leader === 1);
  const second = start();
  const texts = await alert(PERSON, 5);
  await eventually(async () => (await states())['sent'] === 5);
  assert.equal(second.notifier.counts().leader, 0);
  await first.stop();
  texts.push(...(await alert(PERSON, 5)));
  await eventually(async () => (await states())['sent'] === 10);
  assert.deepEqual(textsTo(telegram, PERSON), texts);
  assert.deepEqual(
    [first, second].map((one) => one.notifier.counts().sent),
    [5, 5],
  );
});

test('run() steps down when its connection is lost, and leads again', async (t) => {
  const { sql, telegram, alert, start, states } = await lab(t);
  const { notifier } = start();
  await eventually(() => notifier.counts().leader === 1);
  const killed = await sql`
    select pg_terminate_backend(pid) from pg_locks
    where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`;
  assert.equal(killed.length, 1);
  const texts = await alert(PERSON, 3);
  await eventually(async () => (await states())['sent'] === 3);
  assert.deepEqual(textsTo(telegram, PERSON), texts);
});

test('run() obeys retry_after: that chat waits, another does not', async (t) => {
  const { telegram, alert, start, states } = await lab(t);
  telegram.failNext({ how: 'answer', status: 429, retryAfterSeconds: 1 });
  const slow = await alert(PERSON, 2);
  const { notifier } = start();
  await eventually(() => notifier.counts().retries === 1);
  const [refused] = telegram.requests('sendMessage');
  const other = await alert(GROUP, 2);
  notifier.wake();
  await eventually(() => textsTo(telegram, GROUP).length === 2);
  assert.deepEqual(textsTo(telegram, PERSON), []);
  await eventually(async () => (await states())['sent'] === 4);
  assert.deepEqual(textsTo(telegram, PERSON), slow);
  assert.deepEqual(textsTo(telegram, GROUP), other);
  const again = telegram
    .requests('sendMessage')
    .filter((one) => one.params['chat_id'] === String(PERSON))[1];
  assert.ok((again?.atMs ?? 0) - (refused?.atMs ?? 0) >= 990);
});

test("run() keeps to Telegram's own limits without being told", async (t) => {
  const { telegram, alert, start, states } = await lab(t, { limits: { groupPerMinute: Infinity } });
  await alert(PERSON, 3);
  start({ limits: {} });
  await eventually(async () => (await states())['sent'] === 3);
  assert.deepEqual(
    telegram.requests('sendMessage').map((one) => one.status),
    [200, 200, 200],
  );
});

for (const failure of [
  { how: 'drop' },
  { how: 'answer', status: 502, body: '<html>Bad Gateway</html>' },
  { how: 'answer', status: 500 },
] as const) {
  test(`run() tries again after ${JSON.stringify(failure)}, in order`, async (t) => {
    const { telegram, alert, start, states } = await lab(t);
    telegram.failNext(failure, { times: 3 });
    const texts = await alert(PERSON, 3);
    const { notifier } = start();
    await eventually(async () => (await states())['sent'] === 3);
    assert.deepEqual(textsTo(telegram, PERSON), texts);
    assert.equal(notifier.counts().retries, 3);
  });
}

test('run() sends again what Telegram took without an answer: at least once', async (t) => {
  const { telegram, alert, start, states } = await lab(t);
  telegram.failNext({ how: 'accept_and_drop' });
  const [text] = await alert(PERSON);
  start();
  await eventually(async () => (await states())['sent'] === 1);
  assert.deepEqual(textsTo(telegram, PERSON), [text, text]);
});

test('run() waits through an outage of Telegram, and through its own restart', async (t) => {
  const { telegram, alert, start, states } = await lab(t);
  const texts = await alert(PERSON, 4);
  await telegram.stop();
  const first = start();
  await eventually(() => first.notifier.counts().retries >= 2);
  await first.stop();
  assert.deepEqual(await states(), { pending: 4 });
  await telegram.start();
  start();
  await eventually(async () => (await states())['sent'] === 4);
  assert.deepEqual(textsTo(telegram, PERSON), texts);
});

test('run() sends plain text where the markup of the template cannot be read', async (t) => {
  const { telegram, alert, start, states, errors } = await lab(t);
  await alert(PERSON, 2, { user: 'a & <b>' });
  start({}, '<tg-emoji emoji-id="0">{{user}}</tg-emoji> started');
  await eventually(async () => (await states())['sent'] === 2);
  assert.deepEqual(textsTo(telegram, PERSON), ['a & <b> started', 'a & <b> started']);
  assert.equal(errors.length, 1);
});

test('run() gives up on a chat that refuses, says so once, and goes on with the others', async (t) => {
  const { sql, telegram, alert, start, states, errors } = await lab(t);
  telegram.addChat({ id: 7, type: 'private', blocked: true });
  await alert(7, 3);
  await alert(99, 1);
  await alert(PERSON, 1);
  const { notifier } = start();
  await eventually(async () => (await states())['pending'] === undefined);
  assert.deepEqual(await states(), { failed: 4, sent: 1 });
  assert.equal(notifier.counts().failed, 4);
  const rows =
    await sql`select distinct chat_id, last_error from alerts where state = 'failed' order by chat_id`;
  assert.deepEqual(
    rows.map((row) => row['last_error']),
    ['HTTP 403: Forbidden: bot was blocked by the user', 'HTTP 400: Bad Request: chat not found'],
  );
  assert.equal(errors.length, 2, 'once for each chat');
});

test('run() follows a group that became a supergroup', async (t) => {
  const { telegram, alert, start, states } = await lab(t);
  telegram.addChat({ id: -5, type: 'group', migratedTo: -1005 });
  telegram.addChat({ id: -1005, type: 'supergroup' });
  const texts = await alert(-5, 3);
  start();
  await eventually(async () => (await states())['sent'] === 3);
  assert.deepEqual(textsTo(telegram, -1005), texts);
  assert.equal(telegram.requests('sendMessage').length, 4, 'the old id is asked once');
});

test('run() keeps everything while the token is wrong, says so once, and never shows the token', async (t) => {
  const { sql, telegram, alert, start, states, errors } = await lab(t);
  const wrong = `110201543:${'A'.repeat(35)}`;
  await alert(PERSON, 2);
  const { notifier, stop } = start({ token: wrong });
  await eventually(() => notifier.counts().retries >= 3);
  assert.deepEqual(await states(), { pending: 2 });
  assert.equal(errors.length, 1);
  const told = JSON.stringify([
    errors,
    await notifier.check(),
    await sql`select last_error from alerts`,
  ]);
  assert.match(told, /Unauthorized/);
  await stop();
  await telegram.stop();
  const offline = start({ token: wrong });
  await eventually(() => offline.notifier.counts().retries >= 1);
  const rows = JSON.stringify([
    errors,
    await offline.notifier.check(),
    await sql`select last_error from alerts`,
  ]);
  assert.match(rows, /ECONNREFUSED/);
  assert.ok(!`${told}${rows}`.includes('A'.repeat(35)));
});

test('check() names the bot, and run() does nothing where Telegram is off', async (t) => {
  const { telegram, start } = await lab(t);
  assert.match((await start().notifier.check()).detail, /^bot @/);
  const off = start({ enabled: false });
  assert.equal((await off.notifier.check()).ok, true);
  await off.stop();
  const noToken = start({ token: '' });
  assert.match((await noToken.notifier.check()).detail, /no token/);
  assert.equal(telegram.messages().length, 0);
});
