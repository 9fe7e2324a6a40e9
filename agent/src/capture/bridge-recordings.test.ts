/**
 * Goal: whatever happens to the log, to the bridge or to auditing, the agent tells it rightly and loses nothing that it could have.
 * Method: recorded outputs of the bridge (agent/fixtures/bridge) are played by a process that acts as the real one; the live source
 * reads them, the mapper and a real spool take what comes.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ProcessStart } from '@launchbeat/ecs-schemas';
import { SILENT_LOG, settlePaths } from '@launchbeat/ecs-schemas/beat';
import { readSpooled } from '../../../tests/support/spooled.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { agentConfigSchema } from '../config.ts';
import { describeGap } from '../describe-gap.ts';
import { createMapper } from '../map/create-mapper.ts';
import { createReading } from '../reading.ts';
import { openSpool } from '../spool/open-spool.ts';
import { captureConfigSchema } from './capture-config.ts';
import type { Position, SourceFact } from './captured-event.ts';
import { createLiveSource, type LiveOptions } from './live-source.ts';
import type { LogStanding } from './log-standing.ts';
import { openSource } from './open-source.ts';

const here = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const RECORDINGS = here('agent/fixtures/bridge');
/** The PC of the recordings was started in the morning of that day. */
const BOOTED_MS = Date.parse('2026-11-23T08:00:00Z');

interface Played {
  /** Record ids of the spool's documents, process-poll's apart. */
  readonly records: number[];
  /** Process ids that process-poll found, as they stand in the spool. */
  readonly polled: number[];
  readonly documents: readonly ProcessStart[];
  readonly facts: readonly string[];
  readonly position: Position | undefined;
  readonly standing: LogStanding;
}

interface Play {
  /** Record up to which it was read. */
  readonly from?: number;
  /** How many process starts, and which fact, it must have come to. */
  readonly enough: (records: readonly number[], facts: readonly string[]) => boolean;
  readonly options?: Partial<LiveOptions>;
  readonly withCanary?: boolean;
}

/** A fact in one line. */
function lineOf(fact: SourceFact): string {
  switch (fact.kind) {
    case 'gap':
      return `gap ${fact.cause} ${fact.from}-${fact.to}: ${describeGap(fact)}`;
    case 'notice':
      return `${fact.name} ${fact.level}: ${fact.reason}`;
    case 'unreadable':
      return `unreadable: ${fact.text}`;
    case 'restart':
    case 'warning':
      return `${fact.kind}: ${fact.reason}`;
  }
}

async function play(t: TestContext, name: string, what: Play): Promise<Played> {
  const folder = temporaryFolder(t);
  const canaryFile = join(folder, 'canary');
  mkdirSync(join(folder, 'state'));
  const command = [process.execPath, here('tests/support/replay-bridge.ts')];
  command.push('--recording', join(RECORDINGS, `${name}.bridge`), '--canary', canaryFile);
  command.push('--state', join(folder, 'state'));
  const canary = [process.execPath, here('tests/support/sing-canary.ts'), canaryFile];
  const source = createLiveSource({
    ...{ command, pollMs: 50, batchSize: 100, heartbeatTimeoutMs: 60_000, startTimeoutMs: 60_000 },
    ...{ backoffInitMs: 1, backoffMaxMs: 20, bootedAtMs: BOOTED_MS, holdMs: 0, processPollMs: 50 },
    ...(what.withCanary ? { canary: { command: canary, intervalMs: 3_600_000, waitMs: 400 } } : {}),
    ...what.options,
  });
  const config = agentConfigSchema.parse({
    select: 'all',
    output: { collector: { url: 'http://127.0.0.1', api_key: 'id:secret' } },
  });
  const agent = { id: crypto.randomUUID(), name: 'PC', version: '1.0.0', ephemeralId: 'e' };
  const mapper = createMapper({ config, agent, namespace: 'default' });
  const spoolFolder = join(folder, 'spool');
  const spool = await openSpool({ folder: spoolFolder, config: config.spool, log: SILENT_LOG });
  t.after(() => spool.close());
  let position: Position | undefined =
    what.from === undefined
      ? undefined
      : {
          ...{ recordId: what.from, scannedId: what.from },
          timeMs: BOOTED_MS,
          records: 400,
          starts: 100,
        };
  const write = (next: Position): void => {
    position = next;
  };
  const reading = createReading({ mapper, spool, position: { write }, log: SILENT_LOG });
  const facts: string[] = [];
  const records: number[] = [];
  const signal = AbortSignal.timeout(60_000);
  for await (const batch of source.batches(position, signal)) {
    facts.push(...batch.facts.map(lineOf));
    await reading.keep(batch, new AbortController().signal);
    for (const { xml } of batch.events)
      records.push(Number(/<EventRecordID>(\d+)</.exec(xml)?.[1]));
    if (what.enough(records, facts)) break;
  }
  assert.ok(!signal.aborted, `not enough in time: ${JSON.stringify({ records, facts })}`);
  const documents = readSpooled(spoolFolder);
  const recordsOf = (isPolled: boolean): number[] =>
    documents
      .filter(({ launchbeat }) => (launchbeat.source === 'poll') === isPolled)
      .map(({ winlog }) => Number(winlog.record_id));
  return {
    ...{ records: recordsOf(false), polled: recordsOf(true), documents, facts, position },
    standing: source.standing?.() ?? { atMs: 0 },
  };
}

