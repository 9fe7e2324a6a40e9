/**
 * Goal: nothing that an event can say is refused by Telegram, looks like something else, or does anything. Method: each string of the
 * list as user, process, command line and PC through outbox, notices, lists and buttons, into the strict stand-in of the Bot API.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
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
import { storableText } from '../commit/storable-text.ts';
import { createNotifier } from './create-notifier.ts';
import { telegramConfigSchema } from './telegram-config.ts';
import { visibleText } from './visible-text.ts';

const CHAT = 42;
const NO_LIMITS = { perSecond: Infinity, chatPerSecond: Infinity, groupPerMinute: Infinity };
const EDGES = [1023, 1024, 4084, 4095, 4096, 4097, 9000];

const STRINGS: readonly string[] = [
  '<b>bold</b>',
  '</code></b><i>',
  '<a href="tg://user?id=1">boss</a>',
  '<a href="javascript:alert(1)">x',
  '<',
  '>',
  '&',
  '&lt;b&gt;',
  '&amp;amp;',
  '&#60;b&#62; &#x3c;',
  '&nbsp;&copy;',
  '"\'`',
  '*bold* _italic_ [link](http://evil.example) `code` ~s~ ||spoiler||',
  '```\ncode\n```',
  '\\*\\_\\[',
  '{{user}}',
  '{{{command_line}}}',
  '{{&user}} {{#host}}x{{/host}} {{! }} {{=<% %>=}}',
  '{{> partial}}',
  '@everyone /start@launchbeat_test_bot #tag $USD +79990000000 https://evil.example',
  'photo\u202Egnp.exe',
  '\u2066isolated\u2069 \u200Ehidden\u200F',
  'zero\u200Bwidth\u200Cjoin\u200D\uFEFF\u2060er',
  'soft\u00ADhyphen',
  'line\nbreak\r\nand\ttab',
  'paragraph\u2028separators\u2029',
  'nul\0and\u0001\u001B[31mred\u007F',
  'half \uD83D surrogate',
  '\uDE00\uD83D',
  '👩‍👩‍👧‍👦 🏴‍☠️ é ﷽',
  'a\u0301\u0302\u0303\u0304\u0305'.repeat(50),
  '<tg-spoiler>x</tg-spoiler><pre>y</pre>',
  '=HYPERLINK("http://evil.example";"x")',
  '-1+1',
  '@SUM(1)',
  '\t=1',
  ';;,,""',
  ' ',
  "'; drop table alerts; --",
  '%s %n $1 ${x} $(x)',
  'C:\\Users\\Иванов\\Рабочий стол\\отчёт.docx',
  ...EDGES.map((units) => 'x'.repeat(units)),
  ...EDGES.map((units) => '😀'.repeat(units / 2)),
  ...EDGES.map((units) => `${'y'.repeat(units - 1)}😀`),
  ...EDGES.map((units) => '<&>'.repeat(units / 3)),
];

const TEMPLATE = '<b>{{user}}</b>|{{process}}|<code>{{command_line}}</code>|{{host}}';

async function lab(t: TestContext, file: Record<string, unknown>) {
  const database = await testDatabase(t);
  const sql = openDatabase({ url: database.url, connections_max: 6 });
  await migrate(sql);
  const telegram = await startTelegram({
    chats: [{ id: CHAT, type: 'private' }],
    limits: NO_LIMITS,
  });
  const alerts = alertsConfigSchema.parse({
    ...{ chats: { duty: CHAT }, rules: [{ id: 'all' }], template: TEMPLATE },
    ...file,
  });
  let nowMs = Date.now();
  const notifier = createNotifier({
    sql,
    config: telegramConfigSchema.parse({
      ...{ token: telegram.token, api_root: telegram.url },
      limits: { per_second: 1000, per_chat_per_second: 100 },
      backoff: { init: '20ms', max: '100ms' },
    }),
    ...{ alerts, log: SILENT_LOG, now: () => nowMs },
  });
  const stop = new AbortController();
  const running = notifier.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await telegram.stop();
    await running;
    await sql.end({ timeout: 1 });
  });
  const assess = createAssess(alerts);
  return {
    ...{ sql, telegram, notifier },
    pass(ms: number) {
      nowMs += ms;
      notifier.wake();
    },
    async raise() {
      const documents = STRINGS.map((text) =>
        processStart({
          process: { name: text, command_line: text },
          host: { name: text },
          launchbeat: { actor: { name: text, domain: text } },
        }),
      );
      await sql.begin(async (transaction) => insertAlerts(transaction, assess(documents)));
      notifier.wake();
    },
  };
}

/** Answers of the Bot API that are no 200. */
const refusals = (telegram: Awaited<ReturnType<typeof startTelegram>>): unknown[] =>
  telegram
    .requests()
    .filter(({ status, method }) => status !== 200 && method !== 'getUpdates')
    .map(({ method, status }) => [method, status]);

test('every string is shown as it is, in every field, and none is refused', async (t) => {
  const { sql, telegram, raise } = await lab(t, {});
  await raise();
  await eventually(() => telegram.messages().length === STRINGS.length);
  for (const [at, text] of STRINGS.entries()) {
    const given = visibleText(storableText(text));
    const whole = [given, given, given, given].join('|');
    const shown = telegram.messages()[at]?.text ?? '';
    if (whole.length <= 4096) {
      assert.equal(shown, whole.trim());
      continue;
    }
    // Cut in the middle of each field: both ends stay, and the message is whole.
    const parts = shown.split('|');
    assert.equal(parts.length, 4);
    assert.ok(shown.length <= 4096 && shown.length > 4000, `${at}: ${shown.length}`);
    for (const part of parts) {
      const [start = '', end = ''] = part.split('…');
      assert.ok(given.startsWith(start) && given.endsWith(end) && part.isWellFormed());
    }
  }
  assert.deepEqual(refusals(telegram), []);
  const kinds = new Set(
    telegram.messages().flatMap(({ entities }) => entities.map((one) => one.type)),
  );
  assert.deepEqual([...kinds].sort(), ['bold', 'code']);
  await eventually(async () => {
    const rows = await sql`select from alerts where state <> 'sent'`;
    return rows.length === 0;
  });
});

test('notices, their lists and answers show every string too', async (t) => {
  const { telegram, raise, pass } = await lab(t, {
    chats: { duty: { id: CHAT, budget: 1 } },
    commands: { users: [CHAT] },
  });
  await raise();
  await eventually(() => telegram.messages().length === 2);
  pass(61_000);
  const lists = (): string[] =>
    telegram.messages().flatMap(({ document }) => document?.bytes.toString('utf8') ?? []);
  await eventually(() => {
    pass(10_000);
    return lists().length === 1;
  });
  const lines = lists()[0]?.trimEnd().split('\r\n') ?? [];
  // One line each but the one that was told by itself, and the headings.
  assert.equal(lines.length, STRINGS.length);
  assert.ok(lines.every((line) => !/(^|;)"\s*[=+\-@]/.test(line)));
  telegram.write({ chatId: CHAT, fromId: CHAT, text: '/last' });
  telegram.write({ chatId: CHAT, fromId: CHAT, text: `/who ${STRINGS[0]} {{user}} \u202E` });
  telegram.write({ chatId: CHAT, fromId: CHAT, text: '/digest' });
  await eventually(() => telegram.messages().length === 6);
  assert.deepEqual(refusals(telegram), []);
});
