/**
 * For tests: a data stream of its own with our mapping, filled with documents and ready to search.
 */
import assert from 'node:assert/strict';
import { dataStreamName, indexTemplate, type ProcessStart } from '@launchbeat/ecs-schemas';
import { at, type Json, listOf } from '../check/json.ts';

export interface FilledStream {
  /** The cluster has multi_terms and top_metrics; Elastic's test distribution has not. */
  readonly analytics: boolean;
  /** Body of a search → its answer; throws on any error. */
  readonly search: (body: Json) => Promise<unknown>;
}

const BULK_LINES = 2000;
/** Templates of other tests have the product's own, lower priority. */
const PRIORITY_MIN = 1000;

/** Makes the stream of `namespace` on the Elasticsearch at `url`; the documents are of that namespace and of different ids. */
export async function filledStream(
  { url, namespace }: { readonly url: string; readonly namespace: string },
  documents: readonly ProcessStart[],
): Promise<FilledStream> {
  const name = dataStreamName(namespace);

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

  const priority = PRIORITY_MIN + Number.parseInt(namespace.slice(1, 8), 16);
  const template = { ...indexTemplate({ build: 'core' }), index_patterns: [name], priority };
  await send('PUT', `_index_template/${name}`, JSON.stringify(template));
  for (let from = 0; from < documents.length; from += BULK_LINES) {
    const lines = documents
      .slice(from, from + BULK_LINES)
      .map((one) => `{"create":{"_id":"${one.event.id}"}}\n${JSON.stringify(one)}\n`);
    const answer = await send('POST', `${name}/_bulk`, lines.join(''));
    assert.equal(at(answer, 'errors'), false, JSON.stringify(listOf(at(answer, 'items'))[0]));
  }
  await send('POST', `${name}/_refresh`, '');
  const probe = {
    size: 0,
    aggs: {
      pairs: { multi_terms: { terms: [{ field: 'host.name' }, { field: 'process.name' }] } },
    },
  };
  return {
    analytics: (await post('POST', `${name}/_search`, JSON.stringify(probe))).ok,
    search: (body) => send('POST', `${name}/_search`, JSON.stringify(body)),
  };
}
