/**
 * Goal: an operator sees on the PC itself whether the agent runs and what it did, and nobody else does. Method: the real agent
 * on recorded events, asked by the real command and over HTTP.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, get, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { stringify } from 'yaml';
import { SINK_KEY, startChunkSink } from '../../../tests/support/chunk-sink.ts';
import { eventually } from '../../../tests/support/eventually.ts';
import { freePort } from '../../../tests/support/free-port.ts';
import { type Program, runProgram, startProgram } from '../../../tests/support/processes.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import type { StatsInput } from '../stats/agent-stats.ts';
import { httpConfigSchema } from '../stats/http-config.ts';
import { startStatsEndpoint } from '../stats/stats-endpoint.ts';

const AGENT = 'agent/src/main.ts';

interface Running {
  readonly data: string;
  readonly file: string;
  readonly agent: Program;
}

/** An agent that reads events from its standard input, which stays open. */
async function startAgent(t: TestContext, http: object, url?: string): Promise<Running> {
  const data = temporaryFolder(t);
  const sink = await startChunkSink();
  t.after(() => sink.stop());
  const file = join(data, 'launchbeat.yml');
  const config = {
    name: 'PC-042',
    capture: { source: 'replay', files: ['-'] },
    select: 'all',
    output: { collector: { url: url ?? sink.url, api_key: SINK_KEY } },
    http,
    path: { data, logs: join(data, 'logs') },
  };
  writeFileSync(file, stringify(config));
  const agent = startProgram(process.execPath, [AGENT, 'run', '-e', '-c', file], { t });
  await agent.waitForLine(/launchbeat .* starts/);
  return { data, file, agent };
}

const status = async (file: string, ...args: string[]) =>
  runProgram(process.execPath, [AGENT, 'status', ...args, '-c', file]);

async function ask(port: number, path: string, options: object = {}) {
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const asked = get({ host: '127.0.0.1', port, path, ...options }, (answer) => {
      text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, body }), reject);
    });
    asked.on('error', reject);
  });
}

test('status asks the running agent for what it read and shipped, and says when it has ended', async (t) => {
  const port = await freePort();
  const { data, file, agent } = await startAgent(t, { enabled: true, port });
  const [fixture = ''] = globSync('ecs-schemas/fixtures/**/*.xml').sort();
  agent.stdin.write(readFileSync(fixture));
  agent.stdin.write('\n');
  await eventually(async () => {
    const { code, stdout } = await status(file);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^events +1 read, /m);
    assert.match(stdout, /^agent +runs$/m);
  });
  const root = JSON.parse((await ask(port, '/?pretty')).body);
  const { id } = JSON.parse(readFileSync(join(data, 'agent.json'), 'utf8'));
  assert.deepEqual([root.beat, root.name, root.uuid], ['launchbeat', 'PC-042', id]);
  const stats = JSON.parse((await ask(port, '/stats')).body);
  assert.equal(stats.libbeat.pipeline.events.total, 1);
  assert.equal(stats.launchbeat.capture.read, 1);
  assert.ok(stats.beat.memstats.rss > 1e6 && stats.beat.info.uptime.ms > 0);
  const [input] = JSON.parse((await ask(port, '/inputs/')).body);
  assert.deepEqual([input.input, input.received_events_total], ['replay', 1]);
  assert.equal(JSON.parse((await status(file, '--json')).stdout).stats.beat.info.name, 'PC-042');

  agent.stdin.end();
  await agent.exited;
  const after = await status(file);
  assert.equal(after.code, 1);
  assert.match(after.stdout, /^agent +does not run/m);
});

test('status says why nothing is shipped where no collector answers', async (t) => {
  const http = { enabled: true, port: await freePort() };
  const { file, agent } = await startAgent(t, http, `http://127.0.0.1:${await freePort()}`);
  const [fixture = ''] = globSync('ecs-schemas/fixtures/**/*.xml').sort();
  agent.stdin.write(`${readFileSync(fixture, 'utf8')}\n`);
  await eventually(async () => {
    const { stdout } = await status(file);
    assert.match(stdout, /^last answer +none: Nothing listens on that port/m);
  });
});

