/**
 * Goal: the schema takes what the agent writes and refuses what a store would choke on, by path.
 * Method: a document of the fixtures, and the same with one thing wrong at a time.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  dataStreamName,
  namespaceSchema,
  type ProcessStart,
  processStartSchema,
} from './process-start.ts';

const FIXTURE = new URL('../fixtures/v2-person-chrome.expected.json', import.meta.url);
const { document } = JSON.parse(readFileSync(FIXTURE, 'utf8')) as { document: ProcessStart };
const GOOD: ProcessStart = {
  ...document,
  agent: {
    id: '4f0b7c1e-58a3-4d0e-9a6b-2f6a1c9d7e55',
    name: 'pc',
    type: 'launchbeat',
    version: '0.1.0',
  },
  data_stream: { type: 'logs', dataset: 'system.security_launchbeat', namespace: 'default' },
  event: { ...document.event, created: '2026-03-02T06:15:32.000Z' },
};

test('a document of the agent passes as it is, with unknown fields kept', () => {
  const more = { ...GOOD, from_a_newer_agent: 1, process: { ...GOOD.process, hash: { md5: 'x' } } };
  assert.deepEqual(processStartSchema.parse(more), more);
});

/** What is wrong → the document with it, and the path that the refusal names. */
const WRONG: Readonly<Record<string, readonly [unknown, string]>> = {
  'an id of another time': [{ ...GOOD, '@timestamp': '2026-03-02T06:15:31Z' }, 'event.id'],
  'an id that is none': [{ ...GOOD, event: { ...GOOD.event, id: '../../x' } }, 'event.id'],
  'a time with an offset': [{ ...GOOD, '@timestamp': '2026-03-02T06:15:30+03:00' }, '@timestamp'],
  'an agent id that is no UUID': [{ ...GOOD, agent: { ...GOOD.agent, id: 'me' } }, 'agent.id'],
  'another data stream': [
    { ...GOOD, data_stream: { ...GOOD.data_stream, dataset: 'system.security' } },
    'data_stream.dataset',
  ],
  'a namespace with a dash': [
    { ...GOOD, data_stream: { ...GOOD.data_stream, namespace: 'a-b' } },
    'data_stream.namespace',
  ],
  'a negative pid': [{ ...GOOD, process: { pid: -1 } }, 'process.pid'],
  'a pid as text': [{ ...GOOD, process: { pid: '0x1f40' } }, 'process.pid'],
  'a pid past 2^53': [{ ...GOOD, process: { pid: 2 ** 53 } }, 'process.pid'],
  'event data that is no text': [
    { ...GOOD, winlog: { ...GOOD.winlog, event_data: { a: { b: 'c' } } } },
    'winlog.event_data.a',
  ],
  'args that are no list': [{ ...GOOD, process: { args: 'a b' } }, 'process.args'],
  'no launch': [{ ...GOOD, launchbeat: { actor: {} } }, 'launchbeat.launch'],
  'no host': [{ ...GOOD, host: undefined }, 'host'],
  'a list': [[GOOD], ''],
};

for (const [name, [wrong, path]] of Object.entries(WRONG)) {
  test(`${name} is refused at ${path === '' ? 'its root' : path}`, () => {
    const { error } = processStartSchema.safeParse(wrong);
    assert.ok(error !== undefined);
    assert.ok(
      error.issues.some((issue) => issue.path.join('.') === path),
      JSON.stringify(error.issues),
    );
  });
}

test('a namespace is what Elasticsearch takes in the name of a data stream', () => {
  assert.equal(dataStreamName('office_1'), 'logs-system.security_launchbeat-office_1');
  for (const good of ['default', 'a', '9.b', '_x', 'x'.repeat(100)])
    assert.ok(namespaceSchema.safeParse(good).success, good);
  for (const bad of ['', 'A', 'a-b', '.a', 'a b', 'x'.repeat(101), 'ж', 'a/b', 'a*'])
    assert.ok(!namespaceSchema.safeParse(bad).success, bad);
});
