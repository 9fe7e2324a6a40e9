/**
 * Takes columns by key, gives Lens panels by value: metric, XY, pie family, table, heat map.
 * Keeps: set(columnOrder) equals the columns and buckets stand before metrics, since Kibana nests aggregations in that order;
 * accessors are looked up by key, so that none can point at nothing.
 */
import assert from 'node:assert/strict';
import type { Column, ColumnSpec } from './columns.ts';
import type { Drilldown, Panel } from './panel.ts';
import { kql, stableId } from './saved-object.ts';

/** What every Lens panel has. */
export interface LensParts {
  /** Name within the whole bundle, `<dashboard>/<panel>`: ids follow from it. */
  readonly name: string;
  readonly title: string;
  /** Shown by the panel's info sign. */
  readonly description?: string;
  readonly dataViewId: string;
  /** KQL that narrows this panel. */
  readonly query?: string;
  /** Columns in the order of their nesting: buckets first, then metrics. */
  readonly columns: Readonly<Record<string, ColumnSpec>>;
  readonly drilldowns?: readonly Drilldown[];
}

interface Layer {
  readonly id: string;
  readonly columns: Readonly<Record<string, Column>>;
  readonly idOf: (key: string) => string;
}

function layerOf(parts: LensParts): Layer {
  const ids = new Map(
    Object.keys(parts.columns).map((key) => [key, stableId(parts.name, 'column', key)]),
  );
  const idOf = (key: string): string => {
    const id = ids.get(key);
    assert(id !== undefined, `${parts.name}: no column ${key}`);
    return id;
  };
  const columns = Object.entries(parts.columns).map(([key, spec]) => [idOf(key), spec(idOf)]);
  return { id: stableId(parts.name, 'layer'), columns: Object.fromEntries(columns), idOf };
}

function lensPanel(
  parts: LensParts,
  visualizationType: string,
  visualization: (layer: Layer) => object,
): Panel {
  const layer = layerOf(parts);
  const references = [
    {
      type: 'index-pattern',
      id: parts.dataViewId,
      name: `indexpattern-datasource-layer-${layer.id}`,
    },
  ];
  const attributes = {
    title: parts.title,
    description: parts.description ?? '',
    visualizationType,
    type: 'lens',
    references,
    state: {
      visualization: visualization(layer),
      query: kql(parts.query ?? ''),
      filters: [],
      internalReferences: [],
      adHocDataViews: {},
      datasourceStates: {
        formBased: {
          layers: {
            [layer.id]: {
              columns: layer.columns,
              columnOrder: Object.keys(layer.columns),
              incompleteColumns: {},
              sampling: 1,
              ignoreGlobalFilters: false,
            },
          },
        },
        textBased: { layers: {} },
      },
    },
  };
  return {
    name: parts.name,
    type: 'lens',
    title: parts.title,
    embeddableConfig: {
      attributes,
      hidePanelTitles: false,
      ...(parts.description === undefined ? {} : { description: parts.description }),
    },
    references,
    drilldowns: parts.drilldowns ?? [],
  };
}

/**
 * One figure, which must be a number. Lens shows a metric's label and no panel title (noPanelTitle), so the title becomes the label.
 */
export function metric(
  parts: Omit<LensParts, 'columns'> & {
    readonly value: ColumnSpec;
    /** `#RRGGBB` behind the figure. */
    readonly color?: string;
  },
): Panel {
  const { value, color, ...rest } = parts;
  const columns = {
    value: (idOf: (key: string) => string) => ({ ...value(idOf), label: parts.title }),
  };
  const panel = lensPanel({ ...rest, columns }, 'lnsMetric', (layer) => ({
    layerId: layer.id,
    layerType: 'data',
    metricAccessor: layer.idOf('value'),
    ...(color === undefined ? {} : { color }),
    // Without a panel title there is no info sign either: the description stands under the label.
    ...(parts.description === undefined ? {} : { subtitle: parts.description }),
  }));
  return { ...panel, embeddableConfig: { ...panel.embeddableConfig, hidePanelTitles: true } };
}

export type SeriesType = 'bar_stacked' | 'bar_horizontal' | 'bar_horizontal_stacked' | 'line';

const AXES = { x: true, yLeft: true, yRight: true };

const yConfig = (colors: Readonly<Record<string, string>>, { idOf }: Layer): object[] =>
  Object.entries(colors).map(([key, color]) => ({ forAccessor: idOf(key), color }));

interface XyOptions {
  readonly series: SeriesType;
  /** `#RRGGBB` by the key of a figure, where a colour says something; Kibana's own palette otherwise. Not with a split. */
  readonly colors?: Readonly<Record<string, string>>;
}

