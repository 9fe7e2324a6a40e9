/** Faults of the network between agent and collector, and of the collector: cut, half-open, slow, killed, a key revoked. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { scenario } from './fault-site.ts';

scenario(
  3,
  'collector is killed again and again',
  async (site) => {
    for (let kill = 0; kill < 3; kill += 1) {
      await wait(site.random.between(300, 1200));
      await site.collector.stop('SIGKILL');
      site.injected();
      site.collector = await site.startCollector();
    }
  },
  {
    short: true,
    // A message whose answer a kill took is sent again: at least once.
    repeatedMax: 3,
  },
);

scenario(
  15,
  'receipts are lost: the same chunks come again',
  async (site) => {
    for (let cut = 0; cut < 6; cut += 1) {
      site.wire.cutAfter(site.random.between(1, 400), 'answer');
      site.injected();
      await wait(400);
    }
  },
  { seconds: 3, short: true },
);

scenario(
  17,
  'requests break off in the middle',
  async (site) => {
    for (let cut = 0; cut < 6; cut += 1) {
      site.wire.cutAfter(site.random.between(1, 6000), 'request');
      site.injected();
      await wait(400);
    }
  },
  { seconds: 3 },
);

scenario(
  13,
  'collector is away for the whole time, then everything comes at once',
  async (site) => {
    site.wire.cut();
    site.injected();
    await wait(5000);
    site.wire.resume();
  },
);

scenario(14, 'the way is slow and stalls', async (site) => {
  site.wire.setDelay(150);
  await wait(2000);
  site.wire.pause();
  site.injected();
  await wait(2000);
  site.wire.resume();
  site.wire.setDelay(0);
});

scenario(32, 'the key is revoked, and another one put into the config', async (site) => {
  await site.reached(30);
  const { installation } = site;
  const id = installation.apiKey.split(':')[0] ?? '';
  // The wire is cut meanwhile: something is left to ship when the key has gone.
  site.wire.cut();
  assert.equal((await installation.collector('agents', 'revoke', id)).code, 0);
  site.wire.resume();
  site.injected();
  await site.agent.waitForLine(/"log\.level":"error".*401/);
  const added = await installation.collector('agents', 'add', 'the same PC');
  await site.agent.stop();
  const file = join(installation.folder, 'launchbeat.yml');
  writeFileSync(file, readFileSync(file, 'utf8').replace(installation.apiKey, added.stdout.trim()));
  site.agent = site.startAgent();
});

scenario(34, 'hundreds of connections that say nothing', async (site) => {
  const idle = Array.from({ length: 300 }, () => connect(site.installation.port, '127.0.0.1'));
  for (const socket of idle) socket.on('error', () => undefined);
  site.injected();
  await wait(2000);
  for (const socket of idle) socket.destroy();
});
