/**
 * The state of a Lens chart, as Kibana's own types state it: what an import takes without a look, and what the chart fails on when it is
 * drawn. Sources: elastic/kibana, kbn-lens-common, datasources/{types,operations}.ts and visualizations/{xy,datatable,metric,partition}.
 * Keeps: keys that are not named here are let through, since each Kibana adds some.
 */
import { at, objectOf, textOf } from './json.ts';
import { query } from './object-shapes.ts';
import type { Report } from './problem.ts';
import {
  anything,
  boolean,
  filledList,
  filledText,
  hexColor,
  listOf,
  mapOf,
  number,
  object,
  oneOf,
  positive,
  type Shape,
  text,
} from './shape.ts';

const open = (shape: Omit<Parameters<typeof object>[0], 'open'>): Shape =>
  object({ ...shape, open: true });

const parentFormat = open({ required: { id: filledText } });

const FORMATS = ['number', 'percent', 'bytes', 'bits', 'duration', 'custom', 'string', 'date'];

const format = open({
  required: { id: oneOf(...FORMATS) },
  optional: { params: open({ optional: { decimals: number } }) },
});

const METRIC_PARAMS = open({ optional: { emptyAsNull: boolean, format } });

const end = (value: unknown): boolean => value === null || typeof value === 'number';

/** One of the ranges of a number; null is without an end. */
const range: Shape = (value, where, report) => {
  open({ optional: { label: text } })(value, where, report);
  for (const key of ['from', 'to'])
    if (!end(at(value, key))) report(where, `${key} must be a number or null`);
};

/** Parameters by operation; those of the rest are figures'. */
const PARAMS: Readonly<Record<string, Shape>> = {
  terms: open({
    required: { size: number, orderBy: open({ required: { type: filledText } }) },
    optional: {
      ...{ otherBucket: boolean, missingBucket: boolean, parentFormat },
      ...{ include: listOf(anything), exclude: listOf(anything) },
      ...{ includeIsRegex: boolean, excludeIsRegex: boolean },
      secondaryFields: listOf(filledText),
    },
  }),
  date_histogram: open({
    required: { interval: filledText },
    optional: { includeEmptyRows: boolean, dropPartials: boolean },
  }),
  filters: open({
    required: { filters: filledList(open({ required: { label: text, input: query } })) },
  }),
  range: open({
    required: { type: oneOf('range', 'histogram'), ranges: filledList(range) },
    optional: { parentFormat },
  }),
  last_value: open({
    required: { sortField: filledText },
    optional: { showArrayValues: boolean, format },
  }),
};

/** Operations that have parameters whether their author chose any or not. */
const NEEDS_PARAMS = new Set([...Object.keys(PARAMS), 'percentile', 'percentile_rank']);

const bareColumn = open({
  required: {
    label: text,
    dataType: oneOf(
      'string',
      'number',
      'date',
      'boolean',
      'ip',
      'document',
      'histogram',
      'murmur3',
    ),
    operationType: filledText,
    isBucketed: boolean,
  },
  optional: {
    ...{ customLabel: boolean, sourceField: filledText, filter: query, params: open({}) },
    scale: oneOf('ordinal', 'interval', 'ratio'),
    ...{ timeShift: text, reducedTimeRange: text, references: listOf(filledText) },
  },
});

const column: Shape = (value, where, report) => {
  bareColumn(value, where, report);
  const operation = textOf(at(value, 'operationType'));
  const params = at(value, 'params');
  if (params !== undefined) (PARAMS[operation] ?? METRIC_PARAMS)(params, `${where}.params`, report);
  else if (NEEDS_PARAMS.has(operation)) report(where, `${operation} lacks params`);
};

const layer = open({
  required: { columns: mapOf(column), columnOrder: filledList(filledText) },
  optional: { incompleteColumns: open({}), sampling: positive, ignoreGlobalFilters: boolean },
});

const POSITIONS = oneOf('top', 'bottom', 'left', 'right');
const LEGEND = open({
  required: { isVisible: boolean, position: POSITIONS },
  optional: { legendSize: oneOf('auto', 'small', 'medium', 'large', 'xlarge') },
});
const AXES = mapOf(boolean);
const LAYER = { layerId: filledText, layerType: oneOf('data') } as const;

