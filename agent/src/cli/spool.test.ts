/**
 * Goal: an operator sees, checks, prints and sends again what lies on disk. Method: the real program on real folders, against a
 * sink that keeps a ledger, and against the real collector on PostgreSQL.
 */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { idempotencyKey } from '@launchbeat/ecs-schemas';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { stringify } from 'yaml';
import { SINK_KEY, startChunkSink } from '../../../tests/support/chunk-sink.ts';
import { startCollectorApp } from '../../../tests/support/collector-app.ts';
import { ndjsonLines, processStart, TEST_AGENT_ID } from '../../../tests/support/documents.ts';
import { runProgram } from '../../../tests/support/processes.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { lockFolder } from '../lock-folder.ts';
import { readCheckpoint, writeCheckpoint } from '../spool/checkpoint.ts';
import { createUploader } from '../upload/create-uploader.ts';
import { outputConfigSchema } from '../upload/output-config.ts';

const segmentName = (number: number): string => `launchbeat.20261123.${number}.ndjson`;
const documents = (count: number): Buffer =>
  ndjsonLines(Array.from({ length: count }, () => processStart()));

/** A data folder with three segments; the first one and two lines of the second are acknowledged. */
function dataFolder(t: TestContext): { data: string; spool: string; lines: string[] } {
  const data = temporaryFolder(t);
  const spool = join(data, 'spool');
  mkdirSync(spool);
  const parts = [documents(3), documents(4), documents(2)];
  for (const [index, part] of parts.entries()) {
    writeFileSync(join(spool, segmentName(index + 1)), part);
  }
  const offset = nthLineEnd(parts[1] ?? Buffer.alloc(0), 2);
  writeCheckpoint(data, { segment: segmentName(2), number: 2, offset });
  return { data, spool, lines: Buffer.concat(parts).toString('utf8').split('\n').slice(0, -1) };
}

function nthLineEnd(bytes: Buffer, count: number): number {
  let at = 0;
  for (let line = 0; line < count; line += 1) at = bytes.indexOf(0x0a, at) + 1;
  return at;
}

/** Runs `launchbeat` with a config of its own. */
async function launchbeat(
  data: string,
  args: readonly string[],
  way: { url?: string; apiKey?: string } = {},
) {
  const file = join(data, 'launchbeat.yml');
  const collector = { url: way.url ?? 'http://127.0.0.1:9', api_key: way.apiKey ?? SINK_KEY };
  writeFileSync(file, stringify({ output: { collector }, path: { data, logs: data } }));
  return runProgram(process.execPath, ['agent/src/main.ts', ...args, '-c', file]);
}

async function drain(data: string, url: string): Promise<void> {
  const config = outputConfigSchema.parse({ url, api_key: SINK_KEY });
  const uploader = createUploader({
    ...{ spoolFolder: join(data, 'spool'), stateFolder: data, config },
    ...{ agentId: TEST_AGENT_ID, log: SILENT_LOG },
  });
  const end = new AbortController();
  const running = uploader.run(end.signal);
  await uploader.drained(AbortSignal.timeout(60_000));
  end.abort();
  await running;
  await uploader.close();
}

test('spool ls shows lines, bytes and what waits, segment by segment', async (t) => {
  const { data } = dataFolder(t);
  const { code, stdout } = await launchbeat(data, ['spool', 'ls']);
  const rows = stdout.split('\n').map((row) => row.split(/ {2,}| (?=\d)/));
  const cells = (name: string) => rows.find((row) => row[0] === name);
  assert.equal(code, 0);
  assert.deepEqual(
    cells(segmentName(1))
      ?.filter((cell) => cell !== '')
      .at(-1),
    'acknowledged',
  );
  assert.match(stdout, /^launchbeat\.20261123\.2\.ndjson +4 +\d+ +2 +\d+ +pending$/m);
  assert.match(stdout, /^launchbeat\.20261123\.3\.ndjson +2 +(\d+) +2 +\1 +pending$/m);
  assert.match(stdout, /^all +9 +\d+ +4 +\d+$/m);
});

