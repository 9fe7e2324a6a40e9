/** Faults of the network between agent and collector, and of the collector: cut, half-open, slow, killed, a key revoked. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { connect as secureConnect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { makeAgents } from '../../bench/collector/installation.ts';
import type { FleetResult, FleetTask } from '../../bench/fleet/simulate-agents.ts';
import { usageWhereKnown } from '../../bench/process-usage.ts';
import { eventually } from '../support/eventually.ts';
import { startProgram } from '../support/processes.ts';
import { scenario } from './fault-site.ts';
import { giveEvents, timeOfGiven } from './given-events.ts';
import { segments, spoolLines } from './spool-files.ts';
import type { Window } from './verdict.ts';

const FLEET_PROGRAM = fileURLToPath(
  new URL('../../bench/fleet/simulate-agents.ts', import.meta.url),
);
/** The simulated fleet's events are of another time. */
const GIVEN_ONLY: Window = {
  fromMs: timeOfGiven(0),
  toMs: timeOfGiven(86_400),
  messagesBefore: 0,
};

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

const FLEET = 100;
const BACKLOG = 100;

scenario(
  13,
  `${FLEET} agents with a backlog each come back in one moment, the real one among them`,
  async (site) => {
    const { installation, stores } = site;
    site.wire.cut();
    site.injected();
    const task: FleetTask = {
      ...{ url: installation.url, caFile: installation.caFile, namespace: stores.namespace },
      ...{ agents: await makeAgents(stores.postgresUrl, FLEET), calm: [], seconds: 0 },
      ...{ backlog: BACKLOG, chunkBytes: 64 * 1024 },
    };
    const fleet = startProgram(process.execPath, [FLEET_PROGRAM], {
      t: site.t,
      env: { FLEET_TASK: JSON.stringify(task) },
    });
    await fleet.waitForLine(/^ready/, { timeoutMs: 60_000 });
    site.wire.resume();
    fleet.stdin.write('go\n');
    const { answers } = JSON.parse(
      await fleet.waitForLine(/^\{"answers/, { timeoutMs: 120_000 }),
    ) as FleetResult;
    const strange = Object.keys(answers).filter((one) => !['200', '429', '503'].includes(one));
    assert.deepEqual(strange, [], JSON.stringify(answers));
    const all = site.given.length + FLEET * BACKLOG;
    await site.reached(all);
    assert.equal(await site.rows(), all, 'nothing of the fleet is there twice');
  },
  { window: GIVEN_ONLY, alerts: { rules: [{ id: 'launches', hosts: ['PC-FAULTS'] }] } },
);

/** Lines long enough that a few hundred fill several files. */
const LONG = giveEvents({ count: 400, payload: () => ` ${'x'.repeat(4000)}` });

scenario(
  17,
  'copies of the spool are shipped out of order, and side by side with the agent',
  async (site) => {
    const { installation } = site;
    site.wire.cut();
    const own = join(installation.folder, 'launchbeat.yml');
    await eventually(() => spoolLines(installation.spool) >= site.given.length, {
      timeoutMs: 60_000,
    });
    // The last batch may have filled its file, and the next one is empty.
    const files = segments(installation.spool)
      .filter((file) => statSync(file).size > 0)
      .sort();
    assert.ok(files.length >= 3, `${files.length} files are too few to mix`);
    const copy = (name: string, which: readonly string[]): string => {
      const folder = join(site.folder, name);
      mkdirSync(folder);
      for (const file of which) cpSync(file, join(folder, basename(file)));
      return folder;
    };
    const ship = async (folder: string): Promise<void> => {
      const { code, stdout, stderr } = await installation.agent(own, 'ship', folder);
      assert.equal(code, 0, stdout + stderr);
      site.injected();
    };
    // The newest file first, then everything from three sides at once.
    await ship(copy('newest', files.slice(-1)));
    site.wire.resume();
    await Promise.all([ship(copy('one', files)), ship(copy('other', files))]);
  },
  { given: LONG, seconds: 0, agent: { spool: { segment_bytes: '1MiB' } } },
);

/** Much to read and to keep in mind, and little of it can be pressed together. */
const BULKY = (index: number): string =>
  ` ${createHash('sha512').update(String(index)).digest('base64')} ${'a long argument '.repeat(200)}`;
const RATE = 10_000;
/** A chunk, its compressed form and what the runtime needs for both; a backlog of 10 MB would not go unseen. */
const GROWTH_MIB_MAX = 60;

scenario(
  14,
  'the way takes 10 kB/s, and stalls: memory of the agent does not grow',
  async (site) => {
    await site.reached(1);
    const before = usageWhereKnown(site.agent.pid)?.rssMiB ?? 0;
    site.wire.setRate(RATE);
    site.injected();
    await site.reached(400);
    site.wire.pause();
    site.injected();
    await wait(2000);
    site.wire.resume();
    await site.reached(site.given.length);
    const grown = (usageWhereKnown(site.agent.pid)?.peakRssMiB ?? 0) - before;
    assert.ok(grown < GROWTH_MIB_MAX, `the agent grew by ${grown} MiB`);
    site.wire.setRate(Infinity);
  },
  { given: giveEvents({ count: 1200, payload: BULKY }), seconds: 1 },
);

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

/** From addresses of their own, so that the agent's address is not theirs; only Linux has them all at once. */
const ATTACKERS = process.platform === 'linux' ? ['127.0.0.2', '127.0.0.3'] : [];
const SILENT = 2200;
const HALF = 300;
/** The begin of a TLS handshake record that says it is longer. */
const HALF_HELLO = Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03]);

scenario(
  34,
  'thousands of connections that say nothing, stop in their handshake or in their headers',
  async (site) => {
    const { port, caFile } = site.installation;
    const sockets: Socket[] = [];
    const open = (count: number, localAddress: string, say: (socket: Socket) => void): void => {
      for (let one = 0; one < count; one += 1) {
        const socket = connect({ port, host: '127.0.0.1', localAddress });
        socket.on('error', () => undefined);
        say(socket);
        sockets.push(socket);
      }
    };
    const [one = '127.0.0.1', other = '127.0.0.1'] = ATTACKERS;
    open(ATTACKERS.length > 0 ? SILENT : HALF, one, () => undefined);
    open(HALF, other, (socket) => socket.write(HALF_HELLO));
    open(HALF, other, (socket) => {
      const secure = secureConnect({ socket, servername: 'localhost', ca: readFileSync(caFile) });
      secure.on('error', () => undefined);
      secure.write('POST /v1/chunks HTTP/1.1\r\nHost: localhost\r\nX-Half: ');
    });
    site.injected();
    if (ATTACKERS.length > 0)
      await site.collector.waitForLine(/Address has 2000 connections .* more are closed/);
    assert.equal((await site.installation.get('/healthz')).status, 200);
    // Others are served while all of them are there.
    await site.reached(site.given.length);
    for (const socket of sockets) socket.destroy();
  },
);
