/** Faults of Telegram: every way in which it says no, says nothing, or has the message and says nothing. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { scenario } from './fault-site.ts';
import { CHAT } from './open-site.ts';

scenario(31, 'Telegram throttles, fails, and closes the door', async ({ telegram, injected }) => {
  const failures = [
    {
      how: 'answer',
      status: 429,
      description: 'Too Many Requests: retry after 1',
      retryAfterSeconds: 1,
    },
    { how: 'answer', status: 500, description: 'Internal Server Error' },
    { how: 'answer', status: 502, body: '<html>Bad Gateway</html>' },
    { how: 'drop' },
    { how: 'delay', delayMs: 700 },
  ] as const;
  for (const failure of failures) {
    telegram.failNext(failure, { times: 2 });
    injected();
  }
  await wait(2000);
  await telegram.stop();
  injected();
  await wait(2000);
  await telegram.start();
});

const TO_THE_GROUP = { id: 'launches', chats: ['faults'] };
const GROUP = -5001;
const SUPERGROUP = -1_000_000_005_001;

scenario(
  31,
  'the group becomes a supergroup, which throws the bot out: its new id is learnt, then another chat hears',
  async ({ telegram, injected }) => {
    const heardIn = (chatId: number) => () =>
      telegram.messages().some((message) => message.chatId === chatId);
    await eventually(heardIn(GROUP), { timeoutMs: 60_000 });
    telegram.addChat({ id: SUPERGROUP, type: 'supergroup' });
    telegram.addChat({ id: GROUP, type: 'group', migratedTo: SUPERGROUP });
    injected();
    await eventually(heardIn(SUPERGROUP), { timeoutMs: 60_000 });
    telegram.addChat({ id: SUPERGROUP, type: 'supergroup', blocked: true });
    injected();
    await eventually(heardIn(CHAT), { timeoutMs: 60_000 });
  },
  {
    seconds: 12,
    chats: [{ id: GROUP, type: 'group' }],
    alerts: { chats: { faults: GROUP, spare: CHAT }, fallback: 'spare', rules: [TO_THE_GROUP] },
    // What is said of the chat that takes no messages is no alert.
    repeatedMax: 2,
  },
);

scenario(
  31,
  'Telegram has the message and the answer is lost',
  async ({ telegram, injected }) => {
    telegram.failNext({ how: 'accept_and_drop' }, { times: 2 });
    injected();
    await eventually(() => assert.ok(telegram.messages().length > 0), { timeoutMs: 30_000 });
  },
  // What was taken without an answer can only be sent again: at least once.
  { repeatedMax: 2 },
);

scenario(
  31,
  'the collector is killed while messages go out',
  async (site) => {
    const { telegram } = site;
    for (let kill = 0; kill < 3; kill += 1) {
      // Telegram is deaf meanwhile: what is on its way when the collector dies has not been heard.
      telegram.failNext({ how: 'drop' }, { times: 4 });
      const before = telegram.requests('sendMessage').length;
      await eventually(() => telegram.requests('sendMessage').length >= before + 2, {
        timeoutMs: 30_000,
      });
      await site.collector.stop('SIGKILL');
      site.injected();
      site.collector = await site.startCollector();
      await eventually(() => telegram.messages().length > kill, { timeoutMs: 30_000 });
    }
  },
  { repeatedMax: 2, short: true },
);

scenario(
  31,
  'two collectors stand at one PostgreSQL, and the one that sends is killed',
  async (site) => {
    const second = await site.installation.startCollector('-E', `http.port=${await freePort()}`);
    site.t.after(() => second.stop('SIGKILL'));
    await second.waitForLine(/Listening/);
    // A slow Telegram: a row waits long enough for another collector to see it, were it to look.
    site.telegram.failNext({ how: 'delay', delayMs: 1200 }, { times: 12 });
    rmSync(join(site.folder, 'hold'));
    await eventually(() => site.telegram.messages().length >= 3, { timeoutMs: 60_000 });
    await site.collector.stop('SIGKILL');
    site.injected();
    site.collector = await site.startCollector();
    await site.reached(site.given.length);
  },
  {
    // The one that was on its way when its collector died.
    repeatedMax: 1,
    bridge: (folder) => {
      writeFileSync(join(folder, 'hold'), '');
      return ['--hold', join(folder, 'hold'), '--hold-after', '1'];
    },
  },
);