const until =
  (record: number) =>
  (records: readonly number[]): boolean =>
    records.includes(record);

/** Recording, position before, last record, records that must be in the spool, facts in their order. */
const CASES: readonly (readonly [
  name: string,
  from: number,
  last: number,
  records: readonly number[],
  facts: readonly RegExp[],
])[] = [
  [
    ...(['cleared', 500, 547, [543, 547]] as const),
    [
      /^gap cleared 501-540: .*cleared \(event 1102, record 541\).*records 501 to 540 .*\(40, about 10 process starts\)$/,
      /^log_cleared warn: .*record 541/,
    ],
  ],
  ['cleared-after-reading', 539, 543, [540, 543], [/^log_cleared warn/]],
  [
    ...(['rolled', 500, 9007, [9002, 9007]] as const),
    [/^gap rolled 501-9000: .*\(8500, about 2125 process starts\)/],
  ],
  [
    ...(['archived', 500, 803, [803]] as const),
    [
      /^gap archived 501-800: .*Archive-Security-\*\.evtx.*capture\.source: evtx/,
      /^log_archived info/,
    ],
  ],
  [
    ...(['recreated', 90_000, 9, [2, 9]] as const),
    [/^gap log_recreated 90000-1: .*was read up to record 90000 and now begins at 1/],
  ],
  [
    ...(['service-restarted', 500, 505, [501, 503, 505]] as const),
    [
      /^warning: .*RPC server/,
      /^log_service error: .*stopped for 42 s while Windows ran.*record 502/,
    ],
  ],
  [
    ...(['clock-set-back', 500, 505, [501, 503, 504, 505]] as const),
    [
      /^clock_set warn: .*set back by 3600 s \(event 4616, record 502\)/,
      /^clock_set warn: .*went back by 120 s between records 504 and 505/,
    ],
  ],
  [
    ...(['policy-changed', 500, 505, [501, 505]] as const),
    [
      /^audit_policy error: Auditing of process starts was switched off \(event 4719, record 502\)$/,
      /^audit_policy warn: Auditing of process starts was switched on/,
      /^audit_policy info: .*another subcategory/,
    ],
  ],
  [
    ...(['dropped-and-full', 500, 504, [503]] as const),
    [/^events_dropped error: .*1101/, /^events_dropped error: .*1108/, /^log_full error: .*1104/],
  ],
  [...(['hanging', 500, 504, [501, 502, 503, 504]] as const), [/^restart: .*said nothing for 3 s/]],
  [
    ...(['dying-in-a-line', 500, 504, [501, 502, 503, 504]] as const),
    [/^restart: .*exit code 4/, /^restart: .*exit code 1/],
  ],
  [
    ...(['garbage-bytes', 500, 504, [501, 502, 503, 504]] as const),
    [
      /^restart: Its output is spoilt \(line 3 of the bridge/,
      /^restart: Its output is spoilt/,
      /^unreadable: PS C:\\> transcript started$/,
    ],
  ],
  [
    ...(['spoilt-event', 500, 503, [501, 503]] as const),
    [
      /^warning: .*data is invalid/,
      /^warning: .*data is invalid/,
      /^events_dropped error: Windows cannot give the event of record 502 \(EventLogException The data is invalid\); it is passed over and lost$/,
    ],
  ],
  ['one-megabyte', 500, 503, [501, 502, 503], []],
  [
    ...(['large-reader', 500, 503, [501, 503]] as const),
    [/^restart: .*needs 900 MiB of memory and may have 400 MiB \(capture\.max_memory\)/],
  ],
];

for (const [name, from, last, records, facts] of CASES) {
  test(`recording "${name}" gives its facts and loses nothing`, async (t) => {
    const options: Partial<LiveOptions> = {
      readerBytesMax: 400 * 1024 * 1024,
      ...(name === 'hanging' ? { heartbeatTimeoutMs: 3000, startTimeoutMs: 60_000 } : {}),
    };
    const so = await play(t, name, { from, enough: until(last), options });
    assert.deepEqual(so.records, records);
    assert.equal(so.facts.length, facts.length, so.facts.join('\n'));
    for (const [index, pattern] of facts.entries()) assert.match(so.facts[index] ?? '', pattern);
    assert.equal(so.position?.recordId, last);
  });
}

for (const bootedAt of ['2026-11-23T09:08:58Z', '2026-11-23T12:00:00Z']) {
  test(`a shutdown is no stop of the service, with Windows started at ${bootedAt}`, async (t) => {
    const options = { bootedAtMs: Date.parse(bootedAt) };
    const so = await play(t, 'shut-down', { from: 500, enough: until(509), options });
    assert.deepEqual([so.records, so.facts], [[501, 503, 509], []]);
  });
}

test('every recording is played', () => {
  const others = [
    'saved-logs',
    'recount',
    'shut-down',
    'canary-seen',
    'canary-without-command-line',
    'canary-not-seen',
    'denied',
    'auditing-comes-on',
    'found-in-the-last-look',
    'last-look-hangs',
  ];
  const played = [...CASES.map(([name]) => name), ...others];
  const there = readdirSync(RECORDINGS).map((file) => file.replace('.bridge', ''));
  assert.deepEqual(there.sort(), played.sort());
});

test('saved logs are read by the same bridge to their end; one that breaks off is reported, the next is read', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'state'));
  const files = ['one.evtx', 'two.evtx', 'three.evtx'].map((name) => join(folder, name));
  for (const file of files) writeFileSync(file, 'ElfFile');
  const command = [process.execPath, here('tests/support/replay-bridge.ts')];
  command.push(
    '--recording',
    join(RECORDINGS, 'saved-logs.bridge'),
    '--state',
    join(folder, 'state'),
  );
  const source = openSource(
    captureConfigSchema.parse({ source: 'evtx', evtx_reader: 'bridge', files, command }),
    { log: SILENT_LOG, stdin: process.stdin, paths: settlePaths('/nowhere') },
  );
  const [events, facts]: [string[], string[]] = [[], []];
  for await (const batch of source.batches(undefined, AbortSignal.timeout(60_000))) {
    events.push(...batch.events.map(({ xml }) => /<EventRecordID>(\d+)</.exec(xml)?.[1] ?? ''));
    for (const fact of batch.facts)
      facts.push(fact.kind === 'unreadable' ? `${fact.place}: ${fact.reason}` : lineOf(fact));
  }
  assert.deepEqual(events, ['501', '502', '601', '701']);
  assert.equal(facts.length, 3, facts.join('\n'));
  assert.match(facts[2] ?? '', /three\.evtx: Windows cannot give the event of record 702/);
  assert.match(facts[0] ?? '', /^warning: .*two\.evtx: .*EventLogInvalidDataException/);
  assert.match(facts[1] ?? '', /two\.evtx: Reading broke off: .*exit code 4/);
});

