/**
 * Goal: an event becomes the document that its fixture says, value by value; what is left out or refused says why.
 * Method: ecs-schemas/fixtures/<name>.xml against <name>.expected.json, whose values were worked out from ECS's and Winlogbeat's
 * rules; then the same over real events, the worked examples and anything at all.
 */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LIMIT, type ProcessStart, processStartSchema } from '@launchbeat/ecs-schemas';
import fc from 'fast-check';
import { corpusFolder } from '../../../tests/support/corpus.ts';
import { createMapper, type MapOutcome } from './create-mapper.ts';
import { mapConfigSchema } from './map-config.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FIXTURES = join(ROOT, 'ecs-schemas/fixtures');
const READ_AT = '2026-03-02T06:15:32.000Z';
const EVERYTHING = {
  select: 'all',
  exclude: { system_accounts: false, helper_processes: false },
} as const;
const AGENT = {
  id: '4f0b7c1e-58a3-4d0e-9a6b-2f6a1c9d7e55',
  name: 'pc-017',
  version: '0.1.0',
  ephemeralId: '0d2b9a3c-7f41-4f5e-8a57-6c1d2e3f4a5b',
};

/** What the mapper writes into every document of these tests, whatever the event. */
const SAME = {
  agent: {
    id: AGENT.id,
    name: AGENT.name,
    type: 'launchbeat',
    version: AGENT.version,
    ephemeral_id: AGENT.ephemeralId,
  },
  data_stream: { type: 'logs', dataset: 'system.security_launchbeat', namespace: 'office' },
};

function mapXml(xml: string, config: unknown = EVERYTHING): MapOutcome {
  const mapper = createMapper({
    config: mapConfigSchema.parse(config),
    agent: AGENT,
    namespace: 'office',
  });
  return mapper.map({ xml, readAtMs: Date.parse(READ_AT) });
}

function documentOf(outcome: MapOutcome): ProcessStart {
  assert.ok(outcome.outcome === 'done', JSON.stringify(outcome));
  return outcome.document;
}

/** The folder or file of the corpus, or a skipped test. */
function corpus(t: TestContext, name: string): string | undefined {
  const path = join(corpusFolder(), name);
  if (existsSync(path)) return path;
  t.skip(`${path} is not there; set LAUNCHBEAT_CORPUS to test with real events`);
  return undefined;
}

interface Expected {
  readonly config: unknown;
  readonly outcome: MapOutcome['outcome'];
  readonly reason?: string;
  readonly watched?: boolean;
  readonly document?: Record<string, Record<string, unknown>>;
}

const names = globSync(`${FIXTURES}/*.xml`).map((file) => basename(file, '.xml'));

test('there are fixtures, and each has what is expected of it', () => {
  assert.ok(names.length >= 25, `${names.length} fixtures`);
  assert.deepEqual(
    globSync(`${FIXTURES}/*.expected.json`)
      .map((file) => basename(file, '.expected.json'))
      .sort(),
    names.toSorted(),
  );
});

for (const name of names) {
  test(`map(${name}) gives what its fixture says`, () => {
    const xml = readFileSync(join(FIXTURES, `${name}.xml`), 'utf8').trimEnd();
    const expected = JSON.parse(
      readFileSync(join(FIXTURES, `${name}.expected.json`), 'utf8'),
    ) as Expected;
    const outcome = mapXml(xml, expected.config);
    if (expected.document === undefined) {
      assert.deepEqual(outcome, { outcome: expected.outcome, reason: expected.reason });
      return;
    }
    const document = documentOf(outcome);
    assert.deepEqual(document, {
      ...SAME,
      ...expected.document,
      event: { ...expected.document['event'], created: READ_AT },
    });
    assert.equal(outcome.outcome === 'done' && outcome.watched, expected.watched);
    assert.deepEqual(processStartSchema.safeParse(document).error?.issues, undefined);
    assert.equal(
      JSON.stringify(documentOf(mapXml(xml, expected.config))),
      JSON.stringify(document),
    );
  });
}

const chromeXml = readFileSync(join(FIXTURES, 'v2-person-chrome.xml'), 'utf8').trimEnd();
const withCommandLine = (text: string): string =>
  chromeXml.replace(/(<Data Name='CommandLine'>)[^<]*/, (_, tag: string) => tag + text);

test('a command line past its share of a line is cut between characters, flagged, its length kept', () => {
  const document = documentOf(mapXml(withCommandLine('漢'.repeat(32_767))));
  assert.equal(document.process.command_line, '漢'.repeat(Math.floor(65_536 / 3)));
  assert.equal(document.launchbeat.command_line_length, 32_767);
  assert.ok(document.launchbeat.flags?.includes('truncated'));
  assert.ok(Buffer.byteLength(JSON.stringify(document)) < LIMIT.lineBytesMax);
});

test('the longest command line that Windows has is kept whole where it fits', () => {
  const text = `a "${'x'.repeat(32_763)}`;
  const document = documentOf(mapXml(withCommandLine(text)));
  assert.equal(document.process.command_line, text);
  assert.ok(!document.launchbeat.flags?.includes('truncated'));
});

test('a document that would be longer than a line of the wire is refused, not sent', () => {
  const extra = `<Data Name='More'>${'漢'.repeat(90_000)}</Data></EventData>`;
  const outcome = mapXml(chromeXml.replace('</EventData>', extra));
  assert.deepEqual(outcome, {
    outcome: 'refused',
    reason: 'Document is longer than a line of the wire may be.',
  });
});

