/**
 * Goal: people of the config, and nobody else, ask the bot, take alerts on and mute them; what they do stands in the audit log.
 * Method: real events through commit into a real PostgreSQL, the strict stand-in of the Bot API.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ProcessStart } from '@launchbeat/ecs-schemas';
import { type Log, SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { type CollectorApp, startCollectorApp } from '../../../tests/support/collector-app.ts';
import { ndjsonLines, type Overrides, processStart } from '../../../tests/support/documents.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import {
  startTelegram,
  type TelegramMessage,
  type TelegramStandIn,
} from '../../../tests/support/telegram.ts';
import { alertsConfigSchema } from '../assess/alerts-config.ts';
import { createNotifier, type Notifier } from './create-notifier.ts';
import { telegramConfigSchema } from './telegram-config.ts';

const GROUP = -1001;
const OTHER = -1002;
const BOSS = 111;
const STRANGER = 666;
const NO_LIMITS = { perSecond: Infinity, chatPerSecond: Infinity, groupPerMinute: Infinity };
const NOW_MS = Date.UTC(2026, 10, 23, 12);
const MINUTE_MS = 60_000;
const RULES = [
  { id: 'starts', severity: 'low' },
  { id: 'mail', programs: ['outlook.exe'], chats: ['duty'] },
];

interface Lab {
  readonly app: CollectorApp;
  readonly telegram: TelegramStandIn;
  readonly notifier: Notifier;
  readonly warnings: string[];
  pass(ms: number): void;
  /** Sends starts so many minutes before now. */
  start(minutesAgo: number, over?: Overrides): Promise<void>;
  /** Writes to the bot; gives its next message. */
  ask(text: string, fromId?: number): Promise<string>;
  /** Presses a button of a message by its words. */
  press(message: TelegramMessage, words: RegExp, fromId?: number): void;
  last(): TelegramMessage;
  audited(): Promise<string[]>;
}

async function lab(t: TestContext, file: Record<string, unknown> = {}): Promise<Lab> {
  let nowMs = NOW_MS;
  const now = (): number => nowMs;
  const alerts = {
    chats: { duty: GROUP, quiet: OTHER },
    rules: RULES,
    routes: [{ chats: ['duty'] }],
    commands: { users: [BOSS], chats: ['duty'] },
    template: '{{user}} {{process}}',
    language: 'en',
    ...file,
  };
  const app = await startCollectorApp(t, { alerts, now });
  const telegram = await startTelegram({
    chats: [
      { id: GROUP, type: 'supergroup' },
      { id: OTHER, type: 'group' },
      { id: BOSS, type: 'private' },
      { id: STRANGER, type: 'private' },
    ],
    limits: NO_LIMITS,
    now,
  });
  const warnings: string[] = [];
  const log: Log = { ...SILENT_LOG, warn: (_, message) => void warnings.push(message) };
  const notifier = createNotifier({
    sql: app.sql,
    config: telegramConfigSchema.parse({
      ...{ token: telegram.token, api_root: telegram.url },
      limits: { per_second: 1000, per_chat_per_second: 100, per_group_per_minute: 6000 },
      backoff: { init: '20ms', max: '100ms' },
    }),
    alerts: alertsConfigSchema.parse(alerts),
    ...{ log, now },
  });
  const stop = new AbortController();
  const running = notifier.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await telegram.stop();
    await running;
  });
  const last = (): TelegramMessage => {
    const message = telegram.messages().at(-1);
    assert.ok(message);
    return message;
  };
  return {
    ...{ app, telegram, notifier, warnings, last },
    pass(ms) {
      nowMs += ms;
    },
    async start(minutesAgo, over = {}) {
      const time = new Date(nowMs - minutesAgo * MINUTE_MS).toISOString();
      const document: ProcessStart = processStart({ '@timestamp': time, ...over });
      await app.send(ndjsonLines([document]));
      notifier.wake();
    },
    async ask(text, fromId = BOSS) {
      const before = telegram.messages().length;
      telegram.write({ chatId: GROUP, fromId, text });
      await eventually(() => telegram.messages().length > before);
      return last().text;
    },
    press(message, words, fromId = BOSS) {
      const rows = (
        message.replyMarkup as { inline_keyboard: { text: string; callback_data: string }[][] }
      ).inline_keyboard;
      const button = rows.flat().find((one) => words.test(one.text));
      assert.ok(button, `no button ${words}`);
      const { messageId, chatId } = message;
      telegram.pressButton({ chatId, messageId, data: button.callback_data, fromId, name: 'Анна' });
    },
    async audited() {
      const rows = await app.sql<{ actor: string; action: string }[]>`
        select actor, action from audit_log where action like 'telegram.%' order by id`;
      return rows.map((row) => `${row.actor} ${row.action}`);
    },
  };
}