test('status says that the statistics are off, which they are unless the config says otherwise', async (t) => {
  const { file } = await startAgent(t, {});
  const { code, stdout } = await status(file);
  assert.equal(code, 0);
  assert.match(stdout, /^agent +runs$/m);
  assert.match(stdout, /^statistics +off: set http\.enabled: true/m);
});

test('status says that a running agent does not answer, or that another program does', async (t) => {
  const { file } = await startAgent(t, {});
  const port = await freePort();
  const nobody = await status(file, '-E', 'http.enabled=true', '-E', `http.port=${port}`);
  assert.equal(nobody.code, 1);
  assert.match(nobody.stdout, /does not answer \(.*ECONNREFUSED/);
  const other = createServer((_request, response) => response.end('hello'));
  await new Promise<void>((resolve) => other.listen(0, 'localhost', resolve));
  t.after(() => other.close());
  const taken = String((other.address() as AddressInfo).port);
  const somebody = await status(file, '-E', 'http.enabled=true', '-E', `http.port=${taken}`);
  assert.match(somebody.stdout, /is no launchbeat/);
});

const READ = (): StatsInput => ({
  info: {
    ...{ beat: 'launchbeat', hostname: 'pc', name: 'pc', uuid: 'id', version: '1.0.0' },
    ephemeral_id: 'e',
  },
  metrics: { 'upload.lines': 5, 'map.left_out.not_watched': 2, 'map.left_out.helper_process': 1 },
});

async function endpoint(t: TestContext, http: object, log: Log = SILENT_LOG) {
  const config = httpConfigSchema.parse({ enabled: true, port: 0, ...http });
  const started = await startStatsEndpoint({ config, source: 'replay', read: READ, log });
  t.after(() => started.close());
  return started;
}

test('the endpoint answers GET and HEAD of three paths, by address or own name only', async (t) => {
  const { port = 0 } = await endpoint(t, { host: '127.0.0.1' });
  const statusOf = async (path: string, options: object = {}) =>
    (await ask(port, path, options)).status;
  assert.equal(await statusOf('/stats'), 200);
  assert.equal(await statusOf('/stats', { method: 'HEAD' }), 200);
  assert.equal(await statusOf('/stats', { method: 'POST' }), 405);
  assert.equal(await statusOf('/config'), 404);
  assert.equal(await statusOf('/stats', { headers: { Host: 'evil.example' } }), 421);
  assert.equal(await statusOf('/stats', { headers: { Host: `localhost:${port}` } }), 200);
  const { libbeat } = JSON.parse((await ask(port, '/stats')).body);
  assert.equal(libbeat.pipeline.events.filtered, 3);
  assert.equal(libbeat.output.events.acked, 5);
});

test('the endpoint listens on a unix socket', { skip: process.platform === 'win32' }, async (t) => {
  const socketPath = join(temporaryFolder(t), 'stats.sock');
  await endpoint(t, { host: `unix://${socketPath}` });
  const body = await new Promise<string>((resolve, reject) => {
    request({ socketPath, path: '/' }, (answer) => {
      text(answer).then(resolve, reject);
    }).end();
  });
  assert.equal(JSON.parse(body).uuid, 'id');
});

test('a port that is taken is an error of the log and no end of the agent; an open address is a warning', async (t) => {
  const said: string[] = [];
  const log: Log = {
    ...SILENT_LOG,
    warn: (_fields, message) => void said.push(`warn ${message}`),
    error: (_fields, message) => void said.push(`error ${message}`),
  };
  const first = await endpoint(t, { host: '127.0.0.1' }, log);
  assert.deepEqual(said, []);
  const second = await endpoint(t, { host: '127.0.0.1', port: first.port ?? 0 }, log);
  assert.equal(second.port, undefined);
  assert.match(said.join(), /^error Statistics cannot be given.*http\.port/);
  await endpoint(t, { host: '0.0.0.0' }, log);
  assert.match(said.at(-1) ?? '', /^warn Statistics can be read from other computers/);
});
