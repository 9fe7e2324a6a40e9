/**
 * Goal: the receipt of a day comes once at its hour, on days of 23 and 25 hours too, and its sums are those of the stores. Method:
 * days worked out by hand and against every minute of two years; real chunks through commit, the strict stand-in of the Bot API.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { startCollectorApp } from '../../../tests/support/collector-app.ts';
import { ndjsonLines, processStart } from '../../../tests/support/documents.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { startTelegram } from '../../../tests/support/telegram.ts';
import { alertsConfigSchema } from '../assess/alerts-config.ts';
import { createNotifier } from './create-notifier.ts';
import { dueReceipts } from './post-receipts.ts';
import { lastReceiptDay } from './receipt-times.ts';
import { telegramConfigSchema } from './telegram-config.ts';

const HOUR_MS = 3_600_000;
const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 16);

for (const [zone, hour, now, from, to] of [
  ['Europe/Berlin', '09:00', '2027-03-28T07:30Z', '2027-03-27T08:00', '2027-03-28T07:00'],
  ['Europe/Berlin', '09:00', '2027-10-31T08:30Z', '2027-10-30T07:00', '2027-10-31T08:00'],
  // 02:30 does not exist on that day: the clock goes from 02:00 to 03:00.
  ['Europe/Berlin', '02:30', '2027-03-28T12:00Z', '2027-03-27T01:30', '2027-03-28T01:30'],
  ['Europe/Moscow', '09:00', '2027-03-28T05:59Z', '2027-03-26T06:00', '2027-03-27T06:00'],
  ['UTC', '00:00', '2027-01-01T00:00Z', '2026-12-31T00:00', '2027-01-01T00:00'],
] as const) {
  test(`at ${now} the last day until ${hour} in ${zone} ended at ${to}`, () => {
    const day = lastReceiptDay(hour, zone, Date.parse(now));
    assert.deepEqual([iso(day.fromMs), iso(day.toMs)], [from, to]);
  });
}

test('over two years in Berlin each day follows the one before, and is told once', () => {
  const config = alertsConfigSchema.parse({
    time_zone: 'Europe/Berlin',
    chats: { duty: 1 },
    routes: [{ chats: ['duty'], receipt: '08:15' }],
  });
  const topics = new Map<string, { fromMs: number; toMs: number }>();
  const end = Date.UTC(2029, 0, 1);
  for (let ms = Date.UTC(2027, 0, 1); ms < end; ms += 10 * 60_000) {
    for (const { topic, day } of dueReceipts(config, ms)) topics.set(topic, day);
  }
  const days = [...topics.values()];
  assert.equal(days.length, 731);
  for (const [at, day] of days.entries()) {
    if (at > 0) assert.equal(day.fromMs, days[at - 1]?.toMs);
  }
  const hours = days.map((day) => (day.toMs - day.fromMs) / HOUR_MS);
  assert.deepEqual(
    [23, 24, 25].map((length) => hours.filter((one) => one === length).length),
    [2, 727, 2],
  );
});

test('the receipt comes once, of the PCs of its route, and its sums are those of the stores', async (t) => {
  const nowMs = Date.UTC(2026, 10, 24, 6, 1);
  const app = await startCollectorApp(t, { now: () => nowMs - HOUR_MS });
  const started = (name: string, hour: number) =>
    processStart({
      '@timestamp': new Date(Date.UTC(2026, 10, 23, hour)).toISOString(),
      launchbeat: { program: name, actor: { name: 'Анна' } },
    });
  const twice = started('Chrome', 10);
  const lines = [twice, started('Telegram', 11), started('Telegram', 12), twice, '{"no":"event"}'];
  const { status } = await app.send(ndjsonLines(lines));
  assert.equal(status, 200);
  const received = new Date(nowMs - 2 * HOUR_MS).toISOString();
  await app.sql`update chunks set received_at = ${received}, indexed_at = ${received}`;
  await app.sql`update events set received_at = ${received}`;
  await app.sql`
    insert into agents (id, name, host, tags, last_seen_at, check_in)
    select agent_id, 'PC-042', 'pc-042', '{}', now() - interval '10 years', '{}' from chunks limit 1
    on conflict (id) do nothing`;
  await app.sql`
    insert into agents (id, name, host, tags, check_in) values
      (gen_random_uuid(), 'pc-2', 'pc-2', '{till}', '{"auditing": {"process_creation": false}}'),
      (gen_random_uuid(), 'pc-3', 'pc-3', '{}', '{}')`;
  await app.sql`
    insert into agent_facts (agent_id, fact_id, kind, level, at, count, found_by, received_at)
    select id, 'fact-1', 'gap', 'error', now(), 17, 'agent', ${received} from agents where host = 'pc-3'`;
  const telegram = await startTelegram({
    chats: [
      { id: 1, type: 'private' },
      { id: 2, type: 'private' },
    ],
  });
  const notifier = createNotifier({
    sql: app.sql,
    config: telegramConfigSchema.parse({ token: telegram.token, api_root: telegram.url }),
    alerts: alertsConfigSchema.parse({
      time_zone: 'Europe/Moscow',
      language: 'en',
      chats: { all: 1, tills: 2 },
      groups: { tills: { tags: ['till'] } },
      routes: [
        { chats: ['all'], receipt: '09:00' },
        { chats: ['tills'], groups: ['tills'], receipt: '09:00' },
      ],
    }),
    ...{ log: SILENT_LOG, now: () => nowMs },
  });
  const stop = new AbortController();
  const running = notifier.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await running;
    await telegram.stop();
  });
  await eventually(() => telegram.messages().length === 2);
  const textTo = (chat: number): string | undefined =>
    telegram.messages().find(({ chatId }) => chatId === chat)?.text;
  assert.equal(
    textTo(1),
    [
      '📋 Day: 23.11.2026 09:00:00 – 24.11.2026 09:00:00',
      'PCs reporting: 1 of 3',
      'Launches: 3 (events: 3)',
      'Programs: Telegram 2, Chrome 1',
      'People: Анна 3',
      'Lost on PCs: pc-3 17',
      'Auditing is off: pc-2',
      '✔ Received 5, again 1, rejected 1',
      '   = stored 3 = indexed 3',
    ].join('\n'),
  );
  assert.match(textTo(2) ?? '', /^📋 Day \(tills\).*\nPCs reporting: 0 of 1\nLaunches: 0/);
  const rows = await app.sql`select topic from bulletins where kind = 'receipt'`;
  assert.equal(rows.length, 2);
});