const answers = (telegram: TelegramStandIn): string[] =>
  telegram.requests('answerCallbackQuery').map((one) => String(one.params['text']));

test('who mutes in the middle of a flood is answered before the rest of it, and spared the rest', async (t) => {
  const { app, telegram, notifier, pass } = await lab(t);
  const flood = Array.from({ length: 400 }, () =>
    processStart({ '@timestamp': new Date(NOW_MS).toISOString() }),
  );
  await app.send(ndjsonLines(flood));
  notifier.wake();
  const told = () => telegram.messages().filter(({ text }) => text === 'Иванов chrome.exe').length;
  await eventually(() => told() > 3);
  telegram.write({ chatId: GROUP, fromId: BOSS, text: '/mute starts 1h' });
  await eventually(() => telegram.messages().some(({ text }) => text.includes('is muted here')));
  const waiting = async () => app.sql`select from alerts where state = 'pending'`;
  await eventually(async () => (await waiting()).length === 0);
  assert.ok(told() < flood.length, 'what waits is muted too');
  pass(61 * MINUTE_MS);
  notifier.wake();
  await eventually(() => telegram.messages().some(({ text }) => text.includes('While muted')));
  const counted = telegram.messages().map(({ text }) => /While muted: (\d+)/.exec(text)?.[1] ?? 0);
  assert.equal(
    counted.reduce<number>((sum, one) => sum + Number(one), told()),
    flood.length,
  );
  const twice = await app.sql`select from alerts where state not in ('sent', 'muted')`;
  assert.equal(twice.length, 0);
});

