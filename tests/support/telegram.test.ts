/**
 * The Telegram stand-in, asked by the real grammY: it takes what Telegram takes and refuses what Telegram refuses.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Api, GrammyError, HttpError, InputFile } from 'grammy';
import { eventually } from './eventually.ts';
import { startTelegram, type TelegramOptions } from './telegram.ts';

const PERSON = { id: 7, type: 'private' } as const;
const GROUP = { id: -100123, type: 'supergroup', title: 'SOC' } as const;
const HTML = { parse_mode: 'HTML' } as const;

async function start(t: TestContext, options: TelegramOptions = {}) {
  const clock = { ms: Date.UTC(2026, 0, 1) };
  const telegram = await startTelegram({ chats: [PERSON, GROUP], now: () => clock.ms, ...options });
  t.after(() => telegram.stop());
  const api = new Api(telegram.token, { apiRoot: telegram.url });
  return { telegram, api, clock };
}

/** Asserts a refusal in Telegram's words; gives its parameters. */
async function refused(call: Promise<unknown>, code: number, description: string) {
  const error = await call.then(
    () => assert.fail(`accepted, not refused with ${description}`),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof GrammyError, String(error));
  assert.deepEqual([error.error_code, error.description], [code, description]);
  return error.parameters;
}

test('a message in HTML is kept as plain text with entities', async (t) => {
  const { telegram, api } = await start(t);
  assert.equal((await api.getMe()).is_bot, true);
  const sent = await api.sendMessage(GROUP.id, ' <b>alice</b> &lt;1&gt;\n', HTML);
  assert.equal(sent.text, 'alice <1>');
  const [message] = telegram.messages();
  assert.equal(message?.text, 'alice <1>');
  assert.deepEqual(message.entities, [{ type: 'bold', offset: 0, length: 5 }]);
  assert.equal(message.chatId, GROUP.id);
  assert.deepEqual(
    telegram.requests().map(({ method, status }) => [method, status]),
    [
      ['getMe', 200],
      ['sendMessage', 200],
    ],
  );
});

test('markup that Telegram cannot parse is refused with its byte offset', async (t) => {
  const { telegram, api } = await start(t);
  const bad = api.sendMessage(PERSON.id, 'é <script>', HTML);
  await refused(
    bad,
    400,
    `Bad Request: can't parse entities: Unsupported start tag "script" at byte offset 3`,
  );
  assert.equal(telegram.messages().length, 0);
  await api.sendMessage(PERSON.id, 'é <script>');
  assert.equal(telegram.messages()[0]?.text, 'é <script>');
});

test('empty and too long texts are refused; the length counts in UTF-16 units after parsing', async (t) => {
  const { api } = await start(t);
  await refused(
    api.sendMessage(PERSON.id, '<b> </b>', HTML),
    400,
    'Bad Request: message text is empty',
  );
  await refused(
    api.sendMessage(PERSON.id, '😀'.repeat(2049)),
    400,
    'Bad Request: message is too long',
  );
  await api.sendMessage(PERSON.id, `<b>${'&lt;'.repeat(4096)}</b>`, HTML);
});

test('chats: unknown, blocked, thrown out, moved', async (t) => {
  const { telegram, api } = await start(t);
  await refused(api.sendMessage(999, 'x'), 400, 'Bad Request: chat not found');
  telegram.addChat({ ...PERSON, blocked: true });
  await refused(api.sendMessage(PERSON.id, 'x'), 403, 'Forbidden: bot was blocked by the user');
  telegram.addChat({ ...GROUP, blocked: true });
  await refused(
    api.sendMessage(GROUP.id, 'x'),
    403,
    'Forbidden: bot was kicked from the supergroup chat',
  );
  telegram.addChat({ id: -5, type: 'group', migratedTo: GROUP.id });
  const moved = await refused(
    api.sendMessage(-5, 'x'),
    400,
    'Bad Request: group chat was upgraded to a supergroup chat',
  );
  assert.equal(moved.migrate_to_chat_id, GROUP.id);
  telegram.addChat({ id: -9, type: 'channel', username: 'launches' });
  await api.sendMessage('@Launches', 'x');
  assert.equal((await api.getChat(-9)).id, -9);
});

