/**
 * Documents as lines: each key once and in its order, whatever two documents one after the other share.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ECS_VERSION } from '../process-start.ts';
import { documentPrinter } from './ndjson-file.ts';

const STREAM = { type: 'logs', namespace: 'default' };

function printed(documents: readonly Parameters<ReturnType<typeof documentPrinter>>[0][]) {
  const lines: string[] = [];
  const print = documentPrinter((line) => lines.push(line));
  for (const document of documents) print(document);
  return lines;
}

test('a line is the document between log.level and ecs.version, in its order', () => {
  const document = {
    '@timestamp': '2026-03-02T06:00:00.1234567Z',
    agent: { id: 'a', name: 'PC "Ж"' },
    data_stream: STREAM,
    event: { id: 'x', args: ['"', '\\'] },
    message: 'two\nlines',
  };
  const line = `${JSON.stringify({ 'log.level': 'information', ...document, 'ecs.version': ECS_VERSION })}\n`;
  assert.deepEqual(printed([document, document, document]), [line, line, line]);
});

test('each document has its own time, agent and data stream, shared or not', () => {
  const one = { '@timestamp': 't1', agent: { id: 'a' }, data_stream: STREAM, n: 1 };
  const documents = [
    one,
    { ...one, '@timestamp': 't2' },
    { ...one, '@timestamp': 't3' },
    { ...one, agent: { id: 'b' } },
    { ...one, data_stream: { ...STREAM, namespace: 'other' } },
    one,
  ];
  const plain = printed(documents).map((line) => {
    const { 'log.level': _level, 'ecs.version': _version, ...document } = JSON.parse(line);
    return document;
  });
  assert.deepEqual(plain, documents);
});
