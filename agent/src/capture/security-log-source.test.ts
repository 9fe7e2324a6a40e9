/**
 * Goal: the live log is read without loss or repetition whatever the bridge does: it dies, hangs, babbles, is slow or refuses.
 * Method: real child processes: tests/support/play-bridge.ts plays a recording through the bridge's protocol, and small scripts
 * misbehave in ways it does not.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../../tests/support/eventually.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { bridgeArguments, type LogStart } from './bridge-protocol.ts';
import type { CaptureBatch, Position, SourceFact } from './captured-event.ts';
import { createLiveSource, type LiveOptions } from './live-source.ts';

const BRIDGE = fileURLToPath(new URL('../../../tests/support/play-bridge.ts', import.meta.url));
const OFFICE = fileURLToPath(
  new URL('../../../ecs-schemas/fixtures/demo-office.xml.ndlines', import.meta.url),
);
const recorded = readFileSync(OFFICE, 'utf8').trimEnd().split('\n');
const idOf = (xml: string): number => Number(/<EventRecordID>(\d+)</.exec(xml)?.[1]);
const ids = recorded.map(idOf);

const options = (command: readonly string[], more: Partial<LiveOptions> = {}) => ({
  command,
  pollMs: 100,
  batchSize: 40,
  heartbeatTimeoutMs: 10_000,
  backoffInitMs: 1,
  backoffMaxMs: 4,
  ...more,
});
const player = (...args: string[]): string[] => [
  process.execPath,
  BRIDGE,
  '--file',
  OFFICE,
  ...args,
];

/** A bridge that is a script of its own. */
function script(t: TestContext, source: string): string[] {
  const file = join(temporaryFolder(t), 'bridge.mjs');
  writeFileSync(file, source);
  return [process.execPath, file];
}

interface Read {
  readonly batches: CaptureBatch[];
  readonly events: string[];
  readonly facts: SourceFact[];
}

/** Reads until `enough`; every batch must keep what a batch promises. */
async function read(
  settings: LiveOptions,
  enough: (so: Read) => boolean,
  from?: Position,
): Promise<Read> {
  const so: Read = { batches: [], events: [], facts: [] };
  const signal = AbortSignal.timeout(60_000);
  for await (const batch of createLiveSource(settings).batches(from, signal)) {
    so.batches.push(batch);
    so.events.push(...batch.events.map((event) => event.xml));
    so.facts.push(...batch.facts);
    assert.ok(batch.events.length <= settings.batchSize);
    const last = batch.events.at(-1);
    if (last !== undefined) assert.ok((batch.position?.recordId ?? -1) >= idOf(last.xml));
    if (enough(so)) break;
  }
  assert.ok(!signal.aborted, `not enough in time: ${JSON.stringify(so.facts)}`);
  return so;
}

const restarts = (so: Read): string[] =>
  so.facts.flatMap((fact) => (fact.kind === 'restart' ? [fact.reason] : []));

test('every event comes once and in order, in batches with the position that they reach', async () => {
  const so = await read(options(player()), ({ events }) => events.length >= recorded.length);
  assert.deepEqual(so.events, recorded);
  assert.deepEqual(so.facts, []);
  assert.equal(so.batches.at(-1)?.position?.recordId, ids.at(-1));
  assert.equal(
    so.batches.at(-1)?.position?.timeMs,
    Date.parse(/SystemTime='([^']+)/.exec(recorded.at(-1) ?? '')?.[1] ?? ''),
  );
});

test('reading goes on behind the position that it was given', async () => {
  const from = { recordId: ids[99] ?? 0, scannedId: ids[99] ?? 0, timeMs: 0 };
  const left = recorded.length - 100;
  const so = await read(options(player()), ({ events }) => events.length >= left, from);
  assert.deepEqual(so.events, recorded.slice(100));
});

test('a first start without a position gives one at once, so that a restart before the first event loses none', async () => {
  const so = await read(options(player('--new')), ({ batches }) => batches.length === 1);
  assert.deepEqual(so.events, []);
  assert.equal(so.batches[0]?.position?.recordId, ids.at(-1));
  assert.equal(so.batches[0]?.position?.scannedId, ids.at(-1));
});

test('start: oldest reads the whole log at the first start; a position goes before it', async () => {
  const oldest = options(player('--new'), { start: 'oldest' });
  const so = await read(oldest, ({ events }) => events.length >= recorded.length);
  assert.deepEqual(so.events, recorded);
  const from = { recordId: ids[9] ?? 0, scannedId: ids[9] ?? 0, timeMs: 0 };
  const later = await read(oldest, ({ events }) => events.length >= recorded.length - 10, from);
  assert.deepEqual(later.events, recorded.slice(10));
});

