/** Faults of who is who: computers cloned with their agent, an agent that speaks for another, certificates that are not to be trusted. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { initCertificates } from '../../collector/src/certificates/init-certificates.ts';
import { eventually } from '../support/eventually.ts';
import type { Program } from '../support/processes.ts';
import { expiredCertificate } from './expired-certificate.ts';
import { type Site, scenario } from './fault-site.ts';
import { type Given, giveEvents, writeRecording } from './given-events.ts';
import { captureOf } from './open-site.ts';
import { quarantined } from './spool-files.ts';

/** Long lines: with the smallest chunk each goes alone, so that two agents cut their chunks at the same places. */
const LONG = { payload: () => ` ${'x'.repeat(14_000)}` };
/** As long a name as the original's, so that their lines are as long too. */
const CLONE = 'PC-CLONES.office.example';

interface Clone {
  readonly file: string;
  readonly data: string;
  readonly spool: string;
  start(): Program;
}

/** Lays out a second agent beside the first one: its config with changes, its data folder as it is now where `withData`. */
function layOutClone(site: Site, events: readonly Given[], withData: boolean): Clone {
  const { folder } = site.installation;
  const data = join(folder, 'clone-data');
  if (withData) cpSync(join(folder, 'agent-data'), data, { recursive: true });
  const recording = join(site.folder, 'clone.xml');
  writeRecording(recording, events);
  const config = parse(readFileSync(join(folder, 'launchbeat.yml'), 'utf8'));
  config.capture = captureOf({ seconds: 0 }, recording);
  config.path = { data, logs: join(folder, 'clone-logs') };
  config.output.collector.url = `https://localhost:${site.wire.port}`;
  const file = join(folder, 'clone.yml');
  writeFileSync(file, stringify(config));
  const start = (): Program => {
    const program = site.installation.startOtherAgent(file);
    site.t.after(() => program.stop('SIGKILL'));
    return program;
  };
  return { file, data, spool: join(data, 'spool'), start };
}

/** Puts a key into the config of a clone. */
function giveKey(clone: Clone, key: string): void {
  const config = parse(readFileSync(clone.file, 'utf8'));
  config.output.collector.api_key = key;
  writeFileSync(clone.file, stringify(config));
}

const FIRST = giveEvents({ count: 40, ...LONG });
const CLONED = giveEvents({
  ...{ count: 20, first: 20, letter: 'c' as const, computer: CLONE, alerts: false },
  ...LONG,
});

