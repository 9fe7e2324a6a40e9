/**
 * Takes the columns of a Lens layer, tells which operation has not the field, the parameters or the partner columns that it needs.
 * Keeps: the rules of Lens's operations (form_based/operations/definitions) for those that dashboards of ours may use; for data that
 * is not ours only what holds of any data.
 */
import type { StreamKey } from '@launchbeat/ecs-schemas';
import { type FieldKind, fieldKind } from '../kql/field-kind.ts';
import { checkQuery } from './check-queries.ts';
import { at, type Json, listOf, objectOf, textOf } from './json.ts';
import type { Report } from './problem.ts';

/** One layer as the checks need it. */
export interface Layer {
  readonly columns: Readonly<Record<string, Json>>;
  /** The data stream of ours that it reads: its fields are known. */
  readonly stream: StreamKey | undefined;
  readonly where: string;
}

const ANY: readonly FieldKind[] = ['keyword', 'wildcard', 'number', 'date', 'boolean'];
const GROUPED: readonly FieldKind[] = ['keyword', 'wildcard', 'number', 'boolean'];
const NUMBERS: readonly FieldKind[] = ['number'];
const NUMBERS_AND_DATES: readonly FieldKind[] = ['number', 'date'];

/** Operation → kinds of field that it takes; an empty list: it takes none. */
const OPERATIONS: Readonly<Record<string, readonly FieldKind[]>> = {
  count: ANY,
  unique_count: ANY,
  sum: NUMBERS,
  average: NUMBERS,
  median: NUMBERS,
  standard_deviation: NUMBERS,
  percentile: NUMBERS,
  percentile_rank: NUMBERS,
  min: NUMBERS_AND_DATES,
  max: NUMBERS_AND_DATES,
  // Elasticsearch's top_metrics takes no wildcard field.
  last_value: ['keyword', 'number', 'date', 'boolean'],
  terms: GROUPED,
  date_histogram: ['date'],
  range: NUMBERS,
  filters: [],
  formula: [],
  math: [],
  static_value: [],
};

/** Operations that look at other columns; stored with helper columns. */
const COMPOSED = new Set([
  'formula',
  'math',
  'counter_rate',
  'cumulative_sum',
  'differences',
  'moving_average',
  'overall_sum',
  'overall_min',
  'overall_max',
  'overall_average',
  'normalize_by_unit',
]);

const BUCKETS = new Set(['terms', 'date_histogram', 'filters', 'range']);

const DATA_TYPES: Readonly<Record<FieldKind, string>> = {
  keyword: 'string',
  wildcard: 'string',
  text: 'string',
  number: 'number',
  date: 'date',
  boolean: 'boolean',
  flattened: 'flattened',
};

/** Data types of the columns whose values are the field's own. */
const KEEPS_TYPE = new Set(['terms', 'last_value', 'min', 'max']);

const RECORDS = '___records___';
const TERMS_SIZE_MAX = 1000;
const RARE_MAX = 100;
const INTERVAL = /^(auto|\d+(ms|s|m|h|d|w|M|q|y)|w|M|q|y|d|h|m)$/;

function checkField(column: Json, stream: StreamKey, where: string, report: Report): void {
  const operation = textOf(column['operationType']);
  const kinds = OPERATIONS[operation];
  if (kinds === undefined || kinds.length === 0) return;
  const field = textOf(column['sourceField']);
  if (operation === 'count' && field === RECORDS) return;
  const kind = fieldKind(field, stream);
  if (kind === undefined) report(where, `field ${field} is not indexed`);
  else if (!kinds.includes(kind))
    report(where, `${operation} does not take ${field}, a ${kind} field`);
  else if (KEEPS_TYPE.has(operation) && DATA_TYPES[kind] !== column['dataType'])
    report(where, `${operation} of a ${kind} field has the data type "${DATA_TYPES[kind]}"`);
  const sortField = at(column, 'params', 'sortField');
  if (sortField !== undefined && fieldKind(textOf(sortField), stream) !== 'date')
    report(where, `the last value by ${textOf(sortField)}, which is no date`);
  for (const second of listOf(at(column, 'params', 'secondaryFields'))) {
    if (!GROUPED.includes(fieldKind(textOf(second), stream) ?? 'text'))
      report(where, `field ${textOf(second)} is not indexed, or not one to group by`);
  }
}

function checkOrder(layer: Layer, column: Json, where: string, report: Report): void {
  const orderBy = objectOf(at(column, 'params', 'orderBy'));
  const secondary = listOf(at(column, 'params', 'secondaryFields'));
  switch (orderBy['type']) {
    case 'column': {
      const target = layer.columns[textOf(orderBy['columnId'])];
      if (target === undefined) report(where, 'is ordered by a column that is not there');
      else if (target['isBucketed'] === true) report(where, 'is ordered by a column of groups');
      return;
    }
    case 'rare': {
      const maxDocCount = orderBy['maxDocCount'];
      if (typeof maxDocCount !== 'number' || maxDocCount < 1 || maxDocCount > RARE_MAX)
        report(where, `rare values: maxDocCount must be 1 to ${RARE_MAX}`);
      if (secondary.length > 0) report(where, 'rare values are of one field only');
      if (at(column, 'params', 'otherBucket') === true)
        report(where, 'rare values have no "Other"');
      return;
    }
    case 'alphabetical':
    case 'significant':
      return;
    case 'custom':
      if (at(column, 'params', 'orderAgg') === undefined) report(where, 'lacks orderAgg');
      return;
    default:
      report(where, 'lacks orderBy');
  }
}

