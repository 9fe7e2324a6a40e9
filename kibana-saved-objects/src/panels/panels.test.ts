/**
 * Goal: every panel shows something on a month of an office, without an error. Method: the request that Kibana would send for each
 * panel, control and saved search, run on a real Elasticsearch with our mapping.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { AlertRecord, HealthRecord, ProcessStart } from '@launchbeat/ecs-schemas';
import { testElasticsearch, uniqueNamespace } from '../../../tests/support/elasticsearch.ts';
import { bundleText } from '../bundle.ts';
import { at, listOf } from '../check/json.ts';
import { officeAlerts } from '../office/office-alerts.ts';
import { officeHealth } from '../office/office-health.ts';
import { officeMonth } from '../office/office-month.ts';
import { type FilledStream, filledStream } from './filled-stream.ts';
import { otherRequest } from './other-bucket.ts';
import { type PanelRequest, panelRequests } from './panel-requests.ts';
import { panelRows } from './panel-rows.ts';
import type { Asked } from './time-range.ts';

const END = new Date('2026-11-20T18:00:00Z');
const START = new Date('2026-10-21T00:00:00Z');
let documents: ProcessStart[];
let health: HealthRecord[];
let alerts: AlertRecord[];
let stream: FilledStream;
let asked: Asked;

/** What of a panel shows nothing: the whole of it, or columns that are null or zero in all rows. */
function emptyParts({ name, kind, columns }: PanelRequest, response: unknown): string[] {
  if (kind === 'search') return at(response, 'hits', 'total', 'value') === 0 ? [name] : [];
  if (kind === 'control')
    return listOf(at(response, 'aggregations', 'suggestions', 'buckets')).length === 0
      ? [name]
      : [];
  const rows = panelRows(columns, response);
  if (rows.length === 0) return [name];
  return columns
    .filter(([id]) => rows.every((row) => row[id] === null || row[id] === 0))
    .map(([, column]) => `${name}: column ${String(column['label'])}`);
}

before(async () => {
  const { url } = await testElasticsearch();
  const namespace = uniqueNamespace();
  documents = officeMonth({ end: END, namespace });
  health = officeHealth({ end: END, namespace });
  alerts = officeAlerts(documents, END);
  stream = await filledStream({ url, namespace }, documents, { health, alerts });
  asked = { from: START, to: END, analytics: stream.analytics };
});

