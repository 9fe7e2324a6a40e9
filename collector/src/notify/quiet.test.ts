/**
 * Goal: a chat that is spared hears of everything: messages and the numbers in them add up to the alerts, through a restart too.
 * Method: real PostgreSQL, the strict stand-in of the Bot API, a clock of the test.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Log, SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { eventually } from '../../../tests/support/eventually.ts';
import { testDatabase } from '../../../tests/support/postgres.ts';
import { startTelegram, type TelegramStandIn } from '../../../tests/support/telegram.ts';
import { alertsConfigSchema } from '../assess/alerts-config.ts';
import { openDatabase, type Sql } from '../commit/database.ts';
import { createRetention } from '../commit/retention.ts';
import { createNotifier } from './create-notifier.ts';
import { telegramConfigSchema } from './telegram-config.ts';

const CHAT = -1001;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

interface Lab {
  readonly sql: Sql;
  readonly telegram: TelegramStandIn;
  readonly errors: string[];
  /** Raises alerts at the lab's time, of events that were so long ago. */
  alert(count: number, fields?: Record<string, string>, agoMs?: number): Promise<void>;
  start(): { stop(): Promise<void> };
  pass(ms: number): void;
  /** How many alerts have which state, once nobody looks at them any more. */
  fates(): Promise<Record<string, number>>;
  /** Every alert was sent, or is counted by a notice that was sent. */
  assertTold(): Promise<void>;
  texts(): string[];
}

async function lab(t: TestContext, file: Record<string, unknown>, bounds = {}): Promise<Lab> {
  const database = await testDatabase();
  const sql = openDatabase({ url: database.url, connections_max: 8 });
  const limits = { perSecond: Infinity, chatPerSecond: Infinity, groupPerMinute: Infinity };
  const telegram = await startTelegram({ chats: [{ id: CHAT, type: 'group' }], limits });
  const stops: (() => Promise<void>)[] = [];
  t.after(async () => {
    for (const stop of stops) await stop();
    await telegram.stop();
    await sql.end({ timeout: 1 });
    await database.drop();
  });
  const errors: string[] = [];
  const log: Log = { ...SILENT_LOG, error: (_, message) => void errors.push(message) };
  const alerts = alertsConfigSchema.parse({
    template: '{{user}} <b>{{process}}</b>',
    chats: { duty: { id: CHAT, ...bounds } },
    ...file,
  });
  let nowMs = Date.UTC(2026, 10, 23, 12);
  let raised = 0;
  return {
    sql,
    telegram,
    errors,
    async alert(count, fields = {}, agoMs = 0) {
      const view = { user: 'a', process: 'x.exe', host: 'pc-1', time: '12:00', ...fields };
      await sql`
        insert into alerts (rule_id, event_id, event_timestamp, agent_id, chat_id, fields, created_at)
        select 'watched-programs', 'e' || (${raised}::int + at), ${new Date(nowMs - agoMs).toISOString()},
          '6f1c1f5e-7d9d-4f3e-9d39-4c8f5a0d2b11', ${String(CHAT)}, ${sql.json(view)}, ${new Date(nowMs).toISOString()}
        from generate_series(1, ${count}::int) as at`;
      raised += count;
    },
    start() {
      const stop = new AbortController();
      const notifier = createNotifier({
        sql,
        config: telegramConfigSchema.parse({
          token: telegram.token,
          api_root: telegram.url,
          limits: { per_second: 1000, per_chat_per_second: 100, per_group_per_minute: 6000 },
          backoff: { init: '20ms', max: '100ms' },
        }),
        alerts,
        log,
        now: () => nowMs,
      });
      const running = notifier.run(stop.signal);
      const end = async (): Promise<void> => {
        stop.abort();
        await running;
      };
      stops.push(end);
      return { stop: end };
    },
    pass(ms) {
      nowMs += ms;
    },
    async fates() {
      const rows = await sql<{ state: string; n: number }[]>`
        select state, count(*)::int as n from alerts group by state`;
      return Object.fromEntries(rows.map((row) => [row.state, row.n]));
    },
    async assertTold() {
      const [row] = await sql<{ untold: number; wrong: number }[]>`
        select
          (select count(*)::int from alerts left join notices on notices.id = notice_id
           where not (alerts.state = 'sent' or coalesce(notices.state = 'sent', false))) as untold,
          (select count(*)::int from notices
           where count <> (select count(*) from alerts where notice_id = notices.id)) as wrong`;
      assert.deepEqual(row, { untold: 0, wrong: 0 });
    },
    texts: () => telegram.messages().map((one) => one.text),
  };
}

