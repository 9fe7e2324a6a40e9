/**
 * Goal: a storm of alerts crosses no bound of Telegram's, loses nothing, leaves the chat readable and keeps no other chat waiting.
 * Method: alerts come in chunks as commit writes them, into the strict stand-in with Telegram's own limits; messages and counts are added
 * up afterwards; how long a calm chat waited meanwhile is printed. The long form is LAUNCHBEAT_STORM_EVENTS=100000
 * LAUNCHBEAT_STORM_SECONDS=60 (some three minutes, in real time).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { processStart } from '../../../tests/support/documents.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { testDatabase } from '../../../tests/support/postgres.ts';
import { startTelegram } from '../../../tests/support/telegram.ts';
import { alertsConfigSchema } from '../assess/alerts-config.ts';
import { createAssess } from '../assess/assess.ts';
import { openDatabase } from '../commit/database.ts';
import { insertAlerts } from '../commit/insert-alerts.ts';
import { migrate } from '../commit/migrate.ts';
import { createNotifier } from './create-notifier.ts';
import { telegramConfigSchema } from './telegram-config.ts';

const EVENTS = Number(process.env['LAUNCHBEAT_STORM_EVENTS'] ?? 1500);
const SECONDS = Number(process.env['LAUNCHBEAT_STORM_SECONDS'] ?? 2);
const IS_LONG = SECONDS >= 60;
const CHUNK = 430;
const GROUP = -1001;
const PERSON = 42;
const CALM = 43;
/** One in so many chunks has an alert for the calm chat, which takes a message a second. */
const CALM_EVERY = 8;
const BUDGET = 3;
const MINUTE_MS = 60_000;

test('a storm: no 429, nothing lost, at most 20 messages a minute in the group', async (t) => {
  const database = await testDatabase(t);
  const sql = openDatabase({ url: database.url, connections_max: 6 });
  await migrate(sql);
  const telegram = await startTelegram({
    chats: [
      { id: GROUP, type: 'supergroup' },
      { id: PERSON, type: 'private' },
      { id: CALM, type: 'private' },
    ],
  });
  // The short form does not wait for the minute of calm that ends a storm.
  let skewMs = 0;
  const alerts = alertsConfigSchema.parse({
    chats: {
      duty: { id: GROUP, budget: BUDGET },
      boss: { id: PERSON, budget: BUDGET },
      calm: CALM,
    },
    rules: [
      { id: 'all', programs: ['chrome.exe'], chats: ['duty', 'boss'] },
      { id: 'calm', programs: ['calm.exe'], chats: ['calm'], template: '{{event_id}}' },
    ],
    language: 'en',
  });
  const notifier = createNotifier({
    sql,
    config: telegramConfigSchema.parse({ token: telegram.token, api_root: telegram.url }),
    ...{ alerts, log: SILENT_LOG, now: () => Date.now() + skewMs },
  });
  const stop = new AbortController();
  const running = notifier.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await telegram.stop();
    await running;
    await sql.end({ timeout: 1 });
  });
  await eventually(() => notifier.counts().leader === 1);

  const assess = createAssess(alerts);
  const calmMs = new Map<string, number>();
  const startMs = performance.now();
  for (let sent = 0; sent < EVENTS; sent += CHUNK) {
    const documents = Array.from({ length: Math.min(CHUNK, EVENTS - sent) }, () => processStart());
    if ((sent / CHUNK) % CALM_EVERY === 0) {
      const calm = processStart({ process: { name: 'calm.exe' } });
      documents.push(calm);
      calmMs.set(calm.event.id, Date.now());
    }
    await sql.begin(async (transaction) => insertAlerts(transaction, assess(documents)));
    notifier.wake();
    const aheadMs = ((sent + CHUNK) / EVENTS) * SECONDS * 1000 - (performance.now() - startMs);
    if (aheadMs > 0) await new Promise((resolve) => setTimeout(resolve, aheadMs));
  }
  const seconds = (performance.now() - startMs) / 1000;
  await eventually(
    async () => {
      if (!IS_LONG) skewMs += 10_000;
      notifier.wake();
      const rows = await sql`select from notices where state in ('open', 'pending')`;
      const waiting = await sql`select from alerts where state = 'pending' limit 1`;
      return rows.length === 0 && waiting.length === 0;
    },
    { timeoutMs: IS_LONG ? 600_000 : 60_000, intervalMs: 250 },
  );

  for (const chat of [GROUP, PERSON]) {
    const messages = telegram.messages().filter(({ chatId }) => chatId === chat);
    const lists = messages.flatMap(({ document }) => document?.bytes.toString('utf8') ?? []);
    const listed = lists.flatMap((text) => text.trimEnd().split('\r\n').slice(1));
    const alone = messages.filter(({ text }) => text.includes('запустил')).length;
    assert.equal(alone + listed.length, EVENTS, 'each is a message or stands in the list');
    assert.equal(new Set(listed).size, listed.length);
    const storms = messages.filter(({ text }) => text.startsWith('There were too many messages'));
    const counted = storms.map(({ text }) => Number(/messages: (\d+) events/.exec(text)?.[1] ?? 0));
    assert.equal(
      counted.reduce((sum, one) => sum + one, 0),
      listed.length,
    );
  }
  const writes = telegram
    .requests()
    .filter(({ method }) => ['sendMessage', 'editMessageText', 'sendDocument'].includes(method));
  assert.deepEqual(
    writes.filter(({ status }) => status !== 200).map(({ method, status }) => [method, status]),
    [],
  );
  const times = writes.filter((one) => String(one.params['chat_id']) === String(GROUP));
  for (const { atMs } of times) {
    const within = times.filter((one) => one.atMs >= atMs && one.atMs < atMs + MINUTE_MS).length;
    assert.ok(within <= 20, `${within} in a minute`);
  }
  const waits = telegram
    .requests('sendMessage')
    .filter(({ params }) => String(params['chat_id']) === String(CALM))
    .map(({ params, atMs }) => atMs - (calmMs.get(String(params['text'])) ?? Number.NaN))
    .sort((one, two) => one - two);
  assert.equal(waits.length, calmMs.size, 'the calm chat hears everything');
  t.diagnostic(
    `the calm chat waited ${waits[Math.ceil(waits.length * 0.95) - 1]} ms (p95 of ${waits.length})`,
  );
  t.diagnostic(
    `${EVENTS} events in ${seconds.toFixed(1)} s; ${writes.length} requests, 0 refused; ${times.length} to the group`,
  );
});
