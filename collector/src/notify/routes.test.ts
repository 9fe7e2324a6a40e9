/**
 * Goal: what a chat cannot hear is heard elsewhere; threads, several bots, groups of PCs and hours decide who hears what; trouble
 * with the alerts themselves is told. Method: the rules as commit uses them, a real PostgreSQL, the strict stand-in of the Bot API.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { processStart } from '../../../tests/support/documents.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { testDatabase } from '../../../tests/support/postgres.ts';
import { startTelegram, type TelegramStandIn } from '../../../tests/support/telegram.ts';
import { alertsConfigSchema } from '../assess/alerts-config.ts';
import { createAssess } from '../assess/assess.ts';
import { readAddress, writeAddress } from '../assess/chat-address.ts';
import { openDatabase, type Sql } from '../commit/database.ts';
import { insertAlerts } from '../commit/insert-alerts.ts';
import { migrate } from '../commit/migrate.ts';
import { createNotifier, type Notifier } from './create-notifier.ts';
import { createLinkOf } from './kibana-link.ts';
import { telegramConfigSchema } from './telegram-config.ts';
import { createWriteMessage } from './write-message.ts';

const FORUM = -1001;
const DUTY = -1002;
const SECOND_TOKEN = '220201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw9';
const NO_LIMITS = { perSecond: Infinity, chatPerSecond: Infinity, groupPerMinute: Infinity };

interface Lab {
  readonly sql: Sql;
  readonly telegram: TelegramStandIn;
  /** The bot of telegram.bots.second. */
  readonly second: TelegramStandIn;
  readonly notifier: Notifier;
  /** Raises the alerts of documents. */
  raise(...documents: ReturnType<typeof processStart>[]): Promise<void>;
}

async function lab(t: TestContext, file: Record<string, unknown>): Promise<Lab> {
  const database = await testDatabase(t);
  const sql = openDatabase({ url: database.url, connections_max: 6 });
  await migrate(sql);
  const chats = [
    { id: FORUM, type: 'supergroup' as const, topics: [7, 8] },
    { id: DUTY, type: 'group' as const },
  ];
  const telegram = await startTelegram({ chats, limits: NO_LIMITS });
  const second = await startTelegram({ chats, limits: NO_LIMITS, token: SECOND_TOKEN });
  const alerts = alertsConfigSchema.parse({
    template: '{{process}}@{{host}}',
    language: 'en',
    rules: [{ id: 'starts' }],
    ...file,
  });
  const notifier = createNotifier({
    sql,
    config: telegramConfigSchema.parse({
      ...{ token: telegram.token, api_root: telegram.url },
      bots: { second: { token: second.token, api_root: second.url } },
      limits: { per_second: 1000, per_chat_per_second: 100, per_group_per_minute: 6000 },
      backoff: { init: '20ms', max: '100ms' },
    }),
    ...{ alerts, log: SILENT_LOG },
  });
  const stop = new AbortController();
  const running = notifier.run(stop.signal);
  t.after(async () => {
    stop.abort();
    await running;
    await Promise.all([telegram.stop(), second.stop()]);
    await sql.end({ timeout: 1 });
  });
  const assess = createAssess(alerts, (agent) => (agent.startsWith('6f1c') ? ['till'] : []));
  return {
    ...{ sql, telegram, second, notifier },
    async raise(...documents) {
      await sql.begin(async (transaction) => insertAlerts(transaction, assess(documents)));
      notifier.wake();
    },
  };
}

const textsOf = (telegram: TelegramStandIn): string[] =>
  telegram.messages().map(({ chatId, topic, text }) => `${chatId}/${topic ?? ''} ${text}`);

test('an address is read as it was written', () => {
  for (const address of [
    { bot: '', id: '-1001', topic: undefined },
    { bot: 'second', id: '-1001', topic: 7 },
    { bot: '', id: '@channel', topic: 8 },
  ]) {
    assert.deepEqual(readAddress(writeAddress(address)), address);
  }
});

test('threads and bots: each alert stands where its chat says', async (t) => {
  const { telegram, second, raise } = await lab(t, {
    chats: {
      seven: { id: FORUM, topic: 7 },
      eight: { id: FORUM, topic: 8 },
      other: { id: DUTY, bot: 'second' },
      gone: { id: FORUM, topic: 9 },
    },
  });
  await raise(processStart({ host: { name: 'a' } }));
  await eventually(() => telegram.messages().length === 2 && second.messages().length === 1);
  assert.deepEqual(textsOf(telegram).sort(), [
    `${FORUM}/7 chrome.exe@a`,
    `${FORUM}/8 chrome.exe@a`,
  ]);
  assert.deepEqual(textsOf(second), [`${DUTY}/ chrome.exe@a`]);
});