test('half a surrogate pair becomes U+FFFD, so that the line is UTF-8', () => {
  const document = documentOf(mapXml(withCommandLine('a \ud83d b &#xD800;')));
  assert.equal(document.process.command_line, 'a \ufffd b ');
  assert.ok(document.launchbeat.flags?.includes('control_characters'));
  assert.ok(JSON.stringify(document).isWellFormed());
});

test('elements nested without end, and more of them than an event has, are refused', () => {
  const deep = `<Event>${'<a>'.repeat(40)}${'</a>'.repeat(40)}</Event>`;
  assert.deepEqual(mapXml(deep), { outcome: 'refused', reason: 'Elements are nested too deep.' });
  const many = `<Event>${'<a/>'.repeat(5000)}</Event>`;
  assert.deepEqual(mapXml(many), { outcome: 'refused', reason: 'It has too many elements.' });
  assert.equal(mapXml(`<Event>${'a'.repeat(2_200_000)}</Event>`).outcome, 'refused');
});

test('an entity that XML does not have is refused', () => {
  assert.equal(mapXml(withCommandLine('&xxe;')).outcome, 'refused');
});

test('select: all with exclusions counts every event once, by its first reason', () => {
  const reasons = names.map((name) => {
    const xml = readFileSync(join(FIXTURES, `${name}.xml`), 'utf8').trimEnd();
    const outcome = mapXml(xml, { select: 'all' });
    return 'reason' in outcome ? `${outcome.outcome} ${outcome.reason}` : outcome.outcome;
  });
  assert.equal(reasons.length, names.length);
  assert.equal(reasons.filter((reason) => reason === 'left_out not_watched').length, 0);
  assert.equal(reasons.filter((reason) => reason === 'left_out helper_process').length, 6);
});

test('a program of the config is found by name and path without case, the first that fits first', () => {
  const config = {
    programs: [
      { label: 'Elsewhere', names: ['CHROME.EXE'], paths: ['D:\\*'] },
      { label: 'Mine', names: ['Chrome.exe'], paths: ['*\\GOOGLE\\*'] },
      { label: 'Never', names: ['chrome.exe'] },
    ],
  };
  assert.equal(documentOf(mapXml(chromeXml, config)).launchbeat.program, 'Mine');
});

test('no text at all makes the mapper throw, and every document is one that the collector takes', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '<Event>',
      '</Event>',
      '<Data Name="__proto__">',
      '</Data>',
      '&#0;',
      '&amp;',
      '<!--',
      ']]>',
      chromeXml,
    ),
  );
  const value = fc
    .string({ unit: 'binary', maxLength: 60 })
    .map((text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      mapXml(pieces.join(''));
    }),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 12 }), value, (name, text) => {
      const field = `<Data Name='${name.replace(/[&<>'"]/g, '')}'>${text}</Data>`;
      const document = documentOf(
        mapXml(withCommandLine(text).replace('</EventData>', `${field}</EventData>`)),
      );
      const line = JSON.stringify(document);
      assert.ok(line.isWellFormed());
      assert.deepEqual(processStartSchema.safeParse(JSON.parse(line)).error?.issues, undefined);
    }),
    { numRuns: 300 },
  );
});

for (const name of ['4688-v0', '4688-v1', '4688-v2']) {
  test(`the worked example ${name} gives its document, our additions aside`, (t) => {
    const folder = corpus(t, '4688-worked');
    if (folder === undefined) return;
    const document = documentOf(mapXml(readFileSync(join(folder, `${name}.xml`), 'utf8').trim()));
    const { agent, data_stream, launchbeat, event, host, related, ...rest } = document;
    const { id, created, sequence, ...eventRest } = event;
    const { os, ...hostRest } = host;
    const { hosts, ...relatedRest } = related ?? {};
    for (const added of [agent, data_stream, launchbeat, id, created, sequence, os, hosts])
      assert.notEqual(added, undefined);
    assert.deepEqual(
      // These two are put in where the line is written.
      {
        ...rest,
        event: eventRest,
        host: hostRest,
        related: relatedRest,
        log: { level: 'information' },
        ecs: { version: '8.17.0' },
      },
      JSON.parse(readFileSync(join(folder, `${name}.expected.json`), 'utf8')),
    );
  });
}

test('every one of 577 real events becomes a document that the collector takes', (t) => {
  const file = corpus(t, '4688.xml.ndlines');
  if (file === undefined) return;
  const ids = new Set<string>();
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  for (const line of lines) {
    const document = documentOf(mapXml(line));
    assert.deepEqual(processStartSchema.safeParse(document).error?.issues, undefined);
    ids.add(document.event.id);
  }
  assert.equal(lines.length, 577);
  // Six events of one data set came without their record id (0) and share one millisecond: nothing tells them apart.
  assert.equal(ids.size, 572);
});

test('shipped, left out and refused add up to 577 in either mode', (t) => {
  const file = corpus(t, '4688.xml.ndlines');
  if (file === undefined) return;
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  for (const config of [{}, { select: 'all' }]) {
    const counts: Record<string, number> = {
      done: 0,
      system_account: 0,
      helper_process: 0,
      not_watched: 0,
    };
    for (const line of lines) {
      const outcome = mapXml(line, config);
      const key = 'reason' in outcome ? outcome.reason : outcome.outcome;
      counts[key] = (counts[key] ?? 0) + 1;
    }
    t.diagnostic(`${JSON.stringify(config)}: ${JSON.stringify(counts)}`);
    assert.deepEqual(Object.keys(counts).sort(), [
      'done',
      'helper_process',
      'not_watched',
      'system_account',
    ]);
    assert.equal(
      Object.values(counts).reduce((sum, count) => sum + count),
      577,
    );
  }
});