test('commands say how it goes, who started what, and what this chat hears', async (t) => {
  const { app, start, ask, telegram, audited } = await lab(t);
  await start(30, { process: { name: 'AnyDesk.exe' }, launchbeat: { program: 'AnyDesk' } });
  await start(10);
  await eventually(() => telegram.messages().length === 2);
  assert.match(await ask('/status'), /Within an hour: 2 events, 2 launches/);
  assert.match(await ask('/last'), /14:50|11:50:00 Иванов Google Chrome · pc-042/);
  assert.match(await ask('/last PC-042'), /Иванов AnyDesk/);
  assert.match(await ask('/last petrov'), /No launches/);
  assert.match(
    await ask('/who anydesk'),
    /^anydesk: within 24 h\n• Иванов · pc-042\.acme\.local × 1/,
  );
  assert.match(await ask('/who@launchbeat_test_bot nothing.exe'), /nobody/);
  assert.match(await ask('/rules'), /^● starts \(low\) 2\n● mail \(medium\) 0$/);
  assert.match(await ask('/agents'), /^PCs: 1, well 0\n• .* offline/);
  assert.match(await ask('/digest'), /• starts: 2 \(by themselves 2/);
  assert.match(await ask('/help'), /\/unmute/);
  assert.match(await ask('/who %'), /nobody/);
  const actions = await audited();
  assert.equal(actions.length, 11);
  assert.equal(actions[0], `telegram:${BOSS} telegram.status`);
  const rows = await app.sql`select from bulletins where state <> 'sent'`;
  assert.equal(rows.length, 0);
});

test('strangers, other chats, other bots and old messages get no answer; the log names the id', async (t) => {
  const { ask, telegram, notifier, warnings, audited, start, press, last } = await lab(t);
  telegram.write({ chatId: GROUP, fromId: STRANGER, text: '/mute starts 1h' });
  telegram.write({ chatId: OTHER, fromId: BOSS, text: '/status' });
  telegram.write({ chatId: STRANGER, fromId: STRANGER, text: '/status' });
  telegram.write({ chatId: GROUP, fromId: BOSS, text: '/status@another_bot' });
  telegram.write({ chatId: GROUP, fromId: BOSS, text: 'hello' });
  assert.match(await ask('/status'), /Muted: –/);
  assert.equal(telegram.messages().length, 1);
  assert.equal(notifier.counts().strangers, 3);
  assert.match(warnings.join('\n'), /user 666 in chat -1001/);
  await start(1);
  await eventually(() => telegram.messages().length === 2);
  press(last(), /Ack/, STRANGER);
  await eventually(() => answers(telegram).length === 1);
  assert.deepEqual(answers(telegram), ['You may not']);
  const { messageId } = last();
  telegram.pressButton({ chatId: GROUP, messageId, data: 'ack:1:AAAAAAAAAAAA', fromId: BOSS });
  await eventually(() => answers(telegram).length === 2);
  assert.deepEqual(answers(telegram)[1], 'This button is too old.');
  assert.deepEqual(await audited(), [
    `telegram:${BOSS} telegram.status`,
    `telegram:${BOSS} telegram.refused`,
  ]);
});

test('Ack: the message shows who took it on, once, and whoever comes later hears it', async (t) => {
  const { app, start, telegram, press, last, audited } = await lab(t);
  await start(1);
  await eventually(() => telegram.messages().length === 1);
  const shown = last();
  press(shown, /Ack/);
  await eventually(() => last().text.includes('Acknowledged by Анна, 23.11.2026 12:00:00'));
  assert.equal(last().messageId, shown.messageId);
  assert.match(last().text, /^Иванов chrome\.exe\n✔/);
  assert.ok(!JSON.stringify(last().replyMarkup).includes('Ack'));
  press(shown, /Ack/);
  await eventually(() => answers(telegram).length === 2);
  assert.deepEqual(answers(telegram), ['Acknowledged', 'Already acknowledged by Анна']);
  assert.equal(telegram.messages().length, 1);
  const [row] = await app.sql`select acked_by, acked_at is not null as acked, state from alerts`;
  assert.deepEqual({ ...row }, { acked_by: 'Анна', acked: true, state: 'sent' });
  assert.deepEqual(await audited(), [
    `telegram:${BOSS} telegram.ack`,
    `telegram:${BOSS} telegram.ack`,
  ]);
});

test('a muted rule is counted and told when the mute is over, a muted pair leaves other pairs alone', async (t) => {
  const { app, start, ask, telegram, press, last, pass, notifier } = await lab(t);
  assert.match(await ask('/mute nothing 1h'), /No rule nothing\. Rules: starts, mail\./);
  assert.match(await ask('/mute starts 100y'), /Write a time/);
  assert.match(await ask('/mute starts 2h'), /starts is muted here until 23\.11\.2026 14:00:00/);
  await start(1);
  await start(1, { process: { name: 'outlook.exe' } });
  // Another rule is heard.
  await eventually(() => last().text === 'Иванов outlook.exe');
  assert.match(await ask('/status'), /Muted: starts/);
  const states = await app.sql`select rule_id, state from alerts order by id`;
  assert.deepEqual(
    states.map((row) => `${row['rule_id']} ${row['state']}`),
    ['starts muted', 'starts muted', 'mail sent'],
  );
  pass(2 * 60 * MINUTE_MS + 1);
  notifier.wake();
  await eventually(() => /While muted: 2 events/.test(last().text));
  await start(1);
  await eventually(() => last().text === 'Иванов chrome.exe');
  press(last(), /This pair/);
  await eventually(() => /explorer\.exe > chrome\.exe is muted/.test(last().text));
  await start(1);
  await start(1, { process: { name: 'telegram.exe' } });
  await eventually(() => last().text === 'Иванов telegram.exe');
  // The answer and what was muted come in any order.
  await ask('/unmute');
  const came = (words: RegExp): boolean => telegram.messages().some(({ text }) => words.test(text));
  await eventually(() => came(/1 ended/) && came(/While muted: 1 event,/));
  assert.match(await ask('/unmute starts'), /Nothing is muted here/);
});

test('Similar and Tree tell of the events around', async (t) => {
  const { start, telegram, press, last } = await lab(t);
  await start(30, {
    process: { name: 'explorer.exe', pid: 3920, parent: { pid: 800, name: 'userinit.exe' } },
    launchbeat: { launch: false },
  });
  await start(5, { process: { name: 'chrome.exe', pid: 5184 } });
  await eventually(() => telegram.messages().length === 1);
  const shown = last();
  await start(4, {
    process: { name: 'evil.exe', pid: 77, parent: { pid: 5184, name: 'chrome.exe' } },
    launchbeat: { launch: false },
  });
  press(shown, /Tree/);
  await eventually(() => telegram.messages().length === 2);
  assert.equal(
    last().text,
    [
      'Tree: pc-042.acme.local',
      '└ userinit.exe (800)',
      '  └ explorer.exe (3920) Иванов 23.11.2026 11:30:00',
      '    └ ▶ chrome.exe (5184) Иванов 23.11.2026 11:55:00',
      '      └ evil.exe (77) Иванов 23.11.2026 11:56:00',
    ].join('\n'),
  );
  press(shown, /Similar/);
  await eventually(() => telegram.messages().length === 3);
  assert.match(last().text, /^chrome\.exe: within 24 h\n• Иванов · pc-042\.acme\.local × 1/);
});

test('without commands nobody is listened to and alerts have no buttons', async (t) => {
  const { start, telegram, last } = await lab(t, { commands: undefined });
  telegram.write({ chatId: GROUP, fromId: BOSS, text: '/status' });
  await start(1);
  await eventually(() => telegram.messages().length === 1);
  assert.equal(last().replyMarkup, undefined);
  assert.equal(telegram.requests('getUpdates').length, 0);
});
