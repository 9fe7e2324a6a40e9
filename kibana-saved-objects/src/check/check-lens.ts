/**
 * Takes the attributes of a Lens chart, tells where layers, columns and the visualization do not fit together.
 */
import type { StreamKey } from '@launchbeat/ecs-schemas';
import { checkColumns, type Layer } from './check-columns.ts';
import { checkQuery } from './check-queries.ts';
import { at, type Json, listOf, objectOf, textOf } from './json.ts';
import { checkLensShape } from './lens-shapes.ts';
import type { Report } from './problem.ts';

export interface LensContext {
  /** The chart: title, visualizationType, references, state. */
  readonly attributes: Json;
  readonly where: string;
  readonly report: Report;
  /** Our data stream that a data view of the file, by its id, is of. */
  readonly streamOf: (dataViewId: string) => StreamKey | undefined;
}

const LAYER_REFERENCE = 'indexpattern-datasource-layer-';

const VISUALIZATIONS = new Set([
  'lnsMetric',
  'lnsLegacyMetric',
  'lnsXY',
  'lnsPie',
  'lnsDatatable',
  'lnsHeatmap',
  'lnsTagcloud',
  'lnsGauge',
  'lnsChoropleth',
]);

/** Every column that a visualization points at, as `[layer, column]`. */
function accessorsOf(
  type: string,
  visualization: Json,
): (readonly [layer: string, column: string])[] {
  const one = (layer: Json, ...keys: readonly string[]): (readonly [string, string])[] =>
    keys.flatMap((key) => {
      const values = Array.isArray(layer[key]) ? listOf(layer[key]) : [layer[key]];
      return values
        .filter((value) => value !== undefined)
        .map((value) => [textOf(layer['layerId']), textOf(value)] as const);
    });
  const layers = listOf(visualization['layers']).map(objectOf);
  switch (type) {
    case 'lnsXY':
      return layers
        .filter((layer) => (layer['layerType'] ?? 'data') === 'data')
        .flatMap((layer) =>
          one(layer, 'xAccessor', 'accessors', 'splitAccessor', 'splitAccessors'),
        );
    case 'lnsPie':
      return layers.flatMap((layer) => one(layer, 'primaryGroups', 'secondaryGroups', 'metrics'));
    case 'lnsDatatable':
      return listOf(visualization['columns']).map((column) => [
        textOf(visualization['layerId']),
        textOf(at(column, 'columnId')),
      ]);
    default:
      return one(
        visualization,
        'metricAccessor',
        'secondaryMetricAccessor',
        'maxAccessor',
        'breakdownByAccessor',
        'accessor',
        'xAccessor',
        'yAccessor',
        'valueAccessor',
        'tagAccessor',
        'regionAccessor',
        'goalAccessor',
        'minAccessor',
      );
  }
}

/** What a visualization cannot do without. */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  lnsMetric: ['metricAccessor'],
  lnsHeatmap: ['xAccessor', 'valueAccessor'],
  lnsTagcloud: ['tagAccessor', 'valueAccessor'],
};

/** Each column that is shown must be there, and once. Gives the ids of those shown. */
function checkAccessors(
  { report, where }: LensContext,
  accessors: ReturnType<typeof accessorsOf>,
  layers: Readonly<Record<string, Layer>>,
): Set<string> {
  const used = new Set<string>();
  if (accessors.length === 0) report(where, 'the visualization shows no column');
  for (const [layerId, columnId] of accessors) {
    if (layers[layerId]?.columns[columnId] === undefined)
      report(
        where,
        `the visualization shows column ${columnId} of layer ${layerId}, which is not there`,
      );
    if (used.has(columnId)) report(where, `the visualization shows column ${columnId} twice`);
    used.add(columnId);
  }
  return used;
}

function checkVisualization(lens: LensContext, layers: Readonly<Record<string, Layer>>): void {
  const { report, where } = lens;
  const type = textOf(lens.attributes['visualizationType']);
  if (!VISUALIZATIONS.has(type)) {
    report(where, `"${type}" is no visualization of Lens`);
    return;
  }
  const visualization = objectOf(at(lens.attributes, 'state', 'visualization'));
  for (const need of NEEDS[type] ?? []) {
    if (visualization[need] === undefined) report(where, `${type} lacks ${need}`);
  }
  const used = checkAccessors(lens, accessorsOf(type, visualization), layers);
  const sorting = at(visualization, 'sorting', 'columnId');
  if (sorting !== undefined && !used.has(textOf(sorting)))
    report(where, 'the table is sorted by a column that it does not show');
  checkLeftOut(lens, used, layers);
  for (const part of listOf(visualization['layers']))
    for (const one of listOf(at(part, 'yConfig')).map((config) => at(config, 'forAccessor')))
      if (!listOf(at(part, 'accessors')).includes(one))
        report(where, `colours column ${textOf(one)}, which is none of its figures`);
  if (type !== 'lnsDatatable') checkRoles(lens, type, visualization, layers);
}

