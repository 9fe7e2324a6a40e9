/**
 * Goal: what happened to an agent reaches the collector once, whatever fails on the way. Method: a real HTTP server that answers as
 * each test asks, real files, a clock that runs as fast as the loop.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { type HealthFact, PROBLEM_TYPE, type ProblemName, problem } from '@launchbeat/ecs-schemas';
import { type Log, SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { eventually } from '../../../tests/support/eventually.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import type { Clock } from '../upload/clock.ts';
import { openHttpExchange } from '../upload/http-exchange.ts';
import { outputConfigSchema } from '../upload/output-config.ts';
import { createCounterNotes } from './counter-notes.ts';
import { createCheckIn } from './create-check-in.ts';
import { openFactBox } from './fact-box.ts';

interface Sent {
  readonly sequence: number;
  readonly facts: readonly HealthFact[];
}

type Reaction = 'take' | 'nonsense' | 'hang_up' | ProblemName;

const GAP = { kind: 'gap', level: 'error', reason: 'gone', from: 1, to: 3, count: 3 } as const;
const RESTART = { kind: 'restart', level: 'warn', reason: 'Reader ended: 1' } as const;

async function open(t: TestContext, react: (sent: Sent, number: number) => Reaction) {
  const folder = temporaryFolder(t);
  const sent: Sent[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<unknown> => {
    const one = (await json(request)) as Sent;
    sent.push(one);
    const reaction = react(one, sent.length);
    if (reaction === 'hang_up') return response.destroy();
    const good = { server_time: 'now', clock_skew_ms: 0, state: 'healthy', reasons: [] };
    if (reaction === 'take' || reaction === 'nonsense') {
      return response.end(reaction === 'take' ? JSON.stringify(good) : '<html>');
    }
    const what = problem(reaction, 'as the test asked');
    response.writeHead(what.status, { 'Content-Type': PROBLEM_TYPE, 'Retry-After': '600' });
    return response.end(JSON.stringify(what));
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const output = outputConfigSchema.parse({ url, api_key: 'id:secret' });
  const http = openHttpExchange(url, output, Date.now);
  t.after(async () => {
    await http.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const lines: string[] = [];
  const keep = (_: object, message: string): void => void lines.push(message);
  const log: Log = { ...SILENT_LOG, info: keep, warn: keep, error: keep };
  const waits: number[] = [];
  const clock: Clock = {
    nowMs: Date.now,
    random: () => 0.5,
    wait: async (ms) => {
      waits.push(ms);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
  const box = openFactBox(folder, SILENT_LOG);
  const config = { enabled: true, interval: 60_000 };
  const loop = createCheckIn({ config, http, box, sample: () => ({ name: 'PC' }), log, clock });
  return { folder, sent, lines, waits, box, loop };
}

type Opened = Awaited<ReturnType<typeof open>>;

/** Runs the loop until the check holds. */
async function runUntil({ loop }: Opened, check: () => void): Promise<void> {
  const end = new AbortController();
  const running = loop.run(end.signal);
  try {
    await eventually(check);
  } finally {
    end.abort();
    await running;
  }
}

test('facts go with each check-in until one is answered, under the same ids', async (t) => {
  const opened = await open(t, (_, number) =>
    number === 1 ? 'hang_up' : number === 2 ? 'unavailable' : number === 3 ? 'nonsense' : 'take',
  );
  opened.box.note(GAP);
  await runUntil(opened, () => assert.ok(opened.sent.length >= 5));
  const ids = opened.sent.slice(0, 5).map((one) => one.facts.map((fact) => fact.id).join());
  assert.equal(new Set(ids.slice(0, 4)).size, 1);
  assert.notEqual(ids[0], '');
  assert.equal(ids[4], '', 'acknowledged facts are not sent again');
  assert.deepEqual(opened.sent[0]?.facts[0], {
    ...GAP,
    id: ids[0],
    at: opened.sent[0]?.facts[0]?.at,
  });
  assert.deepEqual(
    opened.sent.slice(0, 3).map((one) => one.sequence),
    [1, 2, 3],
  );
});

test('check-ins keep their interval, and the time that a collector asks for', async (t) => {
  const opened = await open(t, (_, number) => (number === 1 ? 'unavailable' : 'take'));
  await runUntil(opened, () => assert.ok(opened.sent.length >= 3));
  assert.deepEqual(opened.waits.slice(0, 3), [5000, 600_000, 60_000]);
});

