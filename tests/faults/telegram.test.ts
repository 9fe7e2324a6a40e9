/** Faults of Telegram: every way in which it says no, says nothing, or has the message and says nothing. */
import assert from 'node:assert/strict';
import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { scenario } from './fault-site.ts';

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
    for (let kill = 0; kill < 2; kill += 1) {
      await wait(site.random.between(600, 1500));
      await site.collector.stop('SIGKILL');
      site.injected();
      site.collector = await site.startCollector();
    }
  },
  { repeatedMax: 2 },
);