test('where to begin is told to a bridge only where there is no position yet', () => {
  const settings = { pollMs: 1000, heartbeatTimeoutMs: 60_000, parentPid: 7, recountSeconds: 3600 };
  const at = (start: LogStart, recordId?: number): string => {
    const position = recordId === undefined ? undefined : { recordId, scannedId: 9, timeMs: 0 };
    return bridgeArguments(position, { ...settings, start }).join(' ');
  };
  const rest = '-RecountSec 3600 -ParentPid 7 -PollMs 1000 -HeartbeatSec 15';
  assert.equal(at('now'), `-Start now ${rest}`);
  assert.equal(at(86_400_000), `-Start 86400000 ${rest}`);
  assert.equal(at('oldest', 5), `-AfterRecordId 5 -ScannedId 9 ${rest}`);
  assert.equal(
    at('oldest', -1),
    `-Start oldest ${rest}`,
    'process-poll stored one, no event was read',
  );
});

test('a bridge that dies in the middle of a line is started again; nothing is lost and nothing comes twice', async () => {
  const so = await read(
    options(player('--die-after', '37')),
    ({ events }) => events.length >= recorded.length,
  );
  assert.deepEqual(so.events, recorded);
  assert.ok(restarts(so).length >= 3);
  assert.match(restarts(so)[0] ?? '', /exit code 4\. Its output was closed/);
});

test('a bridge that says nothing for too long is ended and started again', async () => {
  const so = await read(
    options(player('--hang-after', '60'), { heartbeatTimeoutMs: 1000 }),
    ({ events }) => events.length >= 100,
  );
  assert.deepEqual(so.events.slice(0, 100), recorded.slice(0, 100));
  assert.match(restarts(so)[0] ?? '', /said nothing for 1 s/);
});

test('back-off doubles up to its limit while nothing is read, and begins anew when it reads again', async () => {
  const failing = [process.execPath, '-e', 'process.exit(5)', '--'];
  const so = await read(options(failing), ({ facts }) => facts.length === 5);
  assert.deepEqual(
    so.facts.map((fact) => fact.kind === 'restart' && fact.delayMs),
    [1, 2, 4, 4, 4],
  );
  assert.match(restarts(so)[0] ?? '', /Access to the Security log is denied\. Run the agent as/);
  const reading = await read(
    options(player('--die-after', '37')),
    ({ facts }) => facts.length === 3,
  );
  assert.deepEqual(
    reading.facts.map((fact) => fact.kind === 'restart' && fact.delayMs),
    [1, 1, 1],
  );
});

test('a command that does not exist is named, with the key to look at', async () => {
  const so = await read(options(['/nowhere/powershell.exe']), ({ facts }) => facts.length === 1);
  assert.deepEqual(restarts(so), [
    '"/nowhere/powershell.exe" cannot be started (ENOENT). Look at capture.command.',
  ]);
});

test('lost records come as a gap with its range', async () => {
  const from = (ids[0] ?? 0) - 1000;
  const so = await read(
    options(player('--gap', `${from}-${(ids[0] ?? 0) - 1}`)),
    ({ events }) => events.length >= 1,
    { recordId: from - 1, scannedId: from - 1, timeMs: 0 },
  );
  assert.deepEqual(so.facts, [
    { kind: 'gap', from, to: (ids[0] ?? 0) - 1, cause: 'rolled', starts: undefined },
  ]);
});

test('a log made anew comes as a gap, and the position goes back with it', async (t) => {
  const command = script(
    t,
    `console.log('V 2 x\\nR 900 1 5\\nH 0 0 5'); setInterval(() => {}, 1000);`,
  );
  const so = await read(options(command), ({ batches }) => batches.length === 1, {
    recordId: 900,
    scannedId: 900,
    timeMs: 7,
  });
  assert.deepEqual(so.facts, [{ kind: 'gap', from: 900, to: 1, cause: 'log_recreated' }]);
  assert.deepEqual(so.batches[0]?.position, {
    ...{ recordId: 0, scannedId: 0, timeMs: 7 },
    ...{ records: 0, starts: 0 },
  });
});

