/**
 * Takes the columns of a Lens layer, gives the nested aggregations that Kibana asks Elasticsearch for (form_based/to_expression.ts).
 * Keeps: groups nest in columnOrder, figures stand in the innermost; a figure that a group is ordered by stands within that group too.
 */
import assert from 'node:assert/strict';
import { at, type Json, listOf, objectOf, textOf } from '../check/json.ts';
import { kqlToQuery } from './kql-to-query.ts';
import { type Asked, autoInterval, spanMs } from './time-range.ts';

export type Aggregations = { [name: string]: Json };

/** A layer's columns with their ids, in columnOrder. */
export type OrderedColumns = readonly (readonly [id: string, column: Json])[];

const isBucketed = ([, column]: OrderedColumns[number]): boolean => column['isBucketed'] === true;

/** Names under which a filtered figure and the second field of a pair stand. */
export const INNER = 'inner';
export const SECOND = 'second';

function bareMetric(column: Json, asked: Asked): Json | undefined {
  const field = textOf(column['sourceField']);
  switch (column['operationType']) {
    case 'count':
      return undefined;
    case 'unique_count':
      return { cardinality: { field } };
    case 'sum':
    case 'min':
    case 'max':
      return { [textOf(column['operationType'])]: { field } };
    case 'average':
      return { avg: { field } };
    case 'median':
      return { percentiles: { field, percents: [50] } };
    case 'percentile':
      return { percentiles: { field, percents: [at(column, 'params', 'percentile')] } };
    case 'last_value': {
      const sortField = textOf(at(column, 'params', 'sortField'));
      return asked.analytics
        ? { top_metrics: { metrics: { field }, sort: { [sortField]: 'desc' }, size: 1 } }
        : {
            top_hits: {
              size: 1,
              _source: false,
              docvalue_fields: [field],
              sort: [{ [sortField]: 'desc' }],
            },
          };
    }
    default:
      throw new Error(`No request for the operation ${textOf(column['operationType'])}`);
  }
}

/** What narrows one figure: its own query, and the end of the time range that it is about. */
function filtersOf(column: Json, asked: Asked): Json[] {
  const query = textOf(at(column, 'filter', 'query'));
  const span = textOf(column['reducedTimeRange']);
  const gte = new Date(asked.to.getTime() - (span === '' ? 0 : spanMs(span))).toISOString();
  return [
    ...(query === '' ? [] : [kqlToQuery(query, asked.stream)]),
    ...(span === '' ? [] : [{ range: { '@timestamp': { gte, lte: asked.to.toISOString() } } }]),
  ];
}

/** A figure that is not over all documents of its bucket. */
export const isNarrowed = (column: Json): boolean =>
  textOf(at(column, 'filter', 'query')) !== '' || textOf(column['reducedTimeRange']) !== '';

/** Undefined for a plain count, which every bucket has by itself. */
function metricAggregation(column: Json, asked: Asked): Json | undefined {
  const bare = bareMetric(column, asked);
  const filters = filtersOf(column, asked);
  if (filters.length === 0) return bare;
  const filter = filters.length === 1 ? filters[0] : { bool: { filter: filters } };
  return { filter, ...(bare === undefined ? {} : { aggs: { [INNER]: bare } }) };
}

function termsOrder(
  column: Json,
  columns: OrderedColumns,
  asked: Asked,
): { order: Json; aggs: Aggregations } {
  const direction = at(column, 'params', 'orderDirection');
  if (at(column, 'params', 'orderBy', 'type') !== 'column')
    return { order: { _key: direction }, aggs: {} };
  const target = columns.find(([id]) => id === at(column, 'params', 'orderBy', 'columnId'));
  assert(target !== undefined, 'ordered by a column that is not there');
  const [id, metric] = target;
  assert.ok(!isNarrowed(metric), 'ordered by a filtered figure');
  const aggregation = metricAggregation(metric, asked);
  return aggregation === undefined
    ? { order: { _count: direction }, aggs: {} }
    : { order: { [id]: direction }, aggs: { [id]: aggregation } };
}

