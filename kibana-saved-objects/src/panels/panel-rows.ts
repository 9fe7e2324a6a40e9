/**
 * Takes the answer to a chart's request, gives the rows of its table: one cell per column, as the chart would draw them.
 */
import { at, type Json, listOf, objectOf, textOf } from '../check/json.ts';
import { INNER, isNarrowed, type OrderedColumns, SECOND } from './aggregations.ts';

/** Column id → value; null where there is none. */
export type Row = Readonly<Record<string, string | number | null>>;

type Cell = string | number | null;

const cellOf = (value: unknown): Cell =>
  typeof value === 'string' || typeof value === 'number' ? value : null;

function metricCell(id: string, column: Json, bucket: Json): Cell {
  const isFiltered = isNarrowed(column);
  const holder = isFiltered ? at(bucket, id) : bucket;
  if (column['operationType'] === 'count') return cellOf(at(holder, 'doc_count'));
  const answer = isFiltered ? at(holder, INNER) : at(bucket, id);
  const percentiles = Object.values(objectOf(at(answer, 'values')));
  if (percentiles.length > 0) return cellOf(percentiles[0]);
  const field = textOf(column['sourceField']);
  const hit = listOf(at(answer, 'hits', 'hits'))[0];
  if (hit !== undefined) return cellOf(listOf(at(hit, 'fields', field))[0]);
  const top = listOf(at(answer, 'top'))[0];
  if (top !== undefined) return cellOf(at(top, 'metrics', field));
  return cellOf(at(answer, 'value'));
}

/** Buckets of one group with their keys; pairs of fields that stand nested are taken as one. */
function bucketsOf(answer: unknown): (readonly [key: string, bucket: Json])[] {
  const buckets = at(answer, 'buckets');
  const pairs: (readonly [string, Json])[] = Array.isArray(buckets)
    ? buckets.map((bucket) => [
        String(at(bucket, 'key_as_string') ?? at(bucket, 'key')),
        objectOf(bucket),
      ])
    : Object.entries(objectOf(buckets)).map(([key, bucket]) => [key, objectOf(bucket)]);
  return pairs.flatMap(([key, bucket]) => {
    const second = at(bucket, SECOND);
    if (second === undefined) return [[key, bucket] as const];
    return bucketsOf(second).map(([other, inner]) => [`${key} › ${other}`, inner] as const);
  });
}

/**
 * Buckets in the order in which the chart draws them. Elasticsearch sorts named filters by their names; Kibana puts them back into
 * the order of the panel (data plugin, tabify/buckets.ts).
 */
function orderedBuckets(column: Json, answer: unknown): ReturnType<typeof bucketsOf> {
  const buckets = bucketsOf(answer);
  if (column['operationType'] !== 'filters') return buckets;
  const labels = listOf(at(column, 'params', 'filters')).map((one) => textOf(at(one, 'label')));
  return buckets.toSorted(([a], [b]) => labels.indexOf(a) - labels.indexOf(b));
}

function walk(columns: OrderedColumns, level: Json, cells: Row): Row[] {
  const [first, ...rest] = columns;
  if (first === undefined || first[1]['isBucketed'] !== true) {
    const metrics = columns.map(([id, column]) => [id, metricCell(id, column, level)] as const);
    return [{ ...cells, ...Object.fromEntries(metrics) }];
  }
  const [id, column] = first;
  return orderedBuckets(column, level[id]).flatMap(([key, bucket]) =>
    walk(rest, bucket, { ...cells, [id]: key }),
  );
}

/** Rows of a chart. Without groups there is one. */
export function panelRows(columns: OrderedColumns, response: unknown): Row[] {
  const total = at(response, 'hits', 'total', 'value');
  return walk(columns, { ...objectOf(at(response, 'aggregations')), doc_count: total }, {});
}