test('tokens: unknown and malformed', async (t) => {
  const { telegram } = await start(t);
  const unknown = new Api(`1234567:${'x'.repeat(35)}`, { apiRoot: telegram.url });
  await refused(unknown.getMe(), 401, 'Unauthorized');
  await refused(new Api('no-token', { apiRoot: telegram.url }).getMe(), 404, 'Not Found');
});

test('one message a second to a chat', async (t) => {
  const { api, clock } = await start(t);
  await api.sendMessage(PERSON.id, '1');
  const parameters = await refused(
    api.sendMessage(PERSON.id, '2'),
    429,
    'Too Many Requests: retry after 1',
  );
  assert.equal(parameters.retry_after, 1);
  await api.sendMessage(GROUP.id, 'another chat');
  clock.ms += 1000;
  await api.sendMessage(PERSON.id, '2');
});

test('20 messages a minute to a group; retry_after says when the next one passes', async (t) => {
  const { telegram, api, clock } = await start(t);
  for (let sent = 0; sent < 20; sent += 1) {
    await api.sendMessage(GROUP.id, `${sent}`);
    clock.ms += 1000;
  }
  clock.ms += 500;
  const { retry_after: seconds } = await refused(
    api.sendMessage(GROUP.id, 'x'),
    429,
    'Too Many Requests: retry after 40',
  );
  assert.equal(seconds, 40); // 39.5 s, and Telegram says whole seconds
  clock.ms += 39_499;
  await refused(api.sendMessage(GROUP.id, 'x'), 429, 'Too Many Requests: retry after 1');
  clock.ms += 1;
  await api.sendMessage(GROUP.id, 'x');
  assert.equal(telegram.messages().length, 21);
});

test('30 messages a second to all chats together', async (t) => {
  const chats = Array.from({ length: 31 }, (_, id) => ({ id: id + 1, type: 'private' }) as const);
  const { telegram, api } = await start(t, { chats });
  const sent = await Promise.allSettled(chats.map(({ id }) => api.sendMessage(id, 'x')));
  assert.equal(sent.filter(({ status }) => status === 'fulfilled').length, 30);
  assert.equal(telegram.requests().filter(({ status }) => status === 429).length, 1);
});

test('limits can be switched off', async (t) => {
  const { telegram, api } = await start(t, {
    limits: { chatPerSecond: Infinity, groupPerMinute: Infinity, perSecond: Infinity },
  });
  for (let sent = 0; sent < 50; sent += 1) await api.sendMessage(GROUP.id, `${sent}`);
  assert.equal(telegram.messages().length, 50);
});

test('messages are edited; an edit that changes nothing is refused', async (t) => {
  const { telegram, api, clock } = await start(t);
  const { message_id: id } = await api.sendMessage(PERSON.id, '<b>one</b>', HTML);
  clock.ms += 1000;
  await api.editMessageText(PERSON.id, id, 'two');
  assert.deepEqual(
    telegram.messages().map(({ text }) => text),
    ['two'],
  );
  await refused(
    api.editMessageText(PERSON.id, id, 'two'),
    400,
    'Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message',
  );
  await refused(
    api.editMessageText(PERSON.id, 99, 'x'),
    400,
    'Bad Request: message to edit not found',
  );
});

test('a document comes as multipart and is kept with its caption', async (t) => {
  const { telegram, api, clock } = await start(t);
  const file = new InputFile(Buffer.from('a;b\n'), 'alerts.csv');
  await api.sendDocument(GROUP.id, file, { caption: '<i>all</i>', ...HTML });
  const [message] = telegram.messages();
  assert.equal(message?.document?.fileName, 'alerts.csv');
  assert.equal(message.document.bytes.toString(), 'a;b\n');
  assert.equal(message.text, 'all');
  clock.ms += 1000;
  const long = api.sendDocument(GROUP.id, file, { caption: 'x'.repeat(1025) });
  await refused(long, 400, 'Bad Request: message caption is too long');
});

