/**
 * Takes a chart's request and its answer, gives the second request with which Kibana asks for "Other": what is in none of the groups
 * that came back (data plugin, _terms_other_bucket_helper).
 * Keeps: one filter per group above, named by its keys; figures of the inner columns stand within.
 */
import { at, type Json, listOf, objectOf, textOf } from '../check/json.ts';
import { aggregations, type OrderedColumns } from './aggregations.ts';
import type { PanelRequest } from './panel-requests.ts';
import type { Asked } from './time-range.ts';

type Pair = readonly [field: string, key: unknown];

const phrase = ([field, key]: Pair): Json => ({ match_phrase: { [field]: key } });

/** Filters of "Other" below the groups above it. */
function filtersOf(
  columns: OrderedColumns,
  level: Json,
  above: readonly Pair[],
): Record<string, Json> {
  const [first, ...rest] = columns;
  if (first === undefined) return {};
  const [id, column] = first;
  const field = textOf(column['sourceField']);
  const buckets = listOf(at(level, id, 'buckets')).map(objectOf);
  if (at(column, 'params', 'otherBucket') !== true) {
    const inner = buckets.map((bucket) =>
      filtersOf(rest, bucket, [...above, [field, bucket['key']]]),
    );
    return Object.assign({}, ...inner);
  }
  const name = above.map(([, key]) => String(key)).join('-');
  const without = buckets.map((bucket) => phrase([field, bucket['key']]));
  const filter = [{ exists: { field } }, ...above.map(phrase)];
  return { [`${name}-`]: { bool: { filter, must_not: without } } };
}

/** Undefined for a chart without "Other". */
export function otherRequest(
  request: PanelRequest,
  response: unknown,
  asked: Asked,
): Json | undefined {
  const index = request.columns.findIndex(
    ([, column]) => at(column, 'params', 'otherBucket') === true,
  );
  if (index < 0) return undefined;
  const filters = filtersOf(request.columns, objectOf(at(response, 'aggregations')), []);
  if (Object.keys(filters).length === 0) return undefined;
  const inner = aggregations(request.columns.slice(index + 1), {
    ...asked,
    stream: request.stream,
  });
  return { ...request.body, aggs: { 'other-filter': { filters: { filters }, aggs: inner } } };
}