test('an event of a megabyte becomes a document that says how much was cut', async (t) => {
  const so = await play(t, 'one-megabyte', { from: 500, enough: until(503) });
  const [, big] = so.documents;
  assert.equal(big?.launchbeat.command_line_length, 500_011);
  assert.ok(big.launchbeat.flags?.includes('truncated'));
});

test('a recount that finds more than was read has it read again', async (t) => {
  const enough = (records: readonly number[]): boolean =>
    records.includes(503) && records.at(-1) === 504;
  const so = await play(t, 'recount', { from: 500, enough });
  // The first two come twice, with the same ids: no store doubles them.
  assert.deepEqual(so.records, [501, 504, 501, 502, 503, 504]);
  assert.match(
    so.facts.join('\n'),
    /^recount warn: A recount found 2 process starts .*from record 501\nrestart: /,
  );
});

test('a canary that is logged with its command line shows that all is audited, and goes no further', async (t) => {
  const so = await play(t, 'canary-seen', { from: 500, enough: until(503), withCanary: true });
  assert.deepEqual(so.records, [501, 503]);
  assert.deepEqual(so.facts, []);
  const { processCreation, commandLine, readable, bytesMax, mode, polling } = so.standing;
  assert.deepEqual([processCreation, commandLine, readable, polling], [true, true, true, false]);
  assert.deepEqual([bytesMax, mode], [201_326_592, 'overwrite']);
});