describe('on a month of an office', () => {
  for (const language of ['en', 'ru'] as const) {
    test(`every panel, control and saved search of the ${language} file shows something`, async (t) => {
      let slowest: readonly [tookMs: number, name: string] = [0, ''];
      const empty: string[] = [];
      const requests = panelRequests(bundleText(language), asked);
      assert.ok(requests.length > 150, `${requests.length} requests`);
      for (const request of requests) {
        const response = await stream.search(request.body, request.stream);
        assert.equal(at(response, '_shards', 'failed'), 0, request.name);
        const tookMs = Number(at(response, 'took'));
        if (tookMs > slowest[0]) slowest = [tookMs, request.name];
        empty.push(...emptyParts(request, response));
        const other = otherRequest(request, response, asked);
        if (other !== undefined) await stream.search(other, request.stream);
      }
      t.diagnostic(`${requests.length} requests, slowest: ${slowest[0]} ms, ${slowest[1]}`);
      assert.deepEqual(empty, []);
    });
  }

  test('"Other" and the groups together are all documents of a chart', async () => {
    const request = panelRequests(bundleText('en'), asked).find(({ name }) =>
      name.endsWith('Starts over time by person'),
    );
    assert.ok(request);
    const [, time, starts] = request.columns.map(([id]) => id);
    const response = await stream.search(request.body, request.stream);
    const second = otherRequest(request, response, asked);
    assert.ok(second);
    const other = at(await stream.search(second), 'aggregations', 'other-filter', 'buckets', '-');
    const shown = panelRows(request.columns, response).map((row) => Number(row[starts ?? '']));
    const rest = Number(at(other, 'doc_count'));
    const all = documents.filter(({ launchbeat }) => launchbeat.launch).length;
    assert.ok(rest > 0);
    assert.equal(
      shown.reduce((sum, one) => sum + one, rest),
      all,
    );
    assert.ok(listOf(at(other, time ?? '', 'buckets')).length > 10);
  });

  test('figures are those that the documents have', async () => {
    const requests = panelRequests(bundleText('en'), asked);
    const figure = async (name: string): Promise<unknown> => {
      const request = requests.find((one) => one.name === name);
      assert.ok(request, name);
      const [row] = panelRows(request.columns, await stream.search(request.body, request.stream));
      return Object.values(row ?? {})[0];
    };
    const raised = alerts.filter(({ event }) => event.kind === 'alert');
    assert.equal(await figure('[Launchbeat] Alerts / Raised'), raised.length);
    const fateIs = (name: string): number =>
      alerts.filter(({ launchbeat }) => launchbeat.alert.fate === name).length;
    assert.equal(await figure('[Launchbeat] Alerts / Sent on their own'), fateIs('sent'));
    assert.equal(
      await figure('[Launchbeat] Alerts / Told in a summary'),
      fateIs('suppressed') +
        fateIs('folded') +
        fateIs('held') +
        fateIs('stormed') +
        fateIs('muted'),
    );
    // Now is the last quarter of an hour: the states of two moments, ten minutes apart.
    const now = health.filter(({ launchbeat: { health: said }, '@timestamp': time }) => {
      const isNow = END.getTime() - Date.parse(time) <= 15 * 60_000;
      return isNow && said.record === 'agent' && said.state === 'offline';
    });
    const offline = new Set(now.map(({ agent }) => agent?.id)).size;
    assert.ok(offline > 0);
    assert.equal(await figure('[Launchbeat] Fleet health / Offline now'), offline);
    const people = documents.filter(({ launchbeat }) => launchbeat.launch);
    assert.equal(await figure('[Launchbeat] Overview / Process starts'), documents.length);
    assert.equal(await figure('[Launchbeat] Overview / Started by people'), people.length);
    assert.equal(await figure('[Launchbeat] Overview / PCs'), 50);
    assert.equal(
      await figure('[Launchbeat] Watched programs / Launches'),
      people.filter(({ launchbeat }) => launchbeat.program !== undefined).length,
    );
    assert.equal(await figure('[Launchbeat] Hunting / Secrets redacted'), 3);
    assert.equal(await figure('[Launchbeat] Hunting / Encoded PowerShell'), 1);
    assert.equal(
      await figure('[Launchbeat] Hunting / By system accounts'),
      documents.length -
        documents.filter(({ launchbeat }) => launchbeat.actor.id !== 'S-1-5-18').length,
    );
  });

  test('first and last launch of a person on a day are the earliest and the latest', async () => {
    const request = panelRequests(bundleText('en'), asked).find(({ name }) =>
      name.endsWith('First and last launch of the day'),
    );
    assert.ok(request);
    const rows = panelRows(request.columns, await stream.search(request.body, request.stream));
    const idOf = (label: string): string =>
      request.columns.find(([, column]) => column['label'] === label)?.[0] ?? '';
    const row = rows.find((one) => String(one[idOf('Person')]) === 'Петрова');
    assert.ok(row);
    const day = new Date(String(row[idOf('Day')])).toISOString().slice(0, 10);
    const times = documents
      .filter(
        ({ launchbeat }) =>
          launchbeat.launch &&
          launchbeat.program !== undefined &&
          launchbeat.actor.name === 'Петрова',
      )
      .map((document) => document['@timestamp'])
      .filter((time) => time.startsWith(day));
    assert.equal(row[idOf('First')], Date.parse(times[0] ?? ''));
    assert.equal(row[idOf('Last')], Date.parse(times.at(-1) ?? ''));
    assert.equal(row[idOf('Launches')], times.length);
  });
});