test('an agent that is back from three days off is one line, and every old alert keeps its row', async (t) => {
  const one = await lab(t, { max_age: '1h', digest_after: '30s', language: 'ru' });
  one.start();
  await one.alert(1200, {}, 72 * HOUR_MS);
  await one.alert(1);
  await eventually(async () => (await one.fates())['sent'] === 1);
  one.pass(30_000);
  await eventually(() => one.texts().length === 2);
  assert.equal(one.texts()[0], 'a x.exe');
  assert.match(one.texts()[1] ?? '', /^Пришли с опозданием: 1200 событий, 20\.11\.2026 12:00:00\n/);
  assert.match(one.texts()[1] ?? '', /• a · x\.exe · pc-1 × 1200$/);
  assert.deepEqual(await one.fates(), { folded: 1200, sent: 1 });
  await eventually(one.assertTold);
});

test('the same alert comes once in ten minutes, then with the number of the others', async (t) => {
  const one = await lab(t, { suppress: { for: '10m' }, language: 'ru' });
  const first = one.start();
  await one.alert(8);
  await eventually(async () => (await one.fates())['suppressed'] === 7);
  await first.stop();
  one.start();
  await one.alert(6, { process: 'X.exe' });
  await eventually(async () => (await one.fates())['suppressed'] === 13);
  one.pass(10 * MINUTE_MS);
  await eventually(() => one.texts().length === 2);
  assert.deepEqual(one.texts(), ['a x.exe', 'a X.exe\nещё 12 за 10 мин']);
  await eventually(one.assertTold);
});

test('a storm is one message that grows, and a file with all of it at the end; then the chat is as before', async (t) => {
  const one = await lab(t, { language: 'en' }, { budget: 3 });
  one.start();
  await one.alert(3);
  await one.alert(1000, { user: '=cmd|"x";\nb', command_line: '</b>&amp;\u202E' });
  await eventually(() => one.texts().length === 4);
  assert.match(one.texts()[3] ?? '', /^Too many messages, counting: (500|997|1000) events, /);
  await eventually(async () => (await one.fates())['stormed'] === 1000);
  await one.alert(500);
  await eventually(async () => (await one.fates())['stormed'] === 1500);
  one.pass(10_000);
  await eventually(() => /1500 events/.test(one.texts()[3] ?? ''));
  one.pass(MINUTE_MS);
  await eventually(async () => {
    const [row] = await one.sql`select minute_count from notices`;
    return row?.['minute_count'] === 0;
  });
  one.pass(MINUTE_MS);
  await eventually(() => one.texts().length === 5);
  assert.match(one.texts()[3] ?? '', /^There were too many messages: 1500 events/);
  assert.match(one.texts()[3] ?? '', /The whole list is in the file below\.$/);
  const file = one.telegram.messages()[4]?.document;
  const lines = Buffer.from(file?.bytes ?? [])
    .toString('utf8')
    .split('\r\n');
  assert.match(String(file?.fileName), /^launchbeat-storm-.*-1\.csv$/);
  assert.equal(lines.length, 1502, 'a heading, the alerts, and nothing after the last line break');
  assert.ok(lines[1]?.startsWith('"12:00","\'=cmd|""x"";␊b"'), lines[1]);
  await eventually(one.assertTold);
  await one.alert(1, { user: 'later' });
  await eventually(() => one.texts().includes('later x.exe'));
});

test('a restart in the middle of a storm goes on with its message', async (t) => {
  const one = await lab(t, {}, { budget: 1 });
  const first = one.start();
  await one.alert(5);
  await eventually(() => one.texts().length === 2);
  await first.stop();
  await one.alert(5);
  one.pass(10_000);
  one.start();
  await eventually(() => one.texts().some((text) => /9 событий/.test(text)));
  assert.equal(one.texts().length, 2);
});

