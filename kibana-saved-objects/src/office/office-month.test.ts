/** Goal: the invented office is what an agent could send. Method: hold every document against the schema of both sides. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertRecordSchema, healthRecordSchema, processStartSchema } from '@launchbeat/ecs-schemas';
import { officeAlerts } from './office-alerts.ts';
import { officeHealth } from './office-health.ts';
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

test('officeHealth() gives valid documents with an id each, the same each time', () => {
  const documents = officeHealth(options);
  for (const document of documents) healthRecordSchema.parse(document);
  assert.equal(new Set(documents.map(({ event }) => event.id)).size, documents.length);
  const states = new Set(documents.map(({ launchbeat }) => launchbeat.health.state));
  assert.deepEqual(states, new Set(['healthy', 'degraded', 'offline', undefined]));
  assert.deepEqual(officeHealth(options), documents);
});

test('officeAlerts() raises each alert once and gives each one fate, as the collector does', () => {
  const documents = officeAlerts(officeMonth(options), options.end);
  for (const document of documents) alertRecordSchema.parse(document);
  assert.equal(new Set(documents.map(({ event }) => event.id)).size, documents.length);
  const keyOf = ({ launchbeat: { alert }, rule }: (typeof documents)[number]): string =>
    `${alert.event_id} ${rule.id} ${alert.chat.id}`;
  const fates = documents.filter(({ launchbeat }) => !/raised|ack/.test(launchbeat.alert.fate));
  const raised = documents.filter(({ launchbeat }) => launchbeat.alert.fate === 'raised');
  assert.equal(new Set(fates.map(keyOf)).size, fates.length);
  assert.equal(new Set(raised.map(keyOf)).size, raised.length);
  assert.ok(raised.length > 300, `${raised.length} alerts`);
  assert.equal(new Set(fates.map(({ launchbeat }) => launchbeat.alert.fate)).size, 7);
});
