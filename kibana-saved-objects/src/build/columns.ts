/**
 * Takes a field and a label, gives a column of a Lens layer: what to count and by what to divide.
 * Keeps: every column has a label of its own; formulas are not offered, since a stored formula needs helper columns that only
 * Kibana's parser expands, and what needs computing is computed by the agent.
 */
import { type KqlQuery, kql } from './saved-object.ts';

export type DataType = 'number' | 'string' | 'date' | 'boolean' | 'document';

/** A column as Kibana stores it (kbn-lens-common, datasources/operations.ts). */
export interface Column {
  readonly label: string;
  readonly customLabel: true;
  readonly dataType: DataType;
  readonly operationType: string;
  readonly isBucketed: boolean;
  readonly scale: 'ordinal' | 'interval' | 'ratio';
  readonly sourceField?: string;
  readonly filter?: KqlQuery;
  /** The figure is about the end of the time range only, e.g. `15m`. */
  readonly reducedTimeRange?: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** A column that may point at others of its layer, which it names by their keys. */
export type ColumnSpec = (idOf: (key: string) => string) => Column;

interface MetricOptions {
  /** KQL that narrows this one figure. */
  readonly filter?: string;
  /** Decimals of the figure; Kibana's default otherwise. */
  readonly decimals?: number;
}

function metricColumn(
  operation: {
    readonly type: string;
    readonly dataType: DataType;
    readonly params?: Readonly<Record<string, unknown>>;
  },
  label: string,
  field: string,
  options: MetricOptions = {},
): ColumnSpec {
  const format =
    options.decimals === undefined
      ? {}
      : { format: { id: 'number', params: { decimals: options.decimals } } };
  return () => ({
    label,
    customLabel: true,
    dataType: operation.dataType,
    operationType: operation.type,
    isBucketed: false,
    scale: operation.dataType === 'string' ? 'ordinal' : 'ratio',
    sourceField: field,
    ...(options.filter === undefined ? {} : { filter: kql(options.filter) }),
    params: operation.params ?? { emptyAsNull: true, ...format },
  });
}

/** Kibana's name for the document itself, of which `count` is the number. */
export const RECORDS = '___records___';

/** The figure as of the end of the time range: of so much of it, e.g. `15m`. Not beside a histogram of time. */
export const lately =
  (span: string, column: ColumnSpec): ColumnSpec =>
  (idOf) => ({ ...column(idOf), reducedTimeRange: span });

/** How many documents. Zero is shown as 0: no match is an answer. */
export const count = (label: string, filter?: string): ColumnSpec =>
  metricColumn(
    { type: 'count', dataType: 'number', params: { emptyAsNull: false } },
    label,
    RECORDS,
    filter === undefined ? {} : { filter },
  );

/** How many different values. */
export const uniqueCount = (label: string, field: string, filter?: string): ColumnSpec =>
  metricColumn(
    { type: 'unique_count', dataType: 'number', params: { emptyAsNull: false } },
    label,
    field,
    filter === undefined ? {} : { filter },
  );

export const sum = (label: string, field: string, filter?: string): ColumnSpec =>
  metricColumn(
    { type: 'sum', dataType: 'number', params: { emptyAsNull: false } },
    label,
    field,
    filter === undefined ? {} : { filter },
  );

export const max = (label: string, field: string): ColumnSpec =>
  metricColumn({ type: 'max', dataType: 'number' }, label, field, { decimals: 0 });

/** As the data view formats the field: a duration, bytes. */
export const maxOf = (label: string, field: string): ColumnSpec =>
  metricColumn({ type: 'max', dataType: 'number' }, label, field);

export const median = (label: string, field: string): ColumnSpec =>
  metricColumn({ type: 'median', dataType: 'number' }, label, field, { decimals: 0 });

/** As the data view formats the field. */
export const percentileOf = (label: string, field: string, percent: number): ColumnSpec =>
  metricColumn(
    { type: 'percentile', dataType: 'number', params: { percentile: percent } },
    label,
    field,
  );

export const percentile = (label: string, field: string, percent: number): ColumnSpec =>
  metricColumn(
    {
      type: 'percentile',
      dataType: 'number',
      params: { percentile: percent, format: { id: 'number', params: { decimals: 0 } } },
    },
    label,
    field,
  );

/** Time of the earliest document. */
export const firstTime = (label: string): ColumnSpec =>
  metricColumn({ type: 'min', dataType: 'date' }, label, '@timestamp');

/** Time of the latest document. */
export const lastTime = (label: string): ColumnSpec =>
  metricColumn({ type: 'max', dataType: 'date' }, label, '@timestamp');

/** The value of a field in the latest document that has one. */
export const lastValue = (
  label: string,
  field: string,
  dataType: 'string' | 'number' | 'date' = 'string',
): ColumnSpec =>
  metricColumn(
    {
      type: 'last_value',
      dataType,
      params: { sortField: '@timestamp', showArrayValues: false },
    },
    label,
    field,
    { filter: `${field}: *` },
  );

/** Most rows that one table asks for; Elasticsearch stops at 65,536 buckets in all. */
export const TERMS_MAX = 100;

interface TermsOptions {
  readonly size: number;
  /** Key of the metric to order by; `term` orders by the term itself. */
  readonly by: string;
  readonly direction?: 'asc' | 'desc';
  /** Sums the rest up as "Other". Not where the metric is a count of different values: Kibana cannot add those. */
  readonly other?: boolean;
  /** Further fields: the bucket is then one combination of values. */
  readonly and?: readonly string[];
}

const BARE_TERMS = { include: [], exclude: [], includeIsRegex: false, excludeIsRegex: false };

/** One bucket per value of a keyword field, or per combination of several fields' values. */
export function terms(
  label: string,
  field: string,
  options: TermsOptions & { readonly dataType?: DataType },
): ColumnSpec {
  return (idOf) => ({
    label,
    customLabel: true,
    dataType: options.dataType ?? 'string',
    operationType: 'terms',
    isBucketed: true,
    scale: 'ordinal',
    sourceField: field,
    params: {
      size: options.size,
      orderBy:
        options.by === 'term'
          ? { type: 'alphabetical', fallback: false }
          : { type: 'column', columnId: idOf(options.by) },
      orderDirection: options.direction ?? 'desc',
      otherBucket: options.other ?? false,
      missingBucket: false,
      parentFormat: { id: options.and === undefined ? 'terms' : 'multi_terms' },
      ...BARE_TERMS,
      ...(options.and === undefined ? {} : { secondaryFields: options.and }),
    },
  });
}

/** One bucket per value that occurs at most `timesMax` times (Elasticsearch: rare_terms, at most 100). */
export const rareTerms =
  (label: string, field: string, timesMax: number): ColumnSpec =>
  () => ({
    label,
    customLabel: true,
    dataType: 'string',
    operationType: 'terms',
    isBucketed: true,
    scale: 'ordinal',
    sourceField: field,
    params: {
      size: TERMS_MAX,
      orderBy: { type: 'rare', maxDocCount: timesMax },
      orderDirection: 'asc',
      otherBucket: false,
      missingBucket: false,
      parentFormat: { id: 'terms' },
      ...BARE_TERMS,
    },
  });

/** One bucket per stretch of time; `auto` lets Kibana choose by the time range. */
export const overTime =
  (label: string, interval: 'auto' | '1h' | '3h' | '1d', emptyRows = true): ColumnSpec =>
  () => ({
    label,
    customLabel: true,
    dataType: 'date',
    operationType: 'date_histogram',
    isBucketed: true,
    scale: 'interval',
    sourceField: '@timestamp',
    params: { interval, includeEmptyRows: emptyRows, dropPartials: false },
  });

/** A question and the name of its bucket. */
export interface NamedQuery {
  readonly label: string;
  readonly query: string;
}

/** One bucket per question; a document falls into each that it answers. */
export const byQuery =
  (label: string, queries: readonly NamedQuery[]): ColumnSpec =>
  () => ({
    label,
    customLabel: true,
    dataType: 'string',
    operationType: 'filters',
    isBucketed: true,
    scale: 'ordinal',
    params: { filters: queries.map((one) => ({ label: one.label, input: kql(one.query) })) },
  });

/** One bucket per range of a number: from inclusive, to exclusive; null is without an end. */
export const byRange =
  (
    label: string,
    field: string,
    ranges: readonly { readonly from: number | null; readonly to: number | null; label: string }[],
  ): ColumnSpec =>
  () => ({
    label,
    customLabel: true,
    dataType: 'string',
    operationType: 'range',
    isBucketed: true,
    scale: 'ordinal',
    sourceField: field,
    params: {
      type: 'range',
      ranges,
      maxBars: 'auto',
      parentFormat: { id: 'range', params: { template: 'arrow_right', replaceInfinity: true } },
    },
  });