test('spool check passes a whole spool, names every broken place and ends with 1', async (t) => {
  const { data, spool } = dataFolder(t);
  assert.equal((await launchbeat(data, ['spool', 'check'])).code, 0);
  const start = readFileSync(join(spool, segmentName(1))).length;
  const wrong = [
    '{"no":"document"}',
    'not JSON',
    '\0'.repeat(9),
    `{"x":"${'y'.repeat(1_500_000)}"}`,
    '{"torn',
  ];
  appendFileSync(join(spool, segmentName(1)), wrong.join('\n'));
  const { code, stdout } = await launchbeat(data, ['spool', 'check']);
  assert.equal(code, 1);
  let first = start;
  const says = [/no document/, /not JSON/, /not JSON/, /1500008 bytes, too many/, /torn/];
  for (const [index, line] of wrong.entries()) {
    const last = first + line.length - (index === wrong.length - 1 ? 1 : 0);
    const said = stdout
      .split('\n')
      .find((row) => row.startsWith(`${segmentName(1)}@${first}-${last}: `));
    assert.match(said ?? stdout, says[index] ?? /x/);
    first = last + 1;
  }
  assert.match(stdout, /5 broken places/);
});

test('spool check takes half a line at the end for a line in the making while an agent lives', async (t) => {
  const { data, spool } = dataFolder(t);
  appendFileSync(join(spool, segmentName(3)), '{"half');
  assert.equal((await launchbeat(data, ['spool', 'check'])).code, 1);
  const unlock = await lockFolder(data);
  t.after(unlock);
  assert.equal((await launchbeat(data, ['spool', 'check'])).code, 0);
});

test('spool export prints the lines as they stand, all, pending or of one segment', async (t) => {
  const { data, spool, lines } = dataFolder(t);
  const printed = async (...args: string[]) =>
    (await launchbeat(data, ['spool', 'export', ...args])).stdout.split('\n').slice(0, -1);
  assert.deepEqual(await printed(), lines);
  assert.deepEqual(await printed('--pending'), lines.slice(5));
  assert.deepEqual(await printed(segmentName(3)), lines.slice(7));
  appendFileSync(join(spool, segmentName(1)), 'broken\n');
  const { code, stdout, stderr } = await launchbeat(data, ['spool', 'export']);
  assert.deepEqual(stdout.split('\n').slice(0, -1), lines);
  assert.match(stderr, /launchbeat\.20261123\.1\.ndjson@\d+-\d+: line is not JSON; left out/);
  assert.equal(code, 1);
});

test('spool resend sends acknowledged lines once more, under keys that cannot clash', async (t) => {
  const { data, spool } = dataFolder(t);
  const sink = await startChunkSink();
  t.after(() => sink.stop());
  writeCheckpoint(data, { segment: segmentName(1), number: 1, offset: 0 });
  await drain(data, sink.url);
  const before = sink.requests.length;
  assert.equal((await launchbeat(data, ['spool', 'resend', segmentName(2)])).code, 0);
  appendFileSync(join(spool, segmentName(3)), documents(1));
  await drain(data, sink.url);
  const again = sink.requests.slice(before);
  assert.equal(again.flatMap((chunk) => chunk.lines).length, 7);
  assert.ok(
    again.every((chunk) => /^again\.zstd-[\d.]+-level-\d-at-once\.launchbeat\./.test(chunk.key)),
  );
  assert.deepEqual(readCheckpoint(data, SILENT_LOG)?.resend, undefined);
  appendFileSync(join(spool, segmentName(3)), documents(1));
  await drain(data, sink.url);
  assert.match(sink.requests.at(-1)?.key ?? '', /^launchbeat\./);
  assert.deepEqual(sink.faults, []);
});