test('what is not of the protocol is asked for again once, then reported with its place; log events are notices', async (t) => {
  const cleared = recorded[0]?.replace('4688</EventID>', '1102</EventID>') ?? '';
  const lines = [
    'V 2 x',
    'hello',
    'E <Event>torn',
    `E ${cleared}`,
    'W stale',
    'H x y',
    `H ${ids[0]} ${ids[0]} ${ids[0]}`,
  ];
  const command = script(
    t,
    `process.stdout.write(${JSON.stringify(`${lines.join('\n')}\n`)}); setInterval(() => {}, 1000);`,
  );
  const textOf = (fact: SourceFact): string =>
    fact.kind === 'unreadable'
      ? `${fact.place}: ${fact.text}`
      : 'reason' in fact
        ? fact.reason
        : '';
  const so = await read(options(command), ({ facts }) =>
    facts.some((fact) => fact.kind === 'unreadable' && fact.text === 'H x y'),
  );
  assert.match(restarts(so)[0] ?? '', /line 2 of the bridge.*asked for again/);
  assert.match(restarts(so)[1] ?? '', /line 6 of the bridge.*asked for again/);
  const told = so.facts.filter(({ kind }) => kind !== 'restart').map(textOf);
  assert.deepEqual(
    [...new Set(told)],
    [
      'line 2 of the bridge: hello',
      'line 3 of the bridge: <Event>torn',
      `Security log was cleared (event 1102, record ${ids[0]})`,
      'The log was cleared while it was being read; reading goes on by record id.',
      'line 6 of the bridge: H x y',
    ],
  );
});

test('a line without end does not fill the memory: it is cut and reported, the next one is read', async (t) => {
  const command = script(
    t,
    `process.stdout.write('V 2 x\\nE <Event>' + 'x'.repeat(3_000_000) + '\\n' + ${JSON.stringify(`E ${recorded[0]}\nH ${ids[0]} ${ids[0]} ${ids[0]}\n`)});
     setInterval(() => {}, 1000);`,
  );
  const so = await read(options(command), ({ events }) => events.length === 1);
  const fact = so.facts.find(({ kind }) => kind === 'unreadable');
  assert.ok(fact?.kind === 'unreadable' && fact.text.length > 7000 && fact.text.length <= 8192);
  assert.match(fact.reason, /longer than 2097152 characters/);
});

for (const [line, words] of [
  ['X clm', /Constrained Language mode/],
  ['V 1 x', /speaks protocol 1, this agent 2/],
] as const) {
  test(`a bridge that says "${line}" is ended with words that help`, async (t) => {
    const command = script(t, `console.log('${line}'); setInterval(() => {}, 1000);`);
    const so = await read(options(command), ({ facts }) => facts.length === 1);
    assert.match(restarts(so)[0] ?? '', words);
  });
}

test('what a bridge says on stderr stands in the reason, cut', async () => {
  const command = [
    process.execPath,
    '-e',
    'console.error("no such\\nparameter"); process.exit(1)',
    '--',
  ];
  const so = await read(options(command), ({ facts }) => facts.length === 1);
  assert.match(restarts(so)[0] ?? '', /execution policy.* It said: no such parameter$/);
});

/** True while the process runs. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('a consumer that stops taking stops the bridge; leaving the iteration or aborting ends it', async (t) => {
  const folder = temporaryFolder(t);
  const written = join(folder, 'written');
  // Counts what its pipe took. About 1 MB a second would pour out of it.
  const command = script(
    t,
    `import { writeFileSync } from 'node:fs';
     const event = ${JSON.stringify(`E ${recorded[0]}\n`)};
     let count = 0;
     process.stdout.write('V 2 x\\n');
     const tell = () => writeFileSync(${JSON.stringify(written)}, process.pid + ' ' + count);
     (function pour() { while (process.stdout.write(event)) count += 1; count += 1; tell(); process.stdout.once('drain', pour); })();
     setInterval(tell, 20);`,
  );
  for (const ending of ['leave', 'abort']) {
    const controller = new AbortController();
    const batches = createLiveSource(options(command))
      .batches(undefined, controller.signal)
      [Symbol.asyncIterator]();
    await batches.next();
    const state = (): number[] => readFileSync(written, 'utf8').split(' ').map(Number);
    let before = -1;
    await eventually(
      () => {
        const [, count = 0] = state();
        const still = count > 0 && count === before;
        before = count;
        return still;
      },
      { intervalMs: 100 },
    );
    assert.ok(before < 2000, `${before} events went into the pipe while nobody took them`);
    // The file is empty for a moment whenever it is written anew.
    const pid = await eventually(() => state()[0] || null);
    if (ending === 'leave') await batches.return?.(undefined);
    else controller.abort();
    await eventually(() => !runs(pid));
    if (ending === 'abort') {
      let step = await batches.next();
      while (step.done !== true) step = await batches.next();
    }
  }
});
