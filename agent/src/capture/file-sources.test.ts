/**
 * Goal: files of events are read whatever their form, and the same record read as XML and as .evtx is the same event.
 * Method: small files in a temporary folder; real .evtx logs where they are present, held against their own bytes.
 */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Log, SILENT_LOG, settlePaths } from '@launchbeat/ecs-schemas/beat';
import { corpusFolder } from '../../../tests/support/corpus.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { captureConfigSchema } from './capture-config.ts';
import type { SourceFact } from './captured-event.ts';
import { windowsXml } from './evtx-xml.ts';
import { openSource } from './open-source.ts';

const OFFICE = fileURLToPath(
  new URL('../../../ecs-schemas/fixtures/demo-office.xml.ndlines', import.meta.url),
);
const recorded = readFileSync(OFFICE, 'utf8').trimEnd().split('\n');
const [first = '', second = ''] = recorded;

interface Read {
  readonly events: string[];
  readonly facts: SourceFact[];
  readonly sizes: number[];
}

async function read(capture: unknown, stdin = Readable.from([])): Promise<Read> {
  const config = captureConfigSchema.parse(capture);
  const log: Log = SILENT_LOG;
  const source = openSource(config, { log, stdin, paths: settlePaths('/nowhere') });
  const so: Read = { events: [], facts: [], sizes: [] };
  for await (const batch of source.batches(undefined, new AbortController().signal)) {
    assert.equal(batch.position, undefined);
    so.events.push(...batch.events.map((event) => event.xml));
    so.facts.push(...batch.facts);
    so.sizes.push(batch.events.length);
  }
  return so;
}

function file(t: TestContext, content: string | Buffer, name = 'events.xml'): string {
  const path = join(temporaryFolder(t), name);
  writeFileSync(path, content);
  return path;
}

test('replay gives every line of a recording as it stands, in batches of the configured size', async () => {
  const so = await read({ source: 'replay', files: [OFFICE], batch_size: 40 });
  assert.deepEqual(so.events, recorded);
  assert.deepEqual(so.sizes, [40, 40, 40, 30]);
  assert.deepEqual(so.facts, []);
});

test('replay reads patterns in the order of names, each file once', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'b.xml'), second);
  writeFileSync(join(folder, 'a.xml'), `<Events>${first}</Events>`);
  const so = await read({ source: 'replay', files: [`${folder}/*.xml`, join(folder, 'a.xml')] });
  assert.deepEqual(so.events, [first, second]);
});

test('replay reads standard input as "-", and hands on what has come without waiting for more', async () => {
  const so = await read(
    { source: 'replay', files: '-' },
    Readable.from([`${first}\n`, `${second}\n`]),
  );
  assert.deepEqual(so.events, [first, second]);
  assert.deepEqual(so.sizes, [1, 1]);
});

test('replay reads UTF-16 with a byte order mark, as wevtutil and Event Viewer save it', async (t) => {
  const path = file(t, Buffer.from(`\ufeff<Events>${first}\r\n${second}</Events>`, 'utf16le'));
  assert.deepEqual((await read({ source: 'replay', files: [path] })).events, [first, second]);
});

test('replay reports what is no event and goes on', async (t) => {
  const path = file(t, `${first}\nnonsense\n${second.slice(0, 200)}\n${second}\n`);
  const so = await read({ source: 'replay', files: [path] });
  assert.deepEqual(so.events, [first, second]);
  assert.deepEqual(
    so.facts.map((fact) => fact.kind === 'unreadable' && fact.place),
    [`${path}:2`, `${path}:3`],
  );
});

test('replay with a rate gives small batches and no more events than the rate says', async () => {
  const startMs = performance.now();
  const so = await read({ source: 'replay', files: [OFFICE], rate: 600 });
  assert.equal(so.events.length, recorded.length);
  assert.ok(so.sizes.every((size) => size <= 150));
  assert.ok(performance.now() - startMs >= (recorded.length / 600) * 1000 - 50);
});

test('a file that is not there, or a pattern that finds none, is said before anything is read', async () => {
  for (const files of ['/nowhere/a.xml', '/nowhere/*.xml'])
    await assert.rejects(
      read({ source: 'replay', files: [OFFICE, files] }),
      /capture\.files: "\/nowhere/,
    );
});

test('capture: refuses a file source without files, and standard input as .evtx', () => {
  assert.match(
    captureConfigSchema.safeParse({ source: 'evtx' }).error?.issues[0]?.message ?? '',
    /Name at least one file/,
  );
  assert.match(
    captureConfigSchema.safeParse({ source: 'evtx', files: '-' }).error?.issues[0]?.message ?? '',
    /only read as XML/,
  );
  assert.equal(captureConfigSchema.parse(undefined).source, 'security-log');
});

