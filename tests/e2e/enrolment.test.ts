/**
 * Goal: a PC enrols, ships and is seen, with nothing but a token. Method: both real programs over HTTPS, real PostgreSQL, the demo's
 * events from a bridge that is played.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';
import { eventually } from '../support/eventually.ts';
import { type Installation, installLaunchbeat } from '../support/launchbeat.ts';
import { testDatabase } from '../support/postgres.ts';
import { runProgram, startProgram } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const AGENT = fileURLToPath(new URL('../../agent/src/main.ts', import.meta.url));
const BRIDGE = fileURLToPath(new URL('../support/play-bridge.ts', import.meta.url));
const OFFICE = fileURLToPath(
  new URL('../../ecs-schemas/fixtures/demo-office.xml.ndlines', import.meta.url),
);

/** An installation whose agent has no key: launchbeat.yml names the keystore's. */
async function open(t: TestContext): Promise<Installation> {
  const { url } = await testDatabase(t);
  const installation = await installLaunchbeat({
    ...{ folder: temporaryFolder(t), postgresUrl: url, namespace: 'default' },
    agent: {
      select: 'all',
      check_in: { interval: '1s' },
      capture: {
        source: 'security-log',
        command: [process.execPath, BRIDGE, '--file', OFFICE, '--die-after', '40'],
        poll_interval: '100ms',
        restart: { backoff: { init: '100ms', max: '1s' } },
      },
    },
  });
  const file = join(installation.folder, 'launchbeat.yml');
  const config = parse(readFileSync(file, 'utf8'));
  config.output.collector.api_key = `\${LAUNCHBEAT_API_KEY}`;
  writeFileSync(file, stringify(config));
  return installation;
}

const flags = ({ folder }: Installation) => [
  ...['-c', join(folder, 'launchbeat.yml'), '--path.config', folder],
];

const enroll = (installation: Installation, ...args: string[]) =>
  runProgram(process.execPath, [
    ...[AGENT, 'enroll', '--url', installation.url, ...args, ...flags(installation)],
  ]);

async function addToken(installation: Installation, ...args: string[]): Promise<string> {
  const added = await installation.collector('tokens', 'add', 'office', ...args);
  assert.equal(added.code, 0, added.stderr);
  return added.stdout.trim();
}

test('an agent that was installed with a token spools, enrols when the collector is there, ships, and needs no token again', async (t) => {
  const installation = await open(t);
  const file = join(installation.folder, 'launchbeat.yml');
  const config = parse(readFileSync(file, 'utf8'));
  config.output.collector.api_key = `\${LAUNCHBEAT_API_KEY:}`;
  config.output.collector.enrollment_token = `\${LAUNCHBEAT_ENROLLMENT_TOKEN:}`;
  config.output.collector.backoff = { init: '100ms', max: '300ms' };
  writeFileSync(file, stringify(config));
  const neither = await runProgram(process.execPath, [AGENT, 'run', ...flags(installation)]);
  assert.equal(neither.code, 78);
  assert.match(
    neither.stderr,
    /api_key: Expected a key in the form id:secret: `launchbeat enroll`/,
  );

  // The tables must be there for a token; the collector itself is not.
  const first = await installation.startCollector();
  const token = await addToken(installation, '--forwarder');
  await first.stop();
  const agent = startProgram(process.execPath, [AGENT, 'run', '-e', ...flags(installation)], {
    env: { LAUNCHBEAT_ENROLLMENT_TOKEN: token },
    t,
  });
  await agent.waitForLine(/gave no key, it did not answer/);
  const collector = await installation.startCollector();
  t.after(() => collector.stop());
  await agent.waitForLine(/Enrolled; the key is in .*launchbeat\.keystore/);
  await eventually(
    async () => {
      const { stdout } = await installation.collector('agents', 'ls');
      return (
        /PC-OF-THE-TEST/.test(stdout) && (installation.agentCounters()['upload.accepted'] ?? 0) > 0
      );
    },
    { timeoutMs: 30_000 },
  );
  await agent.stop();
  assert.ok(!agent.stderr().includes(token.split(':')[1] ?? ''));

  await installation.collector('tokens', 'revoke', token.split(':')[0] ?? '');
  const output = await runProgram(process.execPath, [
    ...[AGENT, 'test', 'output', ...flags(installation)],
  ]);
  assert.equal(output.code, 0, output.stdout);
  assert.match(output.stdout, /key, GET \/v1\/whoami\.\.\. OK/);
});