function checkTerms(layer: Layer, column: Json, where: string, report: Report): void {
  const size = at(column, 'params', 'size');
  if (typeof size !== 'number' || size < 1 || size > TERMS_SIZE_MAX)
    report(where, `size must be 1 to ${TERMS_SIZE_MAX}`);
  if (!['asc', 'desc'].includes(textOf(at(column, 'params', 'orderDirection'))))
    report(where, 'orderDirection must be asc or desc');
  const format = at(column, 'params', 'parentFormat', 'id');
  const wanted =
    listOf(at(column, 'params', 'secondaryFields')).length > 0 ? 'multi_terms' : 'terms';
  if (format !== undefined && format !== wanted) report(where, `parentFormat must be ${wanted}`);
  checkOrder(layer, column, where, report);
}

function checkParameters(layer: Layer, column: Json, where: string, report: Report): void {
  switch (column['operationType']) {
    case 'terms':
      checkTerms(layer, column, where, report);
      return;
    case 'date_histogram':
      if (!INTERVAL.test(textOf(at(column, 'params', 'interval'))))
        report(where, 'interval must be auto or like 1h');
      return;
    case 'percentile': {
      const percent = at(column, 'params', 'percentile');
      if (typeof percent !== 'number' || percent <= 0 || percent >= 100)
        report(where, 'percentile must lie between 0 and 100');
      return;
    }
    case 'last_value':
      if (textOf(at(column, 'params', 'sortField')) === '') report(where, 'lacks sortField');
      return;
    case 'range':
      if (
        at(column, 'params', 'type') === 'range' &&
        listOf(at(column, 'params', 'ranges')).length === 0
      )
        report(where, 'lacks ranges');
      return;
    case 'filters': {
      const filters = listOf(at(column, 'params', 'filters'));
      if (filters.length === 0) report(where, 'lacks filters');
      for (const filter of filters) checkQuery(at(filter, 'input'), layer.stream, where, report);
      return;
    }
    default:
  }
}

function checkComposed(layer: Layer, column: Json, where: string, report: Report): void {
  const references = listOf(column['references']).map(textOf);
  const operation = textOf(column['operationType']);
  for (const reference of references) {
    if (layer.columns[reference] === undefined)
      report(where, `${operation} needs the column ${reference}, which is not there`);
  }
  if (operation === 'formula') {
    if (textOf(at(column, 'params', 'formula')) === '') report(where, 'lacks its formula');
    if (references.length === 0)
      report(where, 'the formula is stored without its helper columns: Kibana shows nothing');
  } else if (references.length === 0 && at(column, 'params', 'tinymathAst') === undefined)
    report(where, `${operation} needs another column`);
}

const SPAN = /^\d+[smhdw]$/;

/** A figure of the end of the time range: Lens has it for figures beside groups that are none of time. */
function checkReducedRange(layer: Layer, column: Json, where: string, report: Report): void {
  const span = column['reducedTimeRange'];
  if (span === undefined || span === '') return;
  if (typeof span !== 'string' || !SPAN.test(span))
    report(where, 'reducedTimeRange must be like 15m');
  if (column['isBucketed'] === true) report(where, 'reducedTimeRange is for figures, not groups');
  const isOverTime = Object.values(layer.columns).some(
    (one) => one['operationType'] === 'date_histogram',
  );
  if (isOverTime) report(where, 'reducedTimeRange does not go with a histogram of time');
}

function checkColumn(layer: Layer, id: string, report: Report): void {
  const column = layer.columns[id] ?? {};
  const label = textOf(column['label']);
  const where = `${layer.where}: column "${label === '' ? id : label}"`;
  const operation = textOf(column['operationType']);
  if (OPERATIONS[operation] === undefined && !COMPOSED.has(operation))
    report(where, `operation "${operation}" is none of Lens's`);
  if (label === '') report(where, 'lacks a label');
  if ((column['isBucketed'] === true) !== BUCKETS.has(operation))
    report(where, `isBucketed does not go with ${operation}`);
  if (operation === 'count' && textOf(column['sourceField']) === '')
    report(where, 'lacks sourceField');
  checkQuery(column['filter'], layer.stream, where, report);
  if (COMPOSED.has(operation)) checkComposed(layer, column, where, report);
  checkParameters(layer, column, where, report);
  checkReducedRange(layer, column, where, report);
  if (layer.stream !== undefined) checkField(column, layer.stream, where, report);
}

export function checkColumns(layer: Layer, report: Report): void {
  for (const id of Object.keys(layer.columns)) checkColumn(layer, id, report);
}