test('windowsXml() brings what @ts-evtx/core prints to the form that Windows prints', () => {
  const printed =
    '<System>\n<EventID Qualifiers="">4688</EventID><Correlation ActivityID="" RelatedActivityID=""></Correlation>' +
    '<Execution ProcessID="4" ThreadID="56"></Execution><Security UserID=""></Security></System><EventData>' +
    '<Data Name="SubjectLogonId">0x3e7</Data><Data Name="NewProcessId">508</Data><Data Name="ProcessId">632</Data>' +
    '<Data Name="CommandLine">a 508\r\nb</Data></EventData>';
  assert.equal(
    windowsXml(printed),
    '<System>\n<EventID>4688</EventID><Correlation></Correlation>' +
      '<Execution ProcessID="4" ThreadID="56"></Execution><Security></Security></System><EventData>' +
      '<Data Name="SubjectLogonId">0x3e7</Data><Data Name="NewProcessId">0x1fc</Data><Data Name="ProcessId">0x278</Data>' +
      '<Data Name="CommandLine">a 508&#13;\nb</Data></EventData>',
  );
  assert.equal(windowsXml(first), first, 'what Windows printed stays');
});

test('evtx reports a file that is no log, one that is cut, and goes on', async (t) => {
  const header = Buffer.concat([Buffer.from('ElfFile\0'), Buffer.alloc(4088)]);
  const none = file(t, 'no log');
  const cut = file(t, Buffer.concat([header, Buffer.alloc(100, 1)]), 'cut.evtx');
  const junk = file(
    t,
    Buffer.concat([header, Buffer.alloc(65_536), Buffer.alloc(65_536, 7)]),
    'junk.evtx',
  );
  const magic = Buffer.concat([Buffer.from('ElfChnk\0'), Buffer.alloc(65_528, 3)]);
  const broken = file(t, Buffer.concat([header, magic]), 'broken.evtx');
  const so = await read({ source: 'evtx', files: [none, cut, junk, broken] });
  assert.deepEqual(so.events, []);
  const texts = so.facts.map((fact) =>
    fact.kind === 'unreadable' ? `${fact.place}: ${fact.reason}` : '',
  );
  assert.deepEqual(texts.slice(0, 3), [
    `${none}: File is no .evtx log.`,
    `${cut}, chunk 0: File ends within it, after 100 bytes.`,
    `${junk}, chunk 1: It does not begin as a chunk does.`,
  ]);
  assert.match(texts[3] ?? '', /broken\.evtx, chunk 0: Chunk is broken:/);
});

/** The real logs and how many process starts each has. */
const LOGS = {
  'DE_RDP_Tunnel_5156.evtx': 17,
  'LM_WMI_4624_4688_TargetHost.evtx': 2,
  'security_4624_4673_token_manip.evtx': 8,
};
const part = (xml: string, name: string): string =>
  new RegExp(`<Data Name="${name}">([^<]*)`).exec(xml)?.[1] ?? '';
const plain = (text: string): string =>
  text.replaceAll('&quot;', '"').replaceAll('&#x27;', "'").replaceAll('&amp;', '&');

const bytesOf = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
};

/**
 * Bytes of the record that holds `EventRecordID`. A record begins with `**\0\0` and its size (32 bits); the number after that is
 * its place in this file, not its id in the log.
 */
function recordBytes(log: Buffer, id: bigint, executable: string): Buffer {
  for (let at = log.indexOf('**\0\0'); at !== -1; at = log.indexOf('**\0\0', at + 4)) {
    const record = log.subarray(at + 24, at + log.readUInt32LE(at + 4));
    if (record.includes(bytesOf(id)) && record.includes(Buffer.from(executable, 'utf16le')))
      return record;
  }
  assert.fail(`no record ${id}`);
}

test('evtx gives every process start of real logs, with the values that stand in the bytes', async (t) => {
  const folder = join(corpusFolder(), 'evtx');
  if (!existsSync(folder)) {
    t.skip(`${folder} is not there; set LAUNCHBEAT_CORPUS to test with real logs`);
    return;
  }
  assert.deepEqual(globSync('*.evtx', { cwd: folder }).sort(), Object.keys(LOGS).sort());
  for (const [name, count] of Object.entries(LOGS)) {
    const path = join(folder, name);
    const so = await read({ source: 'evtx', files: [path] });
    assert.equal(so.events.length, count, name);
    assert.deepEqual(
      so.facts.filter((fact) => fact.kind !== 'warning'),
      [],
    );
    const log = readFileSync(path);
    for (const xml of so.events) {
      const id = BigInt(/<EventRecordID>(\d+)/.exec(xml)?.[1] ?? '');
      const record = recordBytes(log, id, plain(part(xml, 'NewProcessName')));
      for (const field of ['SubjectUserName', 'NewProcessName', 'CommandLine'])
        assert.ok(record.includes(Buffer.from(plain(part(xml, field)), 'utf16le')), field);
      for (const field of ['NewProcessId', 'ProcessId', 'SubjectLogonId']) {
        assert.match(part(xml, field), /^0x[0-9a-f]+$/);
        // A 32-bit Windows has pointers of four bytes.
        const bytes = bytesOf(BigInt(part(xml, field))).subarray(0, 4);
        assert.ok(record.includes(bytes), `${name}: ${field}`);
      }
    }
  }
});