const withSecond = (aggs: Aggregations, second: Json): Aggregations => ({
  ...aggs,
  [SECOND]: second,
});

function termsAggregation(column: Json, columns: OrderedColumns, asked: Asked): Json {
  const field = textOf(column['sourceField']);
  if (at(column, 'params', 'orderBy', 'type') === 'rare')
    return { rare_terms: { field, max_doc_count: at(column, 'params', 'orderBy', 'maxDocCount') } };
  const size = at(column, 'params', 'size');
  const { order, aggs } = termsOrder(column, columns, asked);
  const seconds = listOf(at(column, 'params', 'secondaryFields')).map(textOf);
  const inner = Object.keys(aggs).length === 0 ? {} : { aggs };
  if (seconds.length === 0) return { terms: { field, size, order }, ...inner };
  if (asked.analytics)
    return {
      multi_terms: { terms: [field, ...seconds].map((one) => ({ field: one })), size, order },
      ...inner,
    };
  let nested: Aggregations = aggs;
  for (const second of seconds.toReversed())
    nested = withSecond(aggs, { terms: { field: second, size, order }, aggs: nested });
  return { terms: { field, size, order }, aggs: nested };
}

function dateHistogram(column: Json, asked: Asked): Json {
  const wanted = textOf(at(column, 'params', 'interval'));
  const interval = wanted === 'auto' ? autoInterval(asked) : wanted;
  const empty = at(column, 'params', 'includeEmptyRows') === true;
  const kind = interval === '1d' ? 'calendar_interval' : 'fixed_interval';
  return {
    date_histogram: {
      field: column['sourceField'],
      [kind]: interval,
      time_zone: 'UTC',
      min_doc_count: empty ? 0 : 1,
      ...(empty ? { extended_bounds: { min: asked.from.getTime(), max: asked.to.getTime() } } : {}),
    },
  };
}

function bucketAggregation(column: Json, columns: OrderedColumns, asked: Asked): Json {
  switch (column['operationType']) {
    case 'terms':
      return termsAggregation(column, columns, asked);
    case 'date_histogram':
      return dateHistogram(column, asked);
    case 'filters': {
      const filters = listOf(at(column, 'params', 'filters')).map((filter) => [
        textOf(at(filter, 'label')),
        kqlToQuery(textOf(at(filter, 'input', 'query')), asked.stream),
      ]);
      return { filters: { filters: Object.fromEntries(filters) } };
    }
    case 'range': {
      const ranges = listOf(at(column, 'params', 'ranges')).map((range) => ({
        key: at(range, 'label'),
        ...(at(range, 'from') === null ? {} : { from: at(range, 'from') }),
        ...(at(range, 'to') === null ? {} : { to: at(range, 'to') }),
      }));
      return { range: { field: column['sourceField'], ranges } };
    }
    default:
      throw new Error(`No request for the operation ${textOf(column['operationType'])}`);
  }
}

export function aggregations(columns: OrderedColumns, asked: Asked): Aggregations {
  const buckets = columns.filter(isBucketed);
  const metrics: Aggregations = {};
  for (const [id, column] of columns.filter((one) => !isBucketed(one))) {
    const aggregation = metricAggregation(column, asked);
    if (aggregation !== undefined) metrics[id] = aggregation;
  }
  return buckets.reduceRight<Aggregations>((inner, [id, column]) => {
    const bucket = bucketAggregation(column, columns, asked);
    return { [id]: within(bucket, inner) };
  }, metrics);
}

/** Puts aggregations into a bucket, beside those that it is ordered by; into the innermost where pairs stand nested. */
function within(bucket: Json, inner: Aggregations): Json {
  const own = objectOf(bucket['aggs']);
  const second = own[SECOND];
  const added = second === undefined ? inner : { [SECOND]: within(objectOf(second), inner) };
  return { ...bucket, aggs: { ...own, ...added } };
}
