/**
 * Goal: no secret of a command line reaches a disk or a wire. Method: secrets of every kind are planted into events, whole and broken
 * ones; the real agent reads, spools and ships them; then every byte that it wrote, said or sent is searched.
 */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { stringify } from 'yaml';
import { eventXml } from '../../bench/event-xml.ts';
import { type ChunkSink, SINK_KEY, startChunkSink } from '../support/chunk-sink.ts';
import { corpusFolder } from '../support/corpus.ts';
import { plantedSecrets } from '../support/planted-secrets.ts';
import { runProgram } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const AGENT = 'agent/src/main.ts';

const escaped = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

/** Event number `n` with a command line of its own, also as a parent's and in the message. */
function eventOf(n: number, image: string, commandLine: string): string {
  const line = escaped(commandLine);
  return eventXml(n, { watched: true })
    .replace(/(<Data Name='NewProcessName'>)[^<]*/, (_, tag: string) => tag + image)
    .replace(/(<Data Name='CommandLine'>)[^<]*/, (_, tag: string) => tag + line)
    .replace('</EventData>', () => `<Data Name='ParentCommandLine'>${line}</Data></EventData>`)
    .replace(
      '</Event>',
      () =>
        `<RenderingInfo Culture='en-US'><Message>Started: ${line} (4688)</Message></RenderingInfo></Event>`,
    );
}

interface Run {
  readonly folder: string;
  readonly sink: ChunkSink;
  readonly said: string;
}

async function runAgent(
  t: TestContext,
  lines: readonly string[],
  config: object = {},
): Promise<Run> {
  const folder = temporaryFolder(t);
  const sink = await startChunkSink();
  t.after(() => sink.stop());
  const input = join(temporaryFolder(t), 'events.xml');
  writeFileSync(input, `${lines.join('\n')}\n`);
  const file = join(folder, 'launchbeat.yml');
  const given = {
    name: 'PC-042',
    capture: { source: 'replay', files: [input] },
    select: 'all',
    exclude: { system_accounts: false, helper_processes: false },
    output: { collector: { url: sink.url, api_key: SINK_KEY } },
    logging: { level: 'debug' },
    path: { data: join(folder, 'data'), logs: join(folder, 'logs') },
    ...config,
  };
  writeFileSync(file, stringify(given));
  const end = await runProgram(process.execPath, [AGENT, 'run', '-e', '-c', file]);
  assert.equal(end.code, 0, end.stderr);
  return { folder, sink, said: end.stdout + end.stderr };
}

/** Everything that the agent wrote, said or sent, by where it is. */
function everyByte({ folder, sink, said }: Run): Map<string, string> {
  const found = new Map([['what it said', said]]);
  for (const path of globSync(join(folder, '**/*'))) {
    if (statSync(path).isFile()) found.set(path, readFileSync(path, 'latin1'));
  }
  found.set('requests that are no chunks', sink.others.join('\n'));
  for (const [n, { lines, body }] of sink.requests.entries()) {
    found.set(`chunk ${n}`, `${lines.join('\n')}${body.toString('latin1')}`);
  }
  return found;
}

const planted = plantedSecrets(1000);
const secrets = planted.flatMap((one) => one.secrets);
const whole = planted.map(({ image, commandLine }, n) => eventOf(n, image, commandLine));

test('no planted secret is in any file, log line, message or chunk of the agent, of whole events', async (t) => {
  assert.ok(secrets.length >= 60, `${secrets.length} secrets`);
  const run = await runAgent(t, whole);
  const lines = run.sink
    .lines()
    .map((line) => JSON.parse(line) as { launchbeat: { redacted?: number } });
  assert.equal(lines.length, whole.length);
  assert.deepEqual(
    lines.filter(({ launchbeat }) => (launchbeat.redacted ?? 0) < 1),
    [],
  );
  for (const [place, bytes] of everyByte(run)) {
    for (const secret of secrets) assert.ok(!bytes.includes(secret), `${secret} is in ${place}`);
  }
});

test('nor of events that are broken, torn or no events, which are kept aside', async (t) => {
  const broken = whole.flatMap((xml, n) => [
    xml.replace(/<Computer>[^<]*<\/Computer>/, ''),
    xml.replace('</System>', '</Sistem>'),
    // Torn behind the last of the command line.
    xml.slice(0, xml.indexOf("<Data Name='TargetUserSid'>")),
    `WARNING reader: ${planted[n]?.commandLine ?? ''}`,
  ]);
  const run = await runAgent(t, broken);
  const found = everyByte(run);
  const kept = [...found].filter(([path]) => path.includes('quarantine'));
  assert.ok(kept.length > 0);
  assert.ok(kept.some(([, bytes]) => /redacted:password/.test(bytes)));
  for (const [place, bytes] of found) {
    for (const secret of secrets) assert.ok(!bytes.includes(secret), `${secret} is in ${place}`);
  }
});