test('a chat that blocked the bot: its alerts go to the fallback, and ops hear why, once', async (t) => {
  const { sql, telegram, raise } = await lab(t, {
    chats: { forum: FORUM, duty: DUTY },
    routes: [{ chats: ['forum'] }],
    fallback: 'duty',
  });
  telegram.addChat({ id: FORUM, type: 'supergroup', blocked: true });
  await raise(processStart({ host: { name: 'a' } }), processStart({ host: { name: 'b' } }));
  await eventually(() => telegram.messages().length === 3);
  const texts = textsOf(telegram);
  assert.ok(texts.includes(`${DUTY}/ chrome.exe@a`) && texts.includes(`${DUTY}/ chrome.exe@b`));
  assert.match(texts.join('\n'), /Chat -1001 takes no messages: .*kicked/);
  await eventually(async () => {
    const rows = await sql`select chat_id, state from alerts order by chat_id, id`;
    const states = rows.map((row) => `${row['chat_id']} ${row['state']}`);
    return states.join() === '-1001 failed,-1001 failed,-1002 sent,-1002 sent';
  });
});

test('PC groups and hours choose the chats; what no route takes goes to the fallback', () => {
  const file = {
    chats: { tills: 1, office: 2, duty: 3 },
    groups: { tills: { tags: ['TILL'] }, office: { hosts: ['ACC-*'] } },
    routes: [
      { groups: ['tills'], chats: ['tills'] },
      { groups: ['office'], schedule: { from: '08:00', to: '20:00' }, chats: ['office'] },
    ],
    time_zone: 'Europe/Berlin',
    rules: [
      { id: 'starts' },
      { id: 'office', groups: ['office'], tags: ['lap*'], chats: ['duty'] },
    ],
  };
  const chatsOf = (over: Parameters<typeof processStart>[0], tags: readonly string[] = []) => {
    const config = alertsConfigSchema.parse({ ...file, fallback: 'duty' });
    return createAssess(
      config,
      () => tags,
    )([processStart(over)]).map(({ ruleId, chatId }) => `${ruleId} ${chatId}`);
  };
  const at = (hour: string, name: string) => ({
    '@timestamp': `2026-11-23T${hour}:00:00Z`,
    host: { name },
  });
  assert.deepEqual(chatsOf(at('12', 'x'), ['till']), ['starts 1']);
  assert.deepEqual(chatsOf(at('12', 'acc-1.acme.local')), ['starts 2']);
  // 21:30 in Berlin.
  assert.deepEqual(chatsOf(at('20', 'acc-1')), ['starts 3']);
  assert.deepEqual(chatsOf(at('12', 'acc-1'), ['Till', 'laptop']), [
    'starts 1',
    'starts 2',
    'office 3',
  ]);
  assert.deepEqual(chatsOf({ ...at('12', 'x'), tags: ['till'] }), ['starts 1']);
  assert.deepEqual(chatsOf(at('12', 'y')), ['starts 3']);
  const without = alertsConfigSchema.safeParse(file);
  assert.match(JSON.stringify(without.error?.issues), /No route takes rule/);
  const unknown = alertsConfigSchema.safeParse({ rules: [{ id: 'r', groups: ['nobody'] }] });
  assert.match(JSON.stringify(unknown.error?.issues), /is not under groups/);
});

test('a changed file with a mistake is told in the chat for ops, once for all collectors', async (t) => {
  const { telegram, notifier } = await lab(t, { chats: { forum: FORUM, duty: DUTY }, ops: 'duty' });
  const problem = 'alerts.yml:2: rules.0.program: Unknown key. Did you mean "programs"? <b>';
  await Promise.all([notifier.tellBroken(problem), notifier.tellBroken(problem)]);
  await eventually(() => telegram.messages().length === 1);
  await notifier.tellBroken(problem);
  assert.match(
    textsOf(telegram).join('\n'),
    /^-1002\/ ⚠️ alerts\.yml has a mistake, the rules from before stay in force\.\nalerts\.yml:2: .*"programs"\? <b>\n/,
  );
});

test('with Kibana each message ends with a link that opens its event', () => {
  const alerts = alertsConfigSchema.parse({ chats: { duty: DUTY }, template: '{{process}}' });
  const kibana = { url: 'https://kibana.example/base/', space: 'soc', language: 'ru' as const };
  const document = processStart();
  const [alert] = createAssess(alerts)([document]);
  assert.ok(alert);
  const write = createWriteMessage(alerts, createLinkOf(kibana));
  const { html, plain } = write(alert);
  assert.equal(plain, 'chrome.exe Kibana');
  const [, link = ''] = /<a href="([^"]+)">Kibana<\/a>$/.exec(html) ?? [];
  const url = new URL(link.replaceAll('&amp;', '&'));
  assert.equal(url.pathname, '/base/s/soc/app/discover');
  const shown = decodeURIComponent(url.hash);
  assert.match(shown, new RegExp(`query:'event\\.id:"${document.event.id}"'`));
  assert.match(shown, /dataViewId:launchbeat-process-starts-ru/);
  const [, from = '', to = ''] = /from:'([^']+)',to:'([^']+)'/.exec(shown) ?? [];
  assert.ok(from < document['@timestamp'] && document['@timestamp'] < to);
  // A long message never cuts the link in two, and what is no event has none.
  const long = write({ ...alert, fields: { ...alert.fields, process: 'x'.repeat(9000) } });
  assert.ok(long.html.includes(link) && long.plain.length <= 4096);
  const agent = { ...alert.fields, event_id: 'agent-0123456789abcdef0123456789abcdef' };
  assert.equal(write({ ...alert, fields: agent }).plain, 'chrome.exe');
});
