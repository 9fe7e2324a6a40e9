/**
 * For tests: data streams of their own with our mappings, filled with documents and ready to search.
 */
import assert from 'node:assert/strict';
import {
  type AlertRecord,
  type HealthRecord,
  indexTemplate,
  type ProcessStart,
  type StreamKey,
  streamName,
} from '@launchbeat/ecs-schemas';
import { at, type Json, listOf } from '../check/json.ts';

export interface FilledStream {
  /** The cluster has multi_terms and top_metrics; Elastic's test distribution has not. */
  readonly analytics: boolean;
  /** Body of a search → its answer; throws on any error. Default: the process starts. */
  readonly search: (body: Json, stream?: StreamKey) => Promise<unknown>;
}

/** What the other streams hold; those without documents are not made. */
export interface MoreDocuments {
  readonly health?: readonly HealthRecord[];
  readonly alerts?: readonly AlertRecord[];
}

const BULK_LINES = 2000;
/** Templates of other tests have the product's own, lower priority. */
const PRIORITY_MIN = 1000;

/** Makes the streams of `namespace` on the Elasticsearch at `url`; the documents are of that namespace and of different ids. */
export async function filledStream(
  { url, namespace }: { readonly url: string; readonly namespace: string },
  documents: readonly ProcessStart[],
  more: MoreDocuments = {},
): Promise<FilledStream> {
  async function post(method: string, path: string, body: string): Promise<Response> {
    const type = path.endsWith('_bulk') ? 'application/x-ndjson' : 'application/json';
    return await fetch(`${url}/${path}`, { method, body, headers: { 'content-type': type } });
  }

  async function send(method: string, path: string, body: string): Promise<unknown> {
    const response = await post(method, path, body);
    const answer: unknown = await response.json();
    const text = JSON.stringify(answer).slice(0, 2000);
    assert.ok(
      response.ok,
      `${method} ${path}: ${response.status} ${text} for ${body.slice(0, 2000)}`,
    );
    return answer;
  }

  async function fill(
    stream: StreamKey,
    lines: readonly (ProcessStart | HealthRecord | AlertRecord)[],
  ): Promise<void> {
    const name = streamName(stream, namespace);
    const priority = PRIORITY_MIN + Number.parseInt(namespace.slice(1, 8), 16);
    const template = { ...indexTemplate({ build: 'core', stream }), index_patterns: [name] };
    await send('PUT', `_index_template/${name}`, JSON.stringify({ ...template, priority }));
    for (let from = 0; from < lines.length; from += BULK_LINES) {
      const body = lines
        .slice(from, from + BULK_LINES)
        .map((one) => `{"create":{"_id":"${one.event.id}"}}\n${JSON.stringify(one)}\n`);
      const answer = await send('POST', `${name}/_bulk`, body.join(''));
      assert.equal(at(answer, 'errors'), false, JSON.stringify(listOf(at(answer, 'items'))[0]));
    }
    await send('POST', `${name}/_refresh`, '');
  }

  await fill('starts', documents);
  if (more.health !== undefined) await fill('health', more.health);
  if (more.alerts !== undefined) await fill('alerts', more.alerts);
  const probe = {
    size: 0,
    aggs: {
      pairs: { multi_terms: { terms: [{ field: 'host.name' }, { field: 'process.name' }] } },
    },
  };
  const starts = streamName('starts', namespace);
  return {
    analytics: (await post('POST', `${starts}/_search`, JSON.stringify(probe))).ok,
    search: (body, stream = 'starts') =>
      send('POST', `${streamName(stream, namespace)}/_search`, JSON.stringify(body)),
  };
}