test('a storm whose message somebody deleted goes on in another one', async (t) => {
  const one = await lab(t, {}, { budget: 1 });
  one.start();
  await one.alert(5);
  await eventually(() => one.texts().length === 2);
  one.telegram.failNext(
    { how: 'answer', status: 400, description: 'Bad Request: message to edit not found' },
    { methods: ['editMessageText'] },
  );
  await eventually(
    async () => (await one.sql`select from notices where told_count = 4`).length === 1,
  );
  await one.alert(1);
  one.pass(10_000);
  await eventually(() => one.texts().length === 3);
  assert.match(one.texts()[2] ?? '', /5 событий/);
});

test('quiet hours are one message in the morning, with a file where it does not show all', async (t) => {
  const one = await lab(t, {}, { quiet_hours: { from: '12:00', to: '13:00' } });
  one.start();
  for (let user = 0; user < 12; user += 1) await one.alert(2, { user: `user-${user}` });
  await eventually(async () => (await one.fates())['held'] === 24);
  assert.deepEqual(one.texts(), []);
  one.pass(HOUR_MS);
  await eventually(() => one.texts().length === 2);
  assert.match(one.texts()[0] ?? '', /^За тихие часы: 24 события, .*\nЧаще всего:\n/);
  assert.match(one.texts()[0] ?? '', /… и ещё 4\nПолный список — в файле ниже\.$/);
  assert.ok(one.telegram.messages()[1]?.document);
  await eventually(one.assertTold);
});

test('a digest is one message that says what it is, whoever leads when its time is over', async (t) => {
  const one = await lab(t, { language: 'en' }, { digest: '1h' });
  const first = one.start();
  await one.alert(2);
  await eventually(async () => (await one.fates())['held'] === 2);
  await first.stop();
  one.pass(HOUR_MS);
  one.start();
  await eventually(() => one.texts().length === 1);
  assert.match(
    one.texts()[0] ?? '',
    /^Digest: 2 events, 23\.11\.2026 12:00:00\nMost often:\n• a · x\.exe · pc-1 × 2$/,
  );
  await eventually(one.assertTold);
});

test('a chat that refuses a notice is told to a person, and the alerts keep their fates', async (t) => {
  const one = await lab(t, { max_age: '1h', digest_after: '1s' });
  one.telegram.addChat({ id: CHAT, type: 'group', blocked: true });
  one.start();
  await one.alert(3, {}, 2 * HOUR_MS);
  await eventually(async () => (await one.fates())['folded'] === 3);
  one.pass(1000);
  await eventually(
    async () => (await one.sql`select from notices where state = 'failed'`).length === 1,
  );
  assert.equal(one.errors.length, 1);
});

test('alerts that waited for a digest are told when the file no longer asks for one', async (t) => {
  const one = await lab(t, { max_age: '1h', digest_after: '1h' });
  const first = one.start();
  await one.alert(3, {}, 2 * HOUR_MS);
  await eventually(async () => (await one.fates())['folded'] === 3);
  await first.stop();
  const other = new AbortController();
  const off = createNotifier({
    sql: one.sql,
    config: telegramConfigSchema.parse({ token: one.telegram.token, api_root: one.telegram.url }),
    alerts: alertsConfigSchema.parse({}),
    log: SILENT_LOG,
    now: () => Date.now() + 8760 * HOUR_MS,
  });
  const running = off.run(other.signal);
  t.after(async () => {
    other.abort();
    await running;
  });
  await eventually(() => one.texts().length === 1);
  await eventually(one.assertTold);
});

test('the retention keeps an alert until the notice that tells of it was sent', async (t) => {
  const one = await lab(t, { max_age: '1h', digest_after: '1h' });
  const first = one.start();
  await one.alert(2, {}, 2 * HOUR_MS);
  await eventually(async () => (await one.fates())['folded'] === 2);
  await first.stop();
  const DAY_MS = 24 * HOUR_MS;
  const { sql } = one;
  const now = (): number => Date.UTC(2027, 1, 1);
  const config = { retention: DAY_MS, archive: { retention: 0 } };
  const retention = createRetention({ sql, config, log: SILENT_LOG, now });
  await retention.sweep();
  assert.deepEqual(await one.fates(), { folded: 2 });
  await sql`update notices set state = 'sent'`;
  await retention.sweep();
  assert.deepEqual(await one.fates(), {});
  assert.equal((await sql`select from notices`).length, 0);
});