test('a PC enrols with a token, ships, checks in, and is shown with its facts', async (t) => {
  const installation = await open(t);
  const collector = await installation.startCollector();
  t.after(() => collector.stop());
  const token = await addToken(installation, '--tag', 'office', '--forwarder');

  const enrolled = await enroll(installation, '--token', token);
  assert.equal(enrolled.code, 0, enrolled.stderr);
  const agentId = /Agent ([0-9a-f-]{36}) is enrolled/.exec(enrolled.stdout)?.[1] ?? '';
  assert.match(enrolled.stdout, /api_key: \$\{LAUNCHBEAT_API_KEY\}/);

  const agent = startProgram(process.execPath, [AGENT, 'run', '-e', ...flags(installation)], {});
  t.after(() => agent.stop());
  const shown = await eventually(
    async () => {
      const { stdout } = await installation.collector('agents', 'show', agentId);
      assert.match(stdout, /^state: +healthy$/m);
      assert.match(stdout, /\trestart\t/, 'the bridge died once');
      return stdout;
    },
    { timeoutMs: 60_000, intervalMs: 200 },
  );
  assert.match(shown, /^name: +PC-OF-THE-TEST$/m);
  assert.match(shown, /^tags: +office$/m);
  assert.match(shown, /^source: +security-log$/m);
  assert.match(shown, /^audited: +process starts: .*, command lines: /m);
  assert.match(shown, /^log: +\? of \? MiB, \d+ records not read yet$/m);

  const status = await installation.collector('agents', 'status');
  assert.match(status.stdout, new RegExp(`^${agentId}\\thealthy\\t`, 'm'));
  const metrics = await installation.get('/metrics');
  assert.match(metrics.text, /launchbeat_collector_enrolments_total 1\n/);
  assert.match(metrics.text, /launchbeat_collector_agent_facts_total\{kind="restart"\} [1-9]/);

  assert.equal((await installation.collector('agents', 'revoke', agentId)).code, 0);
  await agent.waitForLine(/"log\.level":"warn".*take check-ins \(401/);
  assert.equal((await agent.stop()).code, 0);
  const revoked = await installation.collector('agents', 'show', agentId);
  assert.match(revoked.stdout, /^state: +revoked$/m);
  const secret = token.split(':')[1] ?? '';
  assert.ok(!(agent.stderr() + enrolled.stdout + enrolled.stderr).includes(secret));
});

test('enroll says why it gets no key, and keeps the one that is there', async (t) => {
  const installation = await open(t);
  const token = await addToken(installation);
  const away = await enroll(installation, '--token', token);
  assert.equal(away.code, 1);
  assert.match(away.stderr, /gave no answer: .*may be used again/);

  const collector = await installation.startCollector();
  t.after(() => collector.stop());
  const wrong = await enroll(installation, '--token', 'enroll-nobody:nothing');
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /gave no key \(401\): Enrolment token is unknown or wrong/);
  const malformed = await enroll(installation, '--token', 'nonsense');
  assert.match(malformed.stderr, /Token is none/);

  assert.equal((await enroll(installation, '--token', token)).code, 0);
  const again = await enroll(installation, '--token', token);
  assert.match(again.stderr, /has LAUNCHBEAT_API_KEY already\. --force replaces it/);
  const probe = await runProgram(process.execPath, [
    ...[AGENT, 'test', 'output', ...flags(installation)],
  ]);
  assert.equal(probe.code, 0, probe.stdout);
  const other = await addToken(installation);
  const known = await enroll(installation, '--token', other, '--force');
  assert.match(known.stderr, /\(409\): Agent .* has a key already.*--known-agents/);
});

test('tokens are listed with their state, revoked, and stand in the audit log without secrets', async (t) => {
  const installation = await open(t);
  const token = await addToken(installation, '--uses', '5', '--expires', '24h');
  const [id = '', secret = ''] = token.split(':');
  const list = async () => (await installation.collector('tokens', 'ls')).stdout;
  assert.match(await list(), new RegExp(`^${id}\\tvalid\\t0/5\\t\\d{4}-.*\\t-\\toffice$`, 'm'));
  assert.equal((await installation.collector('tokens', 'revoke', id)).code, 0);
  assert.match(await list(), new RegExp(`^${id}\\trevoked\\t`, 'm'));
  const unknown = await installation.collector('tokens', 'revoke', 'enroll-none');
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /No token has the id enroll-none; see tokens ls/);

  const audit = await installation.collector('audit', id);
  assert.match(audit.stdout, /\tcli:[^\t]+@[^\t]+\ttoken\.revoke\t.*\n.*\ttoken\.add\t/);
  assert.ok(!audit.stdout.includes(secret));
  for (const [args, mend] of [
    [['tokens', 'add', '--uses', 'many'], /--uses many: expected a number/],
    [['tokens', 'add', '--expires', 'soon'], /--expires soon: Expected a duration/],
    [['agents', 'show', 'PC-042'], /PC-042 is no id of an agent/],
    [['agents', 'show', '00000000-0000-4000-8000-000000000009'], /No agent has the id/],
    [['agents', 'revoke', 'nobody'], /No key has the id nobody/],
    [['audit', '--last', '0'], /--last 0: expected a number/],
  ] as const) {
    const end = await installation.collector(...args);
    assert.equal(end.code, 1, args.join(' '));
    assert.match(end.stderr, mend);
  }
});