/** What is asked for and not shown: a group or a figure that somebody took away. Helper columns of a formula are their formula's. */
function checkLeftOut(
  { report, where }: LensContext,
  used: ReadonlySet<string>,
  layers: Readonly<Record<string, Layer>>,
): void {
  const columns = Object.values(layers).flatMap((layer) => Object.entries(layer.columns));
  const helpers = new Set(columns.flatMap(([, column]) => listOf(at(column, 'references'))));
  for (const [id] of columns)
    if (!used.has(id) && !helpers.has(id)) report(where, `the chart leaves out column ${id}`);
}

/** A metric where groups belong, or the other way round, draws nothing. */
function checkRoles(
  { report, where }: LensContext,
  type: string,
  visualization: Json,
  layers: Readonly<Record<string, Layer>>,
): void {
  const parts =
    type === 'lnsXY' || type === 'lnsPie' ? listOf(visualization['layers']) : [visualization];
  const columns: Json = Object.assign({}, ...Object.values(layers).map((layer) => layer.columns));
  const expect = (part: Json, key: string, bucketed: boolean): void => {
    for (const id of [part[key]].flat()) {
      const isBucketed = at(columns[textOf(id)], 'isBucketed');
      if (isBucketed !== undefined && isBucketed !== bucketed)
        report(where, `${key} must be a column of ${bucketed ? 'groups' : 'figures'}`);
    }
  };
  for (const part of parts.map(objectOf)) {
    for (const key of [
      'splitAccessor',
      'primaryGroups',
      'breakdownByAccessor',
      'yAccessor',
      'tagAccessor',
    ])
      expect(part, key, true);
    for (const key of ['accessors', 'metrics', 'metricAccessor', 'valueAccessor'])
      expect(part, key, false);
  }
}

function checkOrder(id: string, layer: Json, where: string, report: Report): void {
  const columns = objectOf(layer['columns']);
  const order = listOf(layer['columnOrder']).map(textOf);
  const same = [...order].sort().join() === Object.keys(columns).sort().join();
  if (!same) report(where, `columnOrder of layer ${id} is not its columns`);
  const bucketed = order.map((column) => at(columns[column], 'isBucketed') === true);
  if (
    bucketed.includes(true) &&
    bucketed.lastIndexOf(true) > bucketed.indexOf(false) &&
    bucketed.includes(false)
  )
    report(where, 'groups must stand before figures in columnOrder');
  if (Object.keys(objectOf(layer['incompleteColumns'])).length > 0)
    report(where, 'has a column that its author did not finish');
}

/** The data view of each layer, by the layer's reference. Ad-hoc ones stand among the internal references. */
function dataViewsOf(lens: LensContext, layerIds: readonly string[]): Map<string, string> {
  const references = [
    ...listOf(lens.attributes['references']),
    ...listOf(at(lens.attributes, 'state', 'internalReferences')),
  ];
  const found = new Map<string, string>();
  for (const id of layerIds) {
    const reference = references.find((one) => at(one, 'name') === `${LAYER_REFERENCE}${id}`);
    if (reference === undefined)
      lens.report(lens.where, `layer ${id} lacks its data view among the chart's references`);
    else found.set(id, textOf(at(reference, 'id')));
  }
  return found;
}

export function checkLens(lens: LensContext): void {
  const state = objectOf(lens.attributes['state']);
  checkLensShape(lens.attributes, lens.where, lens.report);
  if (at(state, 'datasourceStates', 'indexpattern') !== undefined)
    lens.report(lens.where, 'is in the form before 8.6 (datasourceStates.indexpattern)');
  const formBased = objectOf(at(state, 'datasourceStates', 'formBased', 'layers'));
  const textBased = objectOf(at(state, 'datasourceStates', 'textBased', 'layers'));
  if (Object.keys(formBased).length === 0) {
    if (Object.keys(textBased).length === 0) lens.report(lens.where, 'has no layer');
    return;
  }
  const dataViews = dataViewsOf(lens, Object.keys(formBased));
  const layers: Record<string, Layer> = {};
  for (const [id, value] of Object.entries(formBased)) {
    const layer = objectOf(value);
    checkOrder(id, layer, lens.where, lens.report);
    layers[id] = {
      columns: objectOf(layer['columns']) as Readonly<Record<string, Json>>,
      stream: lens.streamOf(dataViews.get(id) ?? ''),
      where: lens.where,
    };
    checkColumns(layers[id], lens.report);
  }
  const { stream } = Object.values(layers).find((layer) => layer.stream !== undefined) ?? {};
  checkQuery(state['query'], stream, lens.where, lens.report);
  checkVisualization(lens, layers);
}