test('a pressed button comes by getUpdates, once it is confirmed no more, and is answered once', async (t) => {
  const { telegram, api } = await start(t);
  const keyboard = { inline_keyboard: [[{ text: 'Mute', callback_data: 'mute:1' }]] };
  const { message_id: messageId } = await api.sendMessage(GROUP.id, 'x', {
    reply_markup: keyboard,
  });
  const polled = api.getUpdates({ timeout: 30 });
  await eventually(() => telegram.requests('getUpdates').length === 1);
  const query = telegram.pressButton({ chatId: GROUP.id, messageId, data: 'mute:1', fromId: 42 });
  const [update] = await polled;
  assert.equal(update?.callback_query?.data, 'mute:1');
  assert.deepEqual(await api.getUpdates({ offset: update.update_id + 1 }), []);
  assert.equal(await api.answerCallbackQuery(query), true);
  await refused(
    api.answerCallbackQuery(query),
    400,
    'Bad Request: query is too old and response timeout expired or query ID is invalid',
  );
  await refused(
    api.sendMessage(GROUP.id, 'x', {
      reply_markup: { inline_keyboard: [[{ text: 'a', callback_data: 'x'.repeat(65) }]] },
    }),
    400,
    'Bad Request: BUTTON_DATA_INVALID',
  );
});

test('a second getUpdates ends the first', async (t) => {
  const { telegram, api } = await start(t);
  const first = refused(
    api.getUpdates({ timeout: 30 }),
    409,
    'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running',
  );
  await eventually(() => telegram.requests('getUpdates').length === 1);
  assert.deepEqual(await api.getUpdates({ timeout: 0 }), []);
  await first;
});

test('failNext(): an error, a lost request, a lost answer, a late answer', async (t) => {
  const { telegram, api, clock } = await start(t);
  telegram.failNext({ how: 'answer', status: 500 }, { times: 2 });
  await refused(api.sendMessage(PERSON.id, '1'), 500, 'Internal Server Error');
  await refused(api.sendMessage(PERSON.id, '1'), 500, 'Internal Server Error');
  telegram.failNext({ how: 'answer', status: 429, retryAfterSeconds: 17 });
  const { retry_after: seconds } = await refused(
    api.sendMessage(PERSON.id, '1'),
    429,
    'Too Many Requests: retry after 17',
  );
  assert.equal(seconds, 17);
  telegram.failNext({ how: 'answer', status: 502, body: '<html>Bad Gateway</html>' });
  await assert.rejects(api.sendMessage(PERSON.id, '1'), HttpError);

  telegram.failNext({ how: 'drop' });
  await assert.rejects(api.sendMessage(PERSON.id, 'lost'), HttpError);
  assert.equal(telegram.messages().length, 0);
  telegram.failNext({ how: 'accept_and_drop' });
  await assert.rejects(api.sendMessage(PERSON.id, 'arrived'), HttpError);
  assert.equal(telegram.messages()[0]?.text, 'arrived');
  assert.equal(telegram.requests().at(-1)?.status, undefined);

  clock.ms += 1000;
  telegram.failNext({ how: 'delay', delayMs: 20 });
  assert.equal((await api.sendMessage(PERSON.id, 'late')).text, 'late');
});

test('parameters may come in the query and urlencoded; what is no method is not found', async (t) => {
  const { telegram, clock } = await start(t);
  const root = `${telegram.url}/bot${telegram.token}`;
  const byQuery = await fetch(`${root}/SENDMESSAGE?chat_id=7&text=hi`);
  assert.equal(byQuery.status, 200);
  clock.ms += 1000;
  const body = new URLSearchParams({ chat_id: '@nobody', text: 'hi' });
  const byForm = await fetch(`${root}/sendMessage`, { method: 'POST', body });
  assert.deepEqual(await byForm.json(), {
    ok: false,
    error_code: 400,
    description: 'Bad Request: chat not found',
  });
  assert.equal((await fetch(`${root}/sendSmoke`)).status, 404);
  const lone = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"chat_id":7,"text":"\\ud800"}',
  };
  assert.match(await (await fetch(`${root}/sendMessage`, lone)).text(), /must be encoded in UTF-8/);
  assert.equal((await fetch(`${root}/sendMessage`, { ...lone, body: '{' })).status, 400);
});

test('stop() ends even waiting polls, start() takes calls on the same port with all messages', async (t) => {
  const { telegram, api } = await start(t);
  await api.sendMessage(PERSON.id, 'x');
  const polled = assert.rejects(api.getUpdates({ timeout: 30 }));
  await eventually(() => telegram.requests('getUpdates').length === 1);
  await telegram.stop();
  await polled;
  await assert.rejects(api.getMe(), HttpError);
  await telegram.start();
  assert.equal((await api.getMe()).is_bot, true);
  assert.equal(telegram.messages().length, 1);
});