scenario(
  16,
  'a cloned PC sends other events under the keys of the first one',
  async (site) => {
    const hold = join(site.folder, 'hold');
    await site.reached(20);
    await site.agent.stop();
    const clone = layOutClone(site, [...FIRST.slice(0, 20), ...CLONED], true);
    rmSync(hold);
    site.agent = site.startAgent();
    await site.reached(40);
    let agent = clone.start();
    const line = await agent.waitForLine(/Another agent has sent other events under this agent's/);
    assert.match(line, /"log\.level":"error"/);
    await site.collector.waitForLine(/"log\.level":"error".*Chunk has the key of another one/);
    await eventually(() => {
      const kept = quarantined(clone.spool);
      for (const { mark } of CLONED) assert.ok(kept.includes(mark), `${mark} is in quarantine`);
    });
    assert.equal(await site.rows(), 40, 'nothing of the clone is stored');
    site.injected();
    // The mend: what was refused goes out once more, under keys of its own.
    await agent.stop();
    const again = await site.installation.agent(clone.file, 'spool', 'resend', '--all');
    assert.equal(again.code, 0, again.stderr);
    agent = clone.start();
    await site.reached(60);
    await agent.stop();
  },
  {
    given: [...FIRST, ...CLONED],
    recorded: () => FIRST,
    seconds: 0,
    agent: { output: { collector: { chunk_bytes: '64KiB' } } },
    bridge: (folder) => {
      writeFileSync(join(folder, 'hold'), '');
      return ['--hold', join(folder, 'hold'), '--hold-after', '20'];
    },
  },
);

const OWN = giveEvents({ count: 100 });
const OTHERS = giveEvents({ count: 50, letter: 'c', computer: CLONE, alerts: false });

scenario(
  36,
  'a clone with the same agent id, and an agent that speaks for another',
  async (site) => {
    const { installation } = site;
    await site.reached(100);
    const { id } = JSON.parse(
      readFileSync(join(installation.folder, 'agent-data', 'agent.json'), 'utf8'),
    ) as { id: string };
    const bound = await installation.collector('agents', 'hosts', id, 'PC-FAULTS');
    assert.equal(bound.code, 0, bound.stderr);
    // The clone has key, id and position, and another name.
    await site.agent.stop();
    const clone = layOutClone(site, OTHERS, true);
    rmSync(join(clone.data, 'position.json'));
    rmSync(join(clone.data, 'position.json.old'), { force: true });
    rmSync(clone.spool, { recursive: true });
    let agent = clone.start();
    await agent.waitForLine(/"log\.level":"error".*403/);
    await site.collector.waitForLine(/Chunk with events of another computer came under this key/);
    site.injected();
    await agent.stop();
    // A key of its own, bound to its own id by hand, with the id of the other in its data folder.
    const added = await installation.collector('agents', 'add', 'the clone');
    giveKey(clone, added.stdout.trim());
    const identity = readFileSync(join(clone.data, 'agent.json'));
    rmSync(clone.data, { recursive: true });
    agent = clone.start();
    await site.reached(150);
    await agent.stop();
    for (const name of ['agent.json', 'agent.json.old']) {
      writeFileSync(join(clone.data, name), identity);
    }
    // It has read everything: a second look at the log gives it something to send.
    rmSync(join(clone.data, 'position.json'));
    rmSync(join(clone.data, 'position.json.old'), { force: true });
    rmSync(clone.spool, { recursive: true });
    agent = clone.start();
    await agent.waitForLine(/"log\.level":"error".*403/);
    await site.collector.waitForLine(/Chunk of another agent came under this key/);
    site.injected();
    await agent.stop();
    site.agent = site.startAgent();
    await eventually(
      async () => {
        const { stdout } = await installation.collector('agents', 'show', id);
        assert.match(stdout, /foreign_host/, 'the fact stands with the agent');
      },
      { timeoutMs: 30_000 },
    );
  },
  { given: [...OWN, ...OTHERS], recorded: () => OWN, seconds: 1 },
);

scenario(
  33,
  "the collector's certificate expires, comes from another authority, and is renewed",
  async (site) => {
    const { folder } = site.installation;
    const own = join(folder, 'certs');
    const before = ['server.crt', 'server.key'].map((name) => readFileSync(join(own, name)));
    let takenUp = 0;
    const put = async (certificate: string | Buffer, key: string | Buffer): Promise<void> => {
      // The agent has to make a new connection to see it.
      site.wire.cut();
      writeFileSync(join(own, 'server.key'), key);
      writeFileSync(join(own, 'server.crt'), certificate);
      site.collector.signal('SIGHUP');
      takenUp += 1;
      const seen = (): number =>
        site.collector.stderr().match(/Took up the renewed certificate/g)?.length ?? 0;
      await eventually(() => seen() >= takenUp, { timeoutMs: 30_000 });
      site.wire.resume();
    };
    await site.reached(20);
    const expired = await expiredCertificate(own, 'localhost');
    await put(expired.certificate, expired.key);
    site.injected();
    const rows = await site.rows();
    await site.agent.waitForLine(/certificate has expired: renew it/);
    const wrong = join(site.folder, 'wrong-ca');
    await initCertificates({ folder: wrong, hosts: ['localhost'] });
    await put(readFileSync(join(wrong, 'server.crt')), readFileSync(join(wrong, 'server.key')));
    site.injected();
    await eventually(() =>
      assert.match(
        site.agent.stderr() + site.agent.stdout(),
        /authority that is not trusted|fingerprint/,
      ),
    );
    assert.equal(await site.rows(), rows, 'nothing goes to a collector that cannot be trusted');
    await put(before[0] ?? '', before[1] ?? '');
  },
  { seconds: 2 },
);
