/**
 * Goal: processors do what they do in Beats, in order, and cannot break a document.
 * Method: configs as an operator writes them, read by the real config reader; documents made of a fixture by the real mapper.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { processStartSchema } from '@launchbeat/ecs-schemas';
import fc from 'fast-check';
import { loadConfig } from '../../../../ecs-schemas/src/beat/load-config.ts';
import { temporaryFolder } from '../../../../tests/support/temporary-folder.ts';
import { createMapper, type MapOutcome, type Mapper } from '../create-mapper.ts';
import { mapConfigSchema } from '../map-config.ts';

const FIXTURES = fileURLToPath(new URL('../../../../ecs-schemas/fixtures', import.meta.url));
const XML = readFileSync(join(FIXTURES, 'v2-person-chrome.xml'), 'utf8').trimEnd();

function configOf(t: TestContext, yaml: string) {
  const file = join(temporaryFolder(t), 'launchbeat.yml');
  writeFileSync(file, yaml);
  return loadConfig({ file, schema: mapConfigSchema, environment: {} });
}

function mapperWith(t: TestContext, yaml: string): Mapper {
  return createMapper({
    config: configOf(t, yaml),
    agent: {
      id: '4f0b7c1e-58a3-4d0e-9a6b-2f6a1c9d7e55',
      name: 'pc-017',
      version: '0.1.0',
      ephemeralId: '0d2b9a3c-7f41-4f5e-8a57-6c1d2e3f4a5b',
    },
    namespace: 'office',
  });
}

const mapWith = (t: TestContext, yaml: string): MapOutcome =>
  mapperWith(t, yaml).map({ xml: XML, readAtMs: 0 });

function documentOf(t: TestContext, yaml: string): Record<string, unknown> {
  const outcome = mapWith(t, yaml);
  assert.ok(outcome.outcome === 'done', JSON.stringify(outcome));
  assert.deepEqual(processStartSchema.safeParse(outcome.document).error?.issues, undefined);
  return outcome.document as Record<string, unknown>;
}

test('drop_event leaves the event out under its own reason, with the processor that did it', (t) => {
  const yaml = `
processors:
  - add_tags: {tags: [seen]}
  - if.equals.process.name: chrome.exe
    then:
      - drop_event.when.not.contains.process.command_line: --incognito
`;
  assert.deepEqual(mapWith(t, yaml), {
    outcome: 'left_out',
    reason: 'processor',
    place: 'processors.1.then.0',
  });
});

test('a processor whose condition does not hold does nothing', (t) => {
  const plain = documentOf(t, '');
  const yaml = `
processors:
  - drop_event: {when: {equals: {process.name: firefox.exe}}}
  - drop_fields: {fields: [process.args], when: {has_fields: [nothing]}}
  - if: {regexp: {host.name: '^never'}}
    then: [{add_tags: {tags: [a]}}]
`;
  assert.deepEqual(documentOf(t, yaml), plain);
});

test('add_fields, add_tags and drop_fields change the document in order, else takes the other way', (t) => {
  const yaml = `
processors:
  - add_fields: {fields: {site: Kazan, rack.row: 4}}
  - add_fields: {target: '', fields: {labels.owner: it, organization: {name: Office, units: [a, b]}}}
  - add_tags: {tags: [kiosk, windows]}
  - add_tags: {tags: [kiosk, late]}
  - if: {equals: {fields.site: Perm}}
    then: {drop_event: {}}
    else:
      add_fields: {target: labels, fields: {branch: other}}
  - drop_fields: {fields: [winlog.event_data.CommandLine, process.args, no.such.field]}
`;
  const document = documentOf(t, yaml) as {
    fields: unknown;
    labels: unknown;
    organization: unknown;
    tags: unknown;
    process: object;
    winlog: { event_data: object };
  };
  assert.deepEqual(document.fields, { site: 'Kazan', rack: { row: 4 } });
  assert.deepEqual(document.labels, { owner: 'it', branch: 'other' });
  assert.deepEqual(document.organization, { name: 'Office', units: ['a', 'b'] });
  assert.deepEqual(document.tags, ['kiosk', 'windows', 'late']);
  assert.ok(!('args' in document.process) && 'command_line' in document.process);
  assert.ok(!('CommandLine' in document.winlog.event_data));
});

test('processors see the command line redacted', (t) => {
  const yaml = `
processors:
  - drop_event.when.contains.process.command_line: 'redacted:password'
`;
  const mapper = createMapper({
    config: configOf(t, `select: all\n${yaml}`),
    agent: {
      id: '4f0b7c1e-58a3-4d0e-9a6b-2f6a1c9d7e55',
      name: 'x',
      version: '0.1.0',
      ephemeralId: 'x',
    },
    namespace: 'office',
  });
  const xml = XML.replace(/(<Data Name='CommandLine'>)[^<]*/, '$1app --password x1y2z3');
  const outcome = mapper.map({ xml, readAtMs: 0 });
  assert.equal(outcome.outcome === 'left_out' && outcome.reason, 'processor');
});

