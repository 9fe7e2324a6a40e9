/**
 * Goal: what many PCs forward to one log is read without loss, whatever happens to bridge, agent and log; each event is the same one as
 * if it had been read on its PC, and nothing that a PC says of its own log is taken for this one.
 * Method: tests/support/play-bridge.ts as the bridge of such a log, scripts where it must misbehave otherwise.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SILENT_LOG, settlePaths } from '@launchbeat/ecs-schemas/beat';
import {
  forwardedRecording,
  officeEvents,
  rendered,
} from '../../../tests/support/forwarded-recording.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { describeGap } from '../describe-gap.ts';
import { createMapper, type MapOutcome } from '../map/create-mapper.ts';
import { mapConfigSchema } from '../map/map-config.ts';
import { forwardedArguments } from './bridge-protocol.ts';
import { captureConfigSchema } from './capture-config.ts';
import type { CaptureBatch, Position, Source, SourceFact } from './captured-event.ts';
import { createForwardedSource, type ForwardedOptions } from './forwarded-source.ts';
import { createLiveSource } from './live-source.ts';
import { openSource } from './open-source.ts';

const BRIDGE = fileURLToPath(new URL('../../../tests/support/play-bridge.ts', import.meta.url));
const [sample = ''] = officeEvents;
const forwarded = forwardedRecording;

function options(command: readonly string[], more: Partial<ForwardedOptions> = {}) {
  return {
    ...{ command, pollMs: 100, batchSize: 40, heartbeatTimeoutMs: 10_000 },
    ...{ backoffInitMs: 1, backoffMaxMs: 4, ...more },
  };
}

function player(t: TestContext, ...args: string[]): string[] {
  const file = join(temporaryFolder(t), 'forwarded.ndlines');
  writeFileSync(file, `${forwarded.join('\n')}\n`);
  return [process.execPath, BRIDGE, '--file', file, ...args];
}

/** A bridge that prints these lines, then nothing. */
function printer(t: TestContext, ...lines: string[]): string[] {
  const file = join(temporaryFolder(t), 'bridge.mjs');
  writeFileSync(
    file,
    `process.stdout.write(${JSON.stringify(`${lines.join('\n')}\n`)}); setInterval(() => {}, 1000);`,
  );
  return [process.execPath, file];
}

interface Read {
  readonly batches: CaptureBatch[];
  readonly events: string[];
  readonly facts: SourceFact[];
}

async function read(
  source: Source,
  enough: (so: Read) => boolean,
  from?: Position,
): Promise<Read & { readonly position: Position | undefined }> {
  const so: Read = { batches: [], events: [], facts: [] };
  const signal = AbortSignal.timeout(60_000);
  for await (const batch of source.batches(from, signal)) {
    so.batches.push(batch);
    so.events.push(...batch.events.map(({ xml }) => xml));
    so.facts.push(...batch.facts);
    if (enough(so)) break;
  }
  assert.ok(!signal.aborted, `not enough in time: ${JSON.stringify(so.facts)}`);
  return { ...so, position: so.batches.findLast(({ position }) => position)?.position };
}

const at = (recordId: number): Position => ({
  ...{ recordId, scannedId: recordId, timeMs: 1, log: 'ForwardedEvents' },
});
const all = ({ events }: Read): boolean => events.length >= forwarded.length;
const reasons = (so: Read): string =>
  so.facts.map((fact) => ('reason' in fact ? fact.reason : describeGap(fact))).join('\n');

test('start: oldest reads the whole log in its order; positions are places in this log, not record ids of the PCs', async (t) => {
  const source = createForwardedSource(options(player(t, '--new'), { start: 'oldest' }));
  const so = await read(source, all);
  assert.deepEqual(so.events, forwarded);
  assert.deepEqual(so.facts, []);
  assert.equal(so.position?.recordId, forwarded.length);
  assert.equal(so.position?.log, 'ForwardedEvents');
  const { readable, processCreation, lastStartAtMs } = source.standing?.() ?? {};
  assert.deepEqual([readable, processCreation], [true, undefined]);
  assert.ok((lastStartAtMs ?? 0) > 0);
});

test('start: now reads nothing old, and gives a position at once', async (t) => {
  const source = createForwardedSource(options(player(t, '--new')));
  const so = await read(source, ({ batches }) => batches.length === 1);
  assert.deepEqual(so.events, []);
  assert.equal(so.position?.recordId, forwarded.length);
});