/** Bars or lines. Column keys: `x`, `y` (and `y2`, `y3`) and, where there is one, `split`. */
export function xy(parts: LensParts & XyOptions): Panel {
  return lensPanel(parts, 'lnsXY', (layer) => ({
    legend: {
      isVisible: 'split' in parts.columns || 'y2' in parts.columns,
      position: 'right',
      legendSize: 'large',
    },
    valueLabels: 'hide',
    fittingFunction: 'None',
    axisTitlesVisibilitySettings: { x: false, yLeft: false, yRight: true },
    tickLabelsVisibilitySettings: AXES,
    labelsOrientation: { x: 0, yLeft: 0, yRight: 0 },
    gridlinesVisibilitySettings: AXES,
    preferredSeriesType: parts.series,
    layers: [
      {
        layerId: layer.id,
        layerType: 'data',
        seriesType: parts.series,
        position: 'top',
        showGridlines: false,
        xAccessor: layer.idOf('x'),
        accessors: Object.keys(parts.columns)
          .filter((key) => /^y\d?$/.test(key))
          .map(layer.idOf),
        ...('split' in parts.columns ? { splitAccessor: layer.idOf('split') } : {}),
        ...(parts.colors === undefined ? {} : { yConfig: yConfig(parts.colors, layer) }),
      },
    ],
  }));
}

/** Shares of a whole. Column keys: `value` and, outermost first, the groups. */
export function pie(parts: LensParts & { readonly shape: 'donut' | 'treemap' }): Panel {
  return lensPanel(parts, 'lnsPie', (layer) => ({
    shape: parts.shape,
    layers: [
      {
        layerId: layer.id,
        layerType: 'data',
        primaryGroups: Object.keys(parts.columns)
          .filter((key) => key !== 'value')
          .map(layer.idOf),
        metrics: [layer.idOf('value')],
        // A share of a whole that holds dozens of tiles tells less than the count.
        numberDisplay: parts.shape === 'donut' ? 'percent' : 'value',
        categoryDisplay: 'default',
        legendDisplay: 'default',
        nestedLegend: false,
      },
    ],
  }));
}

interface TableOptions {
  /** Key of the column that the rows are sorted by, when the buckets' own order will not do. */
  readonly sort?: { readonly by: string; readonly direction: 'asc' | 'desc' };
  /** Widths in pixels by key. */
  readonly widths?: Readonly<Record<string, number>>;
  /** Rows per page. */
  readonly page?: number;
  /** Lines of text in a row; more than one where the end of a path matters, which would be cut off. */
  readonly lines?: number;
}

/** A table of all columns in their order. */
export function table(parts: LensParts & TableOptions): Panel {
  return lensPanel(parts, 'lnsDatatable', (layer) => ({
    layerId: layer.id,
    layerType: 'data',
    columns: Object.keys(parts.columns).map((key) => {
      const width = parts.widths?.[key];
      return {
        columnId: layer.idOf(key),
        isTransposed: false,
        ...(width === undefined ? {} : { width }),
      };
    }),
    ...(parts.sort === undefined
      ? {}
      : { sorting: { columnId: layer.idOf(parts.sort.by), direction: parts.sort.direction } }),
    paging: { size: parts.page ?? 10, enabled: true },
    ...(parts.lines === undefined
      ? { rowHeight: 'single' }
      : { rowHeight: 'custom', rowHeightLines: parts.lines }),
    headerRowHeight: 'single',
  }));
}

/** From few to many. Kibana's default runs from blue over white to red, and its middle looks like nothing at all. */
const SHADES = ['#D9E8FB', '#A8CBF5', '#6FA8EA', '#3C82D6', '#0B5CB0'] as const;

/** Five shades that begin at the values given; stored as Kibana's editor stores a palette of one's own. */
function shades(starts: readonly number[], accessor: string): object {
  const [least] = starts;
  return {
    type: 'palette',
    name: 'custom',
    accessor,
    params: {
      name: 'custom',
      reverse: false,
      continuity: 'above',
      progression: 'fixed',
      rangeType: 'number',
      rangeMin: least,
      rangeMax: null,
      steps: SHADES.length,
      maxSteps: SHADES.length,
      colorStops: SHADES.map((color, index) => ({ color, stop: starts[index] })),
      // A stop is where its colour ends. The last one has no end; Kibana wants a number all the same.
      stops: SHADES.map((color, index) => ({
        color,
        stop: starts[index + 1] ?? 2 * (starts[index] ?? 0),
      })),
    },
  };
}

/**
 * A grid whose cells are darker where there is more. Column keys: `x`, `y`, `value`. `starts`: the five values from which on a cell
 * has the next darker shade.
 */
export function heatMap(parts: LensParts & { readonly starts: readonly number[] }): Panel {
  assert.equal(parts.starts.length, SHADES.length, `${parts.name}: one start for each shade`);
  return lensPanel(parts, 'lnsHeatmap', (layer) => ({
    shape: 'heatmap',
    layerId: layer.id,
    layerType: 'data',
    xAccessor: layer.idOf('x'),
    yAccessor: layer.idOf('y'),
    valueAccessor: layer.idOf('value'),
    palette: shades(parts.starts, layer.idOf('value')),
    legend: { isVisible: true, position: 'right', legendSize: 'small', type: 'heatmap_legend' },
    gridConfig: {
      type: 'heatmap_grid',
      isCellLabelVisible: false,
      isXAxisLabelVisible: true,
      isXAxisTitleVisible: false,
      isYAxisLabelVisible: true,
      isYAxisTitleVisible: false,
    },
  }));
}