/** Events of real PCs; undefined where they are missing, which skips the test. */
function corpus(t: TestContext): string[] | undefined {
  const file = join(corpusFolder(), '4688.xml.ndlines');
  if (existsSync(file)) return readFileSync(file, 'utf8').trimEnd().split('\n');
  t.skip(`${file} is not there; set LAUNCHBEAT_CORPUS to test with real events`);
  return undefined;
}

function assertNowhere(run: Run, hidden: readonly string[]): void {
  for (const [place, bytes] of everyByte(run)) {
    for (const secret of hidden) assert.ok(!bytes.includes(secret), `${secret} is in ${place}`);
  }
}

/** What the recorded attackers typed. */
const RECORDED_SECRET = /(?:\/add backdoor|\/rc4:) ?([^\s"]+)/g;

test('of real events every line without a secret comes out as it was, and the recorded secrets not at all', async (t) => {
  const events = corpus(t);
  if (events === undefined) return;
  const plain = (text: string): string =>
    text
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&amp;', '&');
  const given = events.map((xml) =>
    plain(/<Data Name='CommandLine'>([^<]*)</.exec(xml)?.[1] ?? ''),
  );
  const recorded = given.flatMap((line) =>
    [...line.matchAll(RECORDED_SECRET)].map((found) => found[1] ?? ''),
  );
  assert.equal(recorded.length, 4);
  const run = await runAgent(t, events);
  const got = run.sink
    .lines()
    .map((line) => JSON.parse(line) as { process: { command_line?: string } })
    .map((document) => document.process.command_line ?? '');
  assert.equal(got.length, events.length);
  const differ = given.filter((line, n) => line !== got[n]);
  assert.equal(differ.length, recorded.length);
  assert.ok(differ.every((line) => recorded.some((secret) => line.includes(secret))));
  assertNowhere(run, recorded);
});

test('a secret that is planted into each real event is in no byte', async (t) => {
  const events = corpus(t);
  if (events === undefined) return;
  const many = Array.from({ length: Math.ceil(events.length / planted.length) }, (_, n) =>
    plantedSecrets(10_000 * (n + 1)),
  ).flat();
  const run = await runAgent(
    t,
    events.map((xml, n) => {
      const { image = '', commandLine = '' } = many[n] ?? {};
      return xml
        .replace(/(<Data Name='NewProcessName'>)[^<]*/, (_, tag: string) => tag + image)
        .replace(
          /(<Data Name='CommandLine'>)[^<]*/,
          (_, tag: string) => tag + escaped(commandLine),
        );
    }),
  );
  assert.equal(run.sink.lines().length, events.length);
  const hidden = many.slice(0, events.length).flatMap((one) => one.secrets);
  assert.ok(new Set(hidden).size >= events.length);
  assertNowhere(run, hidden);
});

test('marks are joinable over a restart, ids are those of events that were not redacted, the key is private', async (t) => {
  const one = eventOf(1, 'C:\\Tools\\app.exe', 'app --password Zq81kk');
  const first = await runAgent(t, [
    one,
    eventOf(2, 'C:\\Tools\\net.exe', 'net use x: \\\\a\\b Zq81kk'),
  ]);
  const key = join(first.folder, 'data', 'redaction-key.json');
  if (process.platform !== 'win32') assert.equal(statSync(key).mode & 0o777, 0o600);
  interface Line {
    readonly event: { readonly id: string };
    readonly process: { readonly command_line: string };
    readonly launchbeat: { readonly command_line_length: number };
  }
  const linesOf = (run: Run): Line[] => run.sink.lines().map((line) => JSON.parse(line) as Line);
  const mark = (line: Line | undefined): string | undefined =>
    /‹redacted:password:[0-9a-f]{8}›/.exec(line?.process.command_line ?? '')?.[0];
  const [a, b] = linesOf(first);
  assert.ok(mark(a) !== undefined);
  assert.equal(mark(a), mark(b));

  const again = await runAgent(t, [one], {
    path: { data: join(first.folder, 'data'), logs: join(first.folder, 'logs') },
  });
  assert.equal(mark(linesOf(again)[0]), mark(a));

  const open = await runAgent(t, [one], { redaction: { enabled: false } });
  const [plain] = linesOf(open);
  assert.equal(plain?.process.command_line, 'app --password Zq81kk');
  assert.equal(plain?.event.id, a?.event.id);
  assert.equal(plain?.launchbeat.command_line_length, a?.launchbeat.command_line_length);
});