test('reading goes on behind its place; after an empty log, or where the place is not known, with the oldest', async (t) => {
  const left = forwarded.length - 50;
  const source = createForwardedSource(options(player(t, '--new')));
  const so = await read(source, ({ events }) => events.length >= left, at(50));
  assert.deepEqual(so.events, forwarded.slice(50));
  const whole = await read(createForwardedSource(options(player(t, '--new'))), all, at(-1));
  assert.deepEqual(whole.events, forwarded);
});

test('a bridge that dies in the middle of a line is started again; nothing is lost and nothing comes twice', async (t) => {
  const so = await read(createForwardedSource(options(player(t, '--die-after', '17'))), all);
  assert.deepEqual(so.events, forwarded);
  assert.match(reasons(so), /^The reader of the ForwardedEvents log ended with exit code 4/);
});

test('a log that was cleared past the place is a gap that is told, and is read from its oldest record', async (t) => {
  const command = player(t, '--first', '501', '--gap', '101-500');
  const so = await read(createForwardedSource(options(command)), all, at(100));
  assert.deepEqual(so.events, forwarded);
  assert.deepEqual(so.facts, [
    { kind: 'gap', from: 101, to: 500, cause: 'rolled', starts: undefined, log: 'ForwardedEvents' },
  ]);
  assert.match(reasons(so), /^ForwardedEvents log rolled over.*or was cleared; records 101 to 500/);
});

test("a PC's event 1102 behind a gap does not say that this log was cleared", async (t) => {
  const cleared = sample.replace('>4688</EventID>', '>1102</EventID>');
  const command = printer(t, 'V 2 x', 'G 100 501', `F 501 ${cleared}`, 'H 501 501 501');
  const source = createForwardedSource(options(command));
  const { facts } = await read(source, ({ events }) => events.length === 1, at(100));
  assert.deepEqual(
    facts.map((fact) => fact.kind === 'gap' && [fact.from, fact.to, fact.cause]),
    [[101, 500, 'rolled']],
  );
});

test('a log that was made anew is told by its name', async (t) => {
  const command = printer(t, 'V 2 x', 'R 900 1 5', 'H 0 0 5');
  const source = createForwardedSource(options(command));
  const so = await read(source, ({ facts }) => facts.length === 1, at(900));
  assert.match(reasons(so), /^ForwardedEvents log was made anew: it was read up to record 900/);
});

test('a position of another log is not used, and that is said', async (t) => {
  const { log: _, ...security } = at(50);
  const source = createForwardedSource(options(player(t), { start: 'oldest' }));
  const so = await read(source, all, security);
  assert.deepEqual(so.events, forwarded);
  assert.match(reasons(so), /is of the Security log: the ForwardedEvents log is read from/);
  const live = createLiveSource(options(printer(t, 'V 2 x', `E ${sample}`, 'H 1 1 1')));
  const other = await read(live, ({ events }) => events.length === 1, at(999_999));
  assert.match(reasons(other), /is of the ForwardedEvents log: the Security log is read from/);
});

test('a bridge that reads another log is not believed', async (t) => {
  const own = createForwardedSource(options(printer(t, 'V 2 x', `E ${sample}`)));
  const so = await read(own, ({ facts }) => facts.length === 1);
  assert.deepEqual(so.events, []);
  assert.match(reasons(so), /reads another log than it was asked for/);
  const live = createLiveSource(options(printer(t, 'V 2 x', `F 1 ${sample}`)));
  const other = await read(live, ({ facts }) => facts.length === 1);
  assert.deepEqual(other.events, []);
  assert.match(reasons(other), /reads another log than it was asked for/);
});

test('where Windows does not tell places, it is said, and nothing is read by guess', async (t) => {
  const source = createForwardedSource(options(printer(t, 'V 2 x', 'S 3', 'X bookmark')));
  const so = await read(source, ({ facts }) => facts.length === 1);
  assert.match(reasons(so), /does not tell where in its log a forwarded event stands/);
});

const PC_EVENTS = [
  ['1102', "<UserData><LogFileCleared xmlns='x'/></UserData>"],
  ['1104', '<UserData/>'],
  [
    '4719',
    "<EventData><Data Name='SubcategoryGuid'>{0cce922b-69ae-11d9-bed3-505054503030}</Data><Data Name='AuditPolicyChanges'>%%8448</Data></EventData>",
  ],
] as const;