test('spool resend refuses while an agent lives, an unknown segment, and one that was not sent', async (t) => {
  const { data } = dataFolder(t);
  const before = readCheckpoint(data, SILENT_LOG);
  const resend = async (...args: string[]) => launchbeat(data, ['spool', 'resend', ...args]);
  assert.match((await resend(segmentName(9))).stderr, /is not there; `spool ls`/);
  assert.match((await resend(segmentName(3))).stderr, /has not been sent yet/);
  assert.match((await resend()).stderr, /--all/);
  const unlock = await lockFolder(data);
  const held = await resend('--all');
  unlock();
  assert.equal(held.code, 1);
  assert.match(held.stderr, /in use by another launchbeat/);
  assert.deepEqual(readCheckpoint(data, SILENT_LOG), before);
  assert.equal((await resend('--all')).code, 0);
  assert.equal(readCheckpoint(data, SILENT_LOG)?.segment, segmentName(1));
});

test('ship sends a copied spool twice without doubling, also what its agent had sent with another compressor', async (t) => {
  const { spool, lines } = dataFolder(t);
  const app = await startCollectorApp(t);
  const first = readFileSync(join(spool, segmentName(1)));
  // The agent itself sent the first segment, by another version of zstd: other bytes under the same key.
  const compressed = zstdCompressSync(first, { params: { 100: 19 } });
  const sent = await app.send(compressed, {
    compressed: true,
    lines: 3,
    idempotencyKey: idempotencyKey(segmentName(1), 0, first.length - 1),
  });
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  const here = temporaryFolder(t);
  cpSync(spool, join(here, 'copy'), { recursive: true });
  appendFileSync(join(here, 'copy', segmentName(3)), '{"half');
  const way = { url: app.server.url, apiKey: app.key.encoded };
  const ship = async (...args: string[]) =>
    launchbeat(here, ['ship', join(here, 'copy'), ...args], way);
  const [one, two] = [await ship(), await ship()];
  assert.deepEqual([one.code, two.code], [0, 0], one.stderr + two.stderr);
  assert.match(one.stdout, /9 lines shipped: 6 new, 3 known, 0 rejected\n6 bytes at the end/);
  assert.match(two.stdout, /0 lines shipped/);
  const third = await ship('--state', join(here, 'other'));
  assert.match(third.stdout, /9 lines shipped/);
  const [{ count }] = (await app.sql`select count(*)::int as count from events`) as [
    { count: number },
  ];
  assert.equal(count, lines.length);
  assert.deepEqual(readdirSync(join(here, 'copy')).sort(), [1, 2, 3].map(segmentName));
});

test("ship refuses another PC's key before it sends anything, and says which one is needed", async (t) => {
  const { spool } = dataFolder(t);
  const sink = await startChunkSink({ whoami: { key_id: 'key-1', agent_id: 'somebody-else' } });
  t.after(() => sink.stop());
  const here = temporaryFolder(t);
  const { code, stdout, stderr } = await launchbeat(
    here,
    ['ship', spool, '--state', join(here, 's')],
    {
      url: sink.url,
    },
  );
  assert.equal(code, 1);
  assert.match(stdout, /belongs to agent somebody-else/);
  assert.match(stderr, /under that agent's own key, or under a new one/);
  assert.equal(sink.requests.length, 0);
});

test('ship refuses two agents in one folder, a state of another spool, its own spool and an empty folder', async (t) => {
  const { data, spool } = dataFolder(t);
  const sink = await startChunkSink();
  t.after(() => sink.stop());
  const here = temporaryFolder(t);
  const ship = async (folder: string, state: string) =>
    (await launchbeat(here, ['ship', folder, '--state', join(here, state)], { url: sink.url }))
      .stderr;
  assert.match(await ship(here, 'a'), /holds no events/);
  assert.equal(await ship(spool, 'b'), '');
  const other = temporaryFolder(t);
  const foreign = ndjsonLines([processStart({ agent: { id: crypto.randomUUID() } })]);
  writeFileSync(join(other, segmentName(1)), foreign);
  assert.match(await ship(other, 'b'), /not that of .*--state/);
  writeFileSync(join(spool, segmentName(4)), foreign);
  assert.match(await ship(spool, 'c'), /events of 2 agents/);
  assert.match((await launchbeat(data, ['ship', spool])).stderr, /this agent's own spool/);
});