test('a canary without its command line shows that the policy for those is off', async (t) => {
  const name = 'canary-without-command-line';
  const so = await play(t, name, { from: 500, enough: until(503), withCanary: true });
  assert.deepEqual(so.records, [501, 503]);
  assert.match(
    so.facts.join('\n'),
    /^auditing error: Windows logs process starts without their command lines/,
  );
  assert.deepEqual([so.standing.processCreation, so.standing.commandLine], [true, false]);
});

test('where the canary is not logged process-poll stands in, until a start is logged again', async (t) => {
  const enough = (records: readonly number[], facts: readonly string[]): boolean =>
    records.includes(505) && facts.some((fact) => fact.startsWith('process_poll info'));
  const so = await play(t, 'canary-not-seen', { from: 500, enough, withCanary: true });
  assert.deepEqual(so.records, [501, 505]);
  assert.deepEqual(so.polled, [0x3001, 0x3002]);
  assert.equal(so.facts.length, 4, so.facts.join('\n'));
  assert.match(
    so.facts[0] ?? '',
    /^auditing error: .*not logged within 0\.4 s\. The log went on without it/,
  );
  assert.match(so.facts[1] ?? '', /^process_poll warn: /);
  // Which of the two streams is asked first is not said.
  const [on, end] = so.facts.slice(2).sort();
  assert.match(on ?? '', /^auditing info: Windows audits process starts again/);
  assert.match(end ?? '', /^process_poll info: /);
  // What it says of auditing may be that of the next canary, which this recording does not log either.
  assert.equal(so.standing.polling, false);
  assert.ok((so.position?.polledToMs ?? 0) > 0);
});

test('what process-poll finds is marked and degraded, and is no event of Windows', async (t) => {
  const enough = (_: readonly number[], facts: readonly string[]): boolean =>
    facts.some((fact) => fact.startsWith('process_poll info'));
  const so = await play(t, 'canary-not-seen', { from: 500, enough, withCanary: true });
  const telegram = so.documents.find(({ launchbeat }) => launchbeat.source === 'poll');
  assert.ok(telegram !== undefined);
  assert.ok(telegram.launchbeat.flags?.includes('degraded'));
  assert.equal(telegram.launchbeat.program, 'Telegram');
  assert.equal(telegram.process.pid, 0x3001);
  assert.deepEqual(
    [telegram.event.code, telegram.event.provider, telegram.event.action],
    ['1', 'Launchbeat-ProcessPoll', 'found-process'],
  );
});

test('without the right to read the log process-poll stands in, until it may be read', async (t) => {
  const enough = (records: readonly number[], facts: readonly string[]): boolean =>
    records.includes(701) && facts.some((fact) => fact.startsWith('process_poll info'));
  const so = await play(t, 'denied', { enough, withCanary: true });
  assert.deepEqual([so.records, so.polled], [[701], [0x3001]]);
  assert.match(so.facts[0] ?? '', /^restart: .*Access to the Security log is denied/);
  assert.match(so.facts[1] ?? '', /^process_poll warn/);
  assert.equal(so.facts.filter((fact) => fact.startsWith('process_poll')).length, 2);
  assert.equal(so.standing.readable, true);
});

test('a start that both see is told once, by the log', async (t) => {
  const enough = (records: readonly number[], facts: readonly string[]): boolean =>
    records.includes(505) && facts.some((fact) => fact.startsWith('process_poll info'));
  const so = await play(t, 'auditing-comes-on', {
    ...{ from: 500, enough, withCanary: true, options: { holdMs: 60_000 } },
  });
  assert.deepEqual([so.records, so.polled], [[505], [0x3001]]);
});

for (const holdMs of [0, 60_000]) {
  test(`what process-poll finds in its last look, after auditing came on, is kept (held for ${holdMs} ms)`, async (t) => {
    const enough = (records: readonly number[], facts: readonly string[]): boolean =>
      records.includes(505) && facts.some((fact) => fact.startsWith('process_poll info'));
    const so = await play(t, 'found-in-the-last-look', {
      ...{ from: 500, enough, withCanary: true, options: { holdMs } },
    });
    assert.deepEqual([so.records, so.polled], [[505], [0x3001, 0x3002]]);
  });
}

test('a last look that never comes keeps process-poll from ending only for a while', async (t) => {
  const enough = (records: readonly number[], facts: readonly string[]): boolean =>
    records.includes(505) && facts.some((fact) => fact.startsWith('process_poll info'));
  const so = await play(t, 'last-look-hangs', {
    ...{ from: 500, enough, withCanary: true, options: { holdMs: 60_000, lastLookMs: 200 } },
  });
  assert.deepEqual([so.records, so.polled, so.standing.polling], [[505], [0x3001], false]);
});
