/** Goal: the invented office is what an agent could send. Method: hold every document against the schema of both sides. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { processStartSchema } from '@launchbeat/ecs-schemas';
import { officeMonth } from './office-month.ts';

const options = { end: new Date('2026-11-20T18:00:00Z'), namespace: 'default' };

test('officeMonth() gives valid documents of 50 PCs over a month, oldest first', () => {
  const documents = officeMonth(options);
  for (const document of documents) processStartSchema.parse(document);
  const times = documents.map((document) => document['@timestamp']);
  assert.deepEqual(times, times.toSorted());
  assert.equal(new Set(documents.map(({ host }) => host.name)).size, 50);
  assert.equal(new Set(documents.map(({ event }) => event.id)).size, documents.length);
  assert.ok(documents.length > 8000, `${documents.length} documents`);
});

test('officeMonth() gives the same documents each time', () => {
  assert.deepEqual(officeMonth(options), officeMonth(options));
});
