/**
 * Goal: what the agent finds out about the log of its PC reaches who runs it: the collector with the next check-in, doctor and status on
 * the PC itself. Method: the real agent on recorded outputs of the bridge, with a server that keeps its check-ins.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { type CheckIn, checkInSchema, type HealthFact } from '@launchbeat/ecs-schemas';
import { stringify } from 'yaml';
import { eventually } from '../../../tests/support/eventually.ts';
import { runProgram, startProgram } from '../../../tests/support/processes.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';

const AGENT = 'agent/src/main.ts';

/** A collector that takes check-ins alone; chunks wait. */
async function startCollector(t: TestContext) {
  const checkIns: CheckIn[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<unknown> => {
    if (request.url !== '/v1/checkin') return response.writeHead(503).end();
    checkIns.push(checkInSchema.parse(await json(request)));
    const good = { server_time: 'now', clock_skew_ms: 0, state: 'healthy', reasons: [] };
    return response.end(JSON.stringify(good));
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const facts = (): HealthFact[] => checkIns.flatMap((one) => one.facts);
  return { url, checkIns, facts };
}

/** An agent on a recording; gives its config file. */
async function startAgent(t: TestContext, recording: string, url: string): Promise<string> {
  const data = temporaryFolder(t);
  const canary = join(data, 'canary');
  mkdirSync(join(data, 'state'));
  const file = join(data, 'launchbeat.yml');
  const config = {
    select: 'all',
    capture: {
      command: [
        ...[process.execPath, 'tests/support/replay-bridge.ts', '--state', join(data, 'state')],
        ...['--recording', `agent/fixtures/bridge/${recording}.bridge`, '--canary', canary],
      ],
      poll_interval: '100ms',
      canary: { command: [process.execPath, 'tests/support/sing-canary.ts', canary] },
    },
    check_in: { interval: '1s' },
    output: { collector: { url, api_key: 'id:secret' } },
    path: { data, logs: join(data, 'logs') },
  };
  writeFileSync(file, stringify(config));
  const position = { recordId: 500, scannedId: 500, timeMs: Date.now(), records: 400, starts: 100 };
  writeFileSync(join(data, 'position.json'), JSON.stringify(position));
  const agent = startProgram(process.execPath, [AGENT, 'run', '-e', '-c', file], { t });
  await agent.waitForLine(/launchbeat .* starts/);
  return file;
}

test('a gap and who made it reach the collector, with range and estimate; so does what is audited', async (t) => {
  const collector = await startCollector(t);
  await startAgent(t, 'cleared', collector.url);
  await eventually(() => {
    const gap = collector.facts().find(({ kind }) => kind === 'gap');
    assert.deepEqual([gap?.level, gap?.from, gap?.to, gap?.count], ['error', 501, 540, 40]);
    assert.match(
      gap?.reason ?? '',
      /was cleared \(event 1102, record 541\).*about 10 process starts/,
    );
    assert.ok(
      collector.facts().some(({ kind, level }) => kind === 'log_cleared' && level === 'warn'),
    );
  });
  const reasons = collector.facts().map(({ reason }) => reason);
  assert.doesNotMatch(reasons.join(), /admin|EXAMPLE|S-1-5/, 'nothing of an event but its number');
});

test('doctor and status say what the canary showed, and the collector hears it', async (t) => {
  const collector = await startCollector(t);
  const file = await startAgent(t, 'canary-without-command-line', collector.url);
  await eventually(() => {
    const last = collector.checkIns.at(-1);
    assert.deepEqual(last?.auditing, { process_creation: true, command_line: false });
    assert.deepEqual([last.log?.readable, last.log?.records_behind], [true, 0]);
    assert.ok(collector.facts().some(({ kind }) => kind === 'auditing'));
  });
  await eventually(() => {
    const state = JSON.parse(readFileSync(join(file, '..', 'log-state.json'), 'utf8'));
    assert.equal(state.commandLine, false);
  });
  const doctor = await runProgram(process.execPath, [AGENT, 'doctor', '-c', file]);
  assert.equal(doctor.code, 1);
  assert.match(doctor.stdout, /^log access +OK +read \d+ min ago$/m);
  assert.match(doctor.stdout, /^auditing +OK +process starts are logged, tried 0 min ago$/m);
  assert.match(
    doctor.stdout,
    /^command lines +FAIL +are not logged\n +→ See docs\/audit-policy\.md/m,
  );
  const status = await runProgram(process.execPath, [AGENT, 'status', '-c', file]);
  assert.match(status.stdout, /^auditing +process starts are logged/m);
  assert.match(status.stdout, /^command lines +FAIL are not logged$/m);
});

test('an agent that may not read the log polls, says so everywhere, and ends it when it may', async (t) => {
  const collector = await startCollector(t);
  const file = await startAgent(t, 'denied', collector.url);
  await eventually(() => {
    const told = collector.facts().filter(({ kind }) => kind === 'process_poll');
    assert.deepEqual(
      told.map(({ level }) => level),
      ['warn', 'info'],
    );
    assert.deepEqual([collector.checkIns.at(-1)?.log?.readable], [true]);
  });
  const spooled = await runProgram(process.execPath, [AGENT, 'spool', 'export', '-c', file]);
  const sources = spooled.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).launchbeat.source);
  // The log is read while process-poll looks a last time: which of the two is first is nobody's promise.
  assert.deepEqual(sources.toSorted(), ['poll', undefined]);
});
