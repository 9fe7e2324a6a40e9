/** Faults of the PC: the agent killed, its files torn, flipped or gone, its reader dying, hanging or finding a gap. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { type Site, scenario } from './fault-site.ts';
import { giveEvents } from './given-events.ts';
import { newestSegment, quarantined, spoolLines } from './spool-files.ts';

const WRONG_CLOCK = new URL('wrong-clock.ts', import.meta.url).href;

async function killAgent(site: Site): Promise<void> {
  await site.agent.stop('SIGKILL');
  site.injected();
}

scenario(
  1,
  'agent is killed again and again',
  async (site) => {
    for (let kill = 0; kill < 5; kill += 1) {
      await wait(site.random.between(200, 900));
      await killAgent(site);
      site.agent = site.startAgent();
    }
  },
  { short: true },
);

scenario(
  8,
  'last line of the spool is torn',
  async (site) => {
    await site.reached(20);
    await killAgent(site);
    appendFileSync(
      newestSegment(site.installation.spool),
      '{"log.level":"information","@timestamp":"2026-11-23T06',
    );
    site.agent = site.startAgent();
    await site.agent.waitForLine(/Torn last line was cut/);
  },
  { short: true },
);

scenario(10, 'end of the spool is filled with zeros', async (site) => {
  await site.reached(20);
  await killAgent(site);
  appendFileSync(
    newestSegment(site.installation.spool),
    Buffer.alloc(site.random.between(1, 9000)),
  );
  site.agent = site.startAgent();
  await site.agent.waitForLine(/Torn last line was cut/);
});

scenario(
  9,
  'a byte in the middle of the spool is flipped',
  async (site) => {
    site.wire.cut();
    await eventually(() => assert.ok(spoolLines(site.installation.spool) >= 60));
    await killAgent(site);
    const segment = newestSegment(site.installation.spool);
    const bytes = readFileSync(segment);
    const at = bytes.indexOf('--given=m0000u');
    assert.ok(at > 0);
    // The quote that ends the line before its value: what follows is no JSON.
    bytes[bytes.lastIndexOf('{"log.level"', at)] = 0x5b;
    writeFileSync(segment, bytes);
    site.wire.resume();
    site.agent = site.startAgent();
    await eventually(() => assert.match(quarantined(site.installation.spool), /m0000u/));
    await site.agent.waitForLine(/"log\.level":"error"/);
  },
  { mayLose: (given) => given.filter((one) => one.mark === 'm0000u').map((one) => one.mark) },
);

/** Marks of the events in the file that was deleted. */
const gone = new Set<string>();

scenario(
  11,
  'a file of the spool is deleted before it was shipped',
  async (site) => {
    site.wire.cut();
    await eventually(() => assert.ok(spoolLines(site.installation.spool) >= 60));
    await killAgent(site);
    const segment = newestSegment(site.installation.spool);
    for (const [mark] of readFileSync(segment, 'utf8').matchAll(
      /(?<=command_line":"[^\n]{0,90}--given=)m\w{5}/g,
    )) {
      gone.add(mark);
    }
    rmSync(segment);
    site.wire.resume();
    site.agent = site.startAgent();
    await site.agent.waitForLine(/"log\.level":"error"/);
  },
  { mayLose: () => [...gone], seconds: 2 },
);

/** The day of every hundred events: the clock jumps back a day, then two forward, then is right again. */
const DAYS = ['23', '22', '24', '23'];

scenario(
  18,
  'the clock of the events jumps a day back and a day forward; the agent is ten minutes fast',
  async (site) => {
    await site.agent.waitForLine(/clock is (59\d|60\d) s ahead of the collector's/);
    site.injected();
    await site.reached(site.given.length);
    for (const _jump of DAYS.slice(1)) site.injected();
  },
  {
    given: giveEvents({ count: 400 }).map((one, index) => ({
      ...one,
      xml: one.xml.replace(
        "SystemTime='2026-11-23",
        `SystemTime='2026-11-${DAYS[Math.floor(index / 100)]}`,
      ),
    })),
    agentCommand: () => [process.execPath, '--import', WRONG_CLOCK],
  },
);

scenario(
  20,
  'the log rolled over faster than it was read',
  async (site) => {
    const line = await site.agent.waitForLine(/Events are lost: .*5100 to 5101/);
    assert.match(line, /"log\.level":"error"/);
    site.injected();
  },
  { bridge: ['--gap', '5100-5101'] },
);

scenario(
  22,
  'the reader hangs',
  async (site) => {
    await site.agent.waitForLine(/said nothing for 1\.5 s/);
    site.injected();
  },
  {
    bridge: ['--hang-after', '90'],
    seconds: 0,
    capture: { heartbeat_timeout: '1500ms' },
  },
);

scenario(
  22,
  'the reader prints garbage between the events',
  async (site) => {
    await site.agent.waitForLine(/The reader ended and is started again/);
    site.injected();
  },
  { bridge: ['--garbage-after', '90'], seconds: 0 },
);

scenario(
  22,
  'the reader dies in the middle of a line',
  async (site) => {
    await site.agent.waitForLine(/The reader ended and is started again/);
    site.injected();
  },
  { bridge: ['--die-after', '90'], seconds: 0 },
);

scenario(
  23,
  'command lines are as long as Windows allows',
  async (site) => {
    await site.reached(10);
    site.injected();
  },
  {
    given: giveEvents({ count: 60, payload: (index) => ` ${'"<&>\\ы'.repeat(900 + index)}` }),
  },
);

scenario(
  24,
  'command lines hold what hurts',
  async (site) => {
    await site.reached(10);
    site.injected();
  },
  {
    given: giveEvents({
      count: 80,
      payload: (index) =>
        [
          ' \u202egnp.exe',
          ' {{user}} <b>x',
          " '; drop table events; --",
          ' %s %n \\u0000 \\',
          ' 👩‍👩‍👧 日本 ё',
          ' __proto__ constructor',
        ][index % 6] ?? '',
    }),
  },
);
