/**
 * For tests: takes a detection rule as it is exported and a stretch of time, gives what Elastic Security would make an alert of.
 * Keeps: a rule sees only documents of its time, but for the history of new terms. Kibana lets Elasticsearch count out what is below
 * a threshold (bucket_selector); that needs scripts, which the test distribution lacks, so it is counted out here.
 */
import { at, type Json, listOf, objectOf, textOf } from '../check/json.ts';
import type { FilledStream } from '../panels/filled-stream.ts';
import { kqlToQuery } from '../panels/kql-to-query.ts';

/** Most alerts that one call gives; more would be an error of the test. */
const FOUND_MAX = 5000;

interface Span {
  readonly from: Date;
  /** Exclusive. */
  readonly to: Date;
}

const searched = (rule: Json, { from, to }: Span): Json => ({
  bool: {
    filter: [
      { range: { '@timestamp': { gte: from.toISOString(), lt: to.toISOString() } } },
      kqlToQuery(textOf(rule['query'])),
    ],
  },
});

/** Ids of the documents that a query rule finds. */
async function matches(rule: Json, stream: FilledStream, span: Span): Promise<string[]> {
  const query = searched(rule, span);
  const answer = await stream.search({ size: FOUND_MAX, query, _source: false });
  return listOf(at(answer, 'hits', 'hits')).map((hit) => textOf(at(hit, '_id')));
}

/** One bucket per combination of the fields' values. */
async function groups(
  fields: readonly string[],
  aggs: Json,
  query: Json,
  stream: FilledStream,
): Promise<Json[]> {
  const sources = fields.map((field) => ({ [field]: { terms: { field } } }));
  const composite = { composite: { sources, size: FOUND_MAX }, aggs };
  const answer = await stream.search({ size: 0, query, aggs: { groups: composite } });
  return listOf(at(answer, 'aggregations', 'groups', 'buckets')).map(objectOf);
}

const keyOf = (bucket: Json): string => Object.values(objectOf(bucket['key'])).join(' | ');

async function crossings(rule: Json, stream: FilledStream, span: Span): Promise<string[]> {
  const threshold = objectOf(rule['threshold']);
  const [different] = listOf(threshold['cardinality']);
  const fields = listOf(threshold['field']).map(textOf);
  const aggs = { values: { cardinality: { field: at(different, 'field') } } };
  return (await groups(fields, aggs, searched(rule, span), stream))
    .filter(
      (bucket) =>
        Number(bucket['doc_count']) >= Number(threshold['value']) &&
        Number(at(bucket, 'values', 'value')) >= Number(at(different, 'value')),
    )
    .map(keyOf);
}

const DAY_MS = 86_400_000;

async function novelties(rule: Json, stream: FilledStream, span: Span): Promise<string[]> {
  const [, days = ''] = /^now-(\d+)d$/.exec(textOf(rule['history_window_start'])) ?? [];
  const since = new Date(span.to.getTime() - Number(days) * DAY_MS);
  const aggs = { first: { min: { field: '@timestamp' } } };
  const query = searched(rule, { from: since, to: span.to });
  const fields = listOf(rule['new_terms_fields']).map(textOf);
  return (await groups(fields, aggs, query, stream))
    .filter((bucket) => Number(at(bucket, 'first', 'value')) >= span.from.getTime())
    .map(keyOf);
}

/** Document ids of a query rule; `value | value` of a threshold or a new-terms rule. */
export async function runRule(rule: Json, stream: FilledStream, span: Span): Promise<string[]> {
  switch (rule['type']) {
    case 'threshold':
      return await crossings(rule, stream, span);
    case 'new_terms':
      return await novelties(rule, stream, span);
    default:
      return await matches(rule, stream, span);
  }
}