test('what a PC says of its own log and policy is no fact of this agent: it is counted and left out', async (t) => {
  const events = PC_EVENTS.map(([code, data]) =>
    sample
      .replace('>4688</EventID>', `>${code}</EventID>`)
      .replace(/<EventData>.*<\/EventData>/, data),
  );
  const lines = events.map((xml, index) => `F ${index + 1} ${xml}`);
  const source = createForwardedSource(options(printer(t, 'V 2 x', 'S 0', ...lines, 'H 3 3 3')));
  const so = await read(source, (now) => now.events.length === 3);
  assert.deepEqual(so.facts, []);
  for (const xml of so.events)
    assert.deepEqual(mapXml(xml), { outcome: 'left_out', reason: 'not_process_start' });
});

function mapXml(xml: string): MapOutcome {
  const mapper = createMapper({
    config: mapConfigSchema.parse({
      select: 'all',
      exclude: { system_accounts: false, helper_processes: false },
    }),
    agent: {
      ...{ id: '4f0b7c1e-58a3-4d0e-9a6b-2f6a1c9d7e55', name: 'wec', version: '0.1.0' },
      ephemeralId: '0d2b9a3c-7f41-4f5e-8a57-6c1d2e3f4a5b',
    },
    namespace: 'office',
  });
  return mapper.map({ xml, readAtMs: 1_800_000_000_000 });
}

function documentOf(xml: string) {
  const mapped = mapXml(xml);
  assert.ok(mapped.outcome === 'done', JSON.stringify(mapped));
  return mapped.document;
}

test('an event has the id and the host of the PC that wrote it, read there or here, rendered or not; two PCs never share one', async (t) => {
  const so = await read(createForwardedSource(options(player(t))), all);
  const ids = so.events.map((xml) => documentOf(xml).event.id);
  assert.equal(new Set(ids).size, forwarded.length);
  for (const xml of officeEvents) {
    const own = documentOf(xml);
    const { message = '', ...same } = documentOf(rendered(xml));
    assert.match(message, /^A new process has been created/);
    assert.deepEqual(same, own);
    assert.equal(own.host.name, /<Computer>([^<]*)/.exec(xml)?.[1]);
  }
});

test('a secret is in no part of a rendered event', () => {
  const secret = sample.replace(
    /(<Data Name='NewProcessName'>)[^<]*(.*<Data Name='CommandLine'>)[^<]*/,
    '$1C:\\Windows\\System32\\net.exe$2net user bob Zx91kk /add',
  );
  const text = JSON.stringify(documentOf(rendered(secret)));
  assert.match(text, /redacted:password/);
  assert.doesNotMatch(text, /Zx91kk/);
});

test('the bridge is told the log and no recount; no canary and no process-poll start, even where the log may not be read', async (t) => {
  const settings = { pollMs: 1000, heartbeatTimeoutMs: 60_000, parentPid: 7 };
  assert.equal(
    forwardedArguments(at(5), { ...settings, start: 'now' }).join(' '),
    '-Log ForwardedEvents -AfterRecordId 5 -ScannedId 5 -RecountSec 0 -ParentPid 7 -PollMs 1000 -HeartbeatSec 15',
  );
  const folder = temporaryFolder(t);
  const [script, told, canary] = ['bridge.mjs', 'told', 'canary'].map((name) => join(folder, name));
  writeFileSync(
    script ?? '',
    `import { appendFileSync } from 'node:fs';
     appendFileSync(${JSON.stringify(told)}, process.argv.slice(2).join(' ') + '\\n'); process.exit(5);`,
  );
  const config = captureConfigSchema.parse({
    ...{ source: 'forwarded-events', command: [process.execPath, script] },
    ...{ restart: { backoff: { init: '1ms', max: '1ms' } } },
    canary: {
      command: [process.execPath, '-e', `fs.writeFileSync(${JSON.stringify(canary)}, '')`],
    },
  });
  const paths = settlePaths(folder);
  const source = openSource(config, { log: SILENT_LOG, stdin: new PassThrough(), paths });
  const so = await read(source, ({ facts }) => facts.length === 4);
  assert.equal(source.name, 'forwarded-events');
  assert.match(reasons(so), /Access to the ForwardedEvents log is denied/);
  const starts = readFileSync(told ?? '', 'utf8')
    .trimEnd()
    .split('\n');
  assert.ok(starts.length >= 4);
  for (const start of starts)
    assert.match(start, /^-Log ForwardedEvents -Start now -RecountSec 0 /);
  assert.ok(!existsSync(canary ?? ''));
  assert.equal(source.standing?.().readable, false);
});
