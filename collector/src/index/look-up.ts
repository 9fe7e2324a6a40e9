/**
 * Takes ids whose way into Elasticsearch is not known, gives those that are there.
 * Keeps: the question goes over the whole data stream. `_id` is unique only within one backing index: after a rollover a
 * second `create` of the same id would be a second document.
 */
import type { Client } from '@elastic/elasticsearch';
import { explainFailure, type Failure } from './request-outcome.ts';

export type LookUpOutcome =
  | { readonly outcome: 'done'; readonly found: ReadonlySet<string> }
  | { readonly outcome: 'failed'; readonly failure: Failure };

interface SearchAnswer {
  readonly timed_out?: boolean;
  readonly _shards?: { readonly failed?: number };
  readonly hits?: { readonly hits?: readonly { readonly _id: string }[] };
}

/** `index.max_result_window`: the most hits of one search. */
const HITS_MAX = 10_000;
/** Well below it, since an id that stands in several backing indices has several hits. */
const IDS_MAX = 2_500;

/** Refreshes the stream, so that a search sees what was just written, and asks for the ids. */
export async function lookUp(
  client: Client,
  stream: string,
  ids: readonly string[],
): Promise<LookUpOutcome> {
  const found = new Set<string>();
  const path = `/${encodeURIComponent(stream)}`;
  // A stream that is not there yet holds nothing: no error.
  const querystring = { ignore_unavailable: true };
  try {
    await client.transport.request({ method: 'POST', path: `${path}/_refresh`, querystring });
    for (let at = 0; at < ids.length; at += IDS_MAX) {
      const answer = await client.transport.request<SearchAnswer>({
        method: 'POST',
        path: `${path}/_search`,
        querystring: { ...querystring, allow_partial_search_results: false },
        body: {
          query: { ids: { values: ids.slice(at, at + IDS_MAX) } },
          size: HITS_MAX,
          _source: false,
          track_total_hits: false,
        },
      });
      if (answer.timed_out === true || (answer._shards?.failed ?? 0) > 0) {
        return {
          outcome: 'failed',
          failure: { kind: 'unknown', status: 200, reason: 'look-up of ids is not whole' },
        };
      }
      for (const hit of answer.hits?.hits ?? []) found.add(hit._id);
    }
  } catch (error) {
    return { outcome: 'failed', failure: explainFailure(error) };
  }
  return { outcome: 'done', found };
}