test('a trouble is said once, and once that it is over', async (t) => {
  const opened = await open(t, (_, number) => (number <= 5 ? 'unauthorized' : 'take'));
  await runUntil(opened, () => assert.ok(opened.sent.length >= 8));
  assert.equal(opened.lines.length, 2, opened.lines.join('\n'));
  assert.match(opened.lines[0] ?? '', /does not take check-ins \(401: as the test asked\)/);
  assert.match(opened.lines[1] ?? '', /again/);
});

test('a fact that the collector refuses does not hold up the others', async (t) => {
  const opened = await open(t, ({ facts }) =>
    facts.some((fact) => fact.kind === 'bad') ? 'bad-request' : 'take',
  );
  for (const kind of ['one', 'bad', 'two']) opened.box.note({ ...GAP, kind });
  await runUntil(opened, () => assert.deepEqual(opened.sent.at(-1)?.facts, []));
  const taken = opened.sent
    .map((one) => one.facts.map((fact) => fact.kind))
    .filter((kinds) => !kinds.includes('bad'))
    .flat();
  assert.deepEqual(taken, ['one', 'two']);
});

test('a sample that throws and a switched off loop disturb nothing', async (t) => {
  const opened = await open(t, () => 'take');
  const http = { exchange: assert.fail, close: async () => undefined };
  const { box } = opened;
  const sample = (): object => {
    throw new Error('the folder is gone');
  };
  const broken = createCheckIn({
    ...{ config: { enabled: true, interval: 1000 }, http, box, sample, log: SILENT_LOG },
  });
  await broken.last(new AbortController().signal);
  assert.deepEqual(broken.metrics(), { 'check_in.answered': 0, 'check_in.failed': 1 });
  const off = createCheckIn({
    ...{ config: { enabled: false, interval: 1000 }, http, box, sample, log: SILENT_LOG },
  });
  await off.run(new AbortController().signal);
  assert.deepEqual(off.metrics(), { 'check_in.answered': 0, 'check_in.failed': 0 });
});

test('openFactBox() gives stored facts back after a restart, and counts the same up until it is sent', (t) => {
  const folder = temporaryFolder(t);
  const box = openFactBox(folder, SILENT_LOG);
  box.note(GAP);
  box.note(RESTART);
  box.note({ ...RESTART, count: 4 });
  const [gap, restart] = box.take(10);
  assert.equal(restart?.count, 5);
  box.note(RESTART);
  assert.equal(box.take(10).length, 3, 'one that was sent is never changed');
  box.store();
  const again = openFactBox(folder, SILENT_LOG);
  assert.deepEqual(again.take(2), [gap, restart]);
  again.drop(again.take(3));
  again.store();
  assert.deepEqual(openFactBox(folder, SILENT_LOG).take(9), []);
});

test('openFactBox() drops the oldest above its bound and says so in a fact', (t) => {
  const box = openFactBox(temporaryFolder(t), SILENT_LOG);
  for (let from = 1; from <= 510; from += 1) box.note({ ...GAP, from, to: from });
  const facts = box.take(1000);
  assert.equal(facts.length, 500);
  const dropped = facts.find((fact) => fact.kind === 'facts_dropped');
  assert.equal(dropped?.count, 510 - 499);
  assert.equal(facts.at(-1)?.from, 510);
});

test('openFactBox() goes on where the disk refuses', (t) => {
  const folder = join(temporaryFolder(t), 'data');
  writeFileSync(folder, 'a file where the folder should be');
  const lines: string[] = [];
  const box = openFactBox(folder, { ...SILENT_LOG, warn: (_, line) => void lines.push(line) });
  lines.length = 0;
  box.note(GAP);
  box.store();
  box.store();
  assert.equal(lines.length, 1);
  assert.equal(box.take(9).length, 1);
});

test('createCounterNotes() tells what came since the last look', () => {
  const look = createCounterNotes();
  assert.deepEqual(
    look({ 'map.refused': 2, 'capture.read': 9 }).map((one) => one.count),
    [2],
  );
  assert.deepEqual(look({ 'map.refused': 2 }), []);
  const [more] = look({ 'map.refused': 5 });
  assert.deepEqual([more?.kind, more?.level, more?.count], ['quarantine', 'error', 3]);
});
