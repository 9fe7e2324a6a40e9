/**
 * Two collectors on one PostgreSQL, each killed in turn under load: the agent goes on to the other one, the index is shared by leases, and
 * who sends messages is replaced.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type Program, startProgram } from '../support/processes.ts';
import { type Site, scenario } from './fault-site.ts';
import { giveEvents } from './given-events.ts';
import { halfChunks } from './half-chunks.ts';

const COLLECTOR = fileURLToPath(new URL('../../collector/src/main.ts', import.meta.url));
const ROUNDS = 2;

/** A second collector of the same config at another port. */
function startSecond(site: Site, port: number): Program {
  const { folder } = site.installation;
  const args = ['run', '-e', '-c', join(folder, 'collector.yml'), '--path.config', folder];
  return startProgram(process.execPath, [COLLECTOR, ...args, '-E', `http.port=${port}`], {
    t: site.t,
  });
}

scenario(
  37,
  'two collectors on one PostgreSQL, each killed in turn',
  async (site) => {
    const port = await freePort();
    let second = startSecond(site, port);
    await second.waitForLine(/Listening/);
    await site.agent.stop();
    const urls = [site.wire.port, port].map((one) => `https://localhost:${one}`).join(',');
    site.agent = site.installation.startAgent('-E', `output.collector.url=${urls}`);
    for (let round = 0; round < ROUNDS; round += 1) {
      await wait(site.random.between(500, 1500));
      await site.collector.stop('SIGKILL');
      site.injected();
      await wait(site.random.between(500, 1500));
      site.collector = await site.startCollector();
      await wait(site.random.between(200, 800));
      await second.stop('SIGKILL');
      site.injected();
      await wait(site.random.between(500, 1500));
      second = startSecond(site, port);
      await second.waitForLine(/Listening/);
    }
    await eventually(async () => assert.deepEqual(await halfChunks(site.stores.postgresUrl), []));
  },
  // An answer of Telegram that a kill took is a message that comes twice: at least once.
  { given: giveEvents({ count: 800 }), seconds: 12, repeatedMax: 2 * ROUNDS },
);