test('mistakes are named with key, line and mend, all at once', (t) => {
  const yaml = `processors:
  - drop_evnt: {}
  - drop_fields: {fields: [event.id, agent, launchbeat.launch, process.args]}
  - add_fields: {target: '', fields: {host.name: other}}
  - add_fields: {fields: {}}
  - add_tags: {tags: []}
  - add_tags: {tags: [a], target: host}
  - drop_event: {when: {equal: {a: 1}}}
  - if: {has_fields: [a]}
  - drop_event: {}
    add_tags: {tags: [x]}
  - add_fields: {target: '', fields: {winlog.event_data.Mine: x, process.args.more: y}}
`;
  let message = '';
  try {
    configOf(t, yaml);
  } catch (error) {
    message = (error as Error).message.replaceAll(/^.*launchbeat\.yml:/gm, '');
  }
  assert.deepEqual(message.split('\n'), [
    '2: processors.0.drop_evnt: "drop_evnt" is no processor. Expected one of drop_event, drop_fields, add_fields, add_tags, or if/then/else.',
    '3: processors.1.drop_fields.fields.0: Every document needs event.id. Delete it from this list.',
    '3: processors.1.drop_fields.fields.1: Every document needs agent. Delete it from this list.',
    '3: processors.1.drop_fields.fields.2: Every document needs launchbeat.launch. Delete it from this list.',
    '4: processors.2.add_fields.fields: host.name belongs to the event. Choose another name, such as labels.name.',
    '5: processors.3.add_fields.fields: Expected fields and their values, such as {site: Kazan}.',
    '6: processors.4.add_tags.tags: Expected a list of texts, such as [kiosk].',
    '7: processors.5.add_tags.target: host belongs to the event. Leave target out for tags.',
    '8: processors.6.drop_event.when.equal: "equal" is no condition. Expected one of equals, contains, regexp, range, network, has_fields, and, or, not.',
    '9: processors.7: Missing "then". Write the processors of it there.',
    '10: processors.8: Expected one processor behind each "- ", found drop_event, add_tags.',
    '12: processors.9.add_fields.fields: winlog.event_data.Mine belongs to the event. Choose another name, such as labels.Mine.',
    '12: processors.9.add_fields.fields: process.args.more belongs to the event. Choose another name, such as labels.more.',
  ]);
});

test('what processors add is bounded', (t) => {
  const yaml = `processors:\n  - add_fields: {fields: {a: '${'x'.repeat(9000)}'}}\n`;
  assert.throws(() => configOf(t, yaml), /add more than 8192 bytes/);
});

test('whatever fields are dropped or added, a config that is taken gives documents that the collector takes', (t) => {
  const plain = documentOf(t, '');
  const paths = (value: unknown, before = ''): string[] =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).flatMap(([key, inner]) => [
          before + key,
          ...paths(inner, `${before}${key}.`),
        ])
      : [];
  const field = fc.constantFrom(
    ...paths(plain),
    'fields.x',
    'labels.y',
    'process.more',
    'winlog.more.x',
  );
  const processor = fc.oneof(
    field.map((name) => ({ drop_fields: { fields: [name] } })),
    fc
      .tuple(field, fc.constantFrom(1, 'x', null, ['a'], true))
      .map(([name, value]) => ({ add_fields: { target: '', fields: { [name]: value } } })),
    field.map((name) => ({ add_tags: { tags: ['a'], target: name } })),
  );
  fc.assert(
    fc.property(fc.array(processor, { maxLength: 4 }), (processors) => {
      const config = mapConfigSchema.safeParse({ processors });
      if (!config.success) return;
      documentOf(t, `processors: ${JSON.stringify(processors)}`);
    }),
    { numRuns: 200 },
  );
});

test('what a processor does to the parts that all documents share, it does to one document', (t) => {
  const yaml = `
processors:
  - add_fields: {target: agent, fields: {floor: "2"}, when.equals.user.name: bob}
  - add_fields: {target: data_stream, fields: {site: north}, when.equals.user.name: bob}
`;
  const mapper = mapperWith(t, yaml);
  const partsOf = (name: string): readonly unknown[] => {
    const xml = XML.replace(/(<Data Name='SubjectUserName'>)[^<]*/, `$1${name}`);
    const mapped = mapper.map({ xml, readAtMs: 0 });
    assert.ok(mapped.outcome === 'done');
    return [mapped.document.agent['floor'], mapped.document.data_stream['site']];
  };
  assert.deepEqual(
    [partsOf('bob'), partsOf('ann')],
    [
      ['2', 'north'],
      [undefined, undefined],
    ],
  );
});