const SERIES = oneOf(
  ...['bar', 'bar_stacked', 'bar_percentage_stacked', 'line', 'area', 'area_stacked'],
  ...['bar_horizontal', 'bar_horizontal_stacked', 'bar_horizontal_percentage_stacked'],
  'area_percentage_stacked',
);

const xyData = open({
  required: { ...LAYER, seriesType: SERIES, accessors: filledList(filledText) },
  optional: {
    ...{ xAccessor: filledText, splitAccessor: filledText, showGridlines: boolean },
    position: POSITIONS,
    yConfig: listOf(open({ required: { forAccessor: filledText }, optional: { color: hexColor } })),
  },
});

const xyLayer: Shape = (value, where, report) => {
  const isData = [undefined, 'data'].includes(at(value, 'layerType') as undefined);
  (isData ? xyData : open({ required: { layerId: filledText } }))(value, where, report);
};

const VISUALIZATIONS: Readonly<Record<string, Shape>> = {
  lnsXY: open({
    required: {
      legend: LEGEND,
      preferredSeriesType: SERIES,
      layers: filledList(xyLayer),
    },
    optional: {
      valueLabels: oneOf('hide', 'show', 'inside'),
      fittingFunction: oneOf('None', 'Zero', 'Linear', 'Carry', 'Lookahead', 'Average', 'Nearest'),
      ...{ axisTitlesVisibilitySettings: AXES, tickLabelsVisibilitySettings: AXES },
      ...{ gridlinesVisibilitySettings: AXES, labelsOrientation: mapOf(number) },
    },
  }),
  lnsPie: open({
    required: {
      shape: oneOf('pie', 'donut', 'treemap', 'mosaic', 'waffle'),
      layers: filledList(
        open({
          required: {
            ...LAYER,
            metrics: filledList(filledText),
            numberDisplay: oneOf('hidden', 'percent', 'value'),
            categoryDisplay: oneOf('default', 'inside', 'hide'),
            legendDisplay: oneOf('default', 'show', 'hide'),
          },
          optional: { primaryGroups: listOf(filledText), nestedLegend: boolean },
        }),
      ),
    },
  }),
  lnsDatatable: open({
    required: {
      ...LAYER,
      columns: filledList(
        open({
          required: { columnId: filledText },
          optional: { isTransposed: boolean, hidden: boolean, width: positive },
        }),
      ),
    },
    optional: {
      sorting: open({
        optional: { columnId: filledText, direction: oneOf('asc', 'desc', 'none') },
      }),
      paging: open({ required: { size: positive, enabled: boolean } }),
      rowHeight: oneOf('single', 'auto', 'custom'),
      headerRowHeight: oneOf('single', 'auto', 'custom'),
      rowHeightLines: number,
    },
  }),
  lnsMetric: open({
    required: { ...LAYER, metricAccessor: filledText },
    optional: { color: hexColor, subtitle: text },
  }),
  lnsHeatmap: open({
    required: {
      ...{ ...LAYER, shape: oneOf('heatmap'), valueAccessor: filledText },
      legend: LEGEND,
      gridConfig: open({ required: { isCellLabelVisible: boolean } }),
    },
  }),
};

const state = open({
  required: {
    query,
    filters: listOf(open({})),
    visualization: open({}),
    datasourceStates: open({}),
  },
  optional: { internalReferences: listOf(open({})), adHocDataViews: open({}) },
});

/** Holds the attributes of a chart against all of it. */
export function checkLensShape(attributes: unknown, where: string, report: Report): void {
  const held = at(attributes, 'state');
  // A chart of ES|QL has its query in a form of its own.
  if (at(held, 'query', 'esql') !== undefined) return;
  state(held, `${where}: state`, report);
  const layers = at(held, 'datasourceStates', 'formBased', 'layers');
  for (const [id, one] of Object.entries(objectOf(layers)))
    layer(one, `${where}: layer ${id}`, report);
  const shape = VISUALIZATIONS[textOf(at(attributes, 'visualizationType'))];
  shape?.(at(held, 'visualization'), `${where}: visualization`, report);
}
