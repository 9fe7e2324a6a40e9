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
export function metric(parts: Omit<LensParts, 'columns'> & { readonly value: ColumnSpec }): Panel {
  const { value, ...rest } = parts;
  const columns = {
    value: (idOf: (key: string) => string) => ({ ...value(idOf), label: parts.title }),
  };
  const panel = lensPanel({ ...rest, columns }, 'lnsMetric', (layer) => ({
    layerId: layer.id,
    layerType: 'data',
    metricAccessor: layer.idOf('value'),
    // Without a panel title there is no info sign either: the description stands under the label.
    ...(parts.description === undefined ? {} : { subtitle: parts.description }),
  }));
  return { ...panel, embeddableConfig: { ...panel.embeddableConfig, hidePanelTitles: true } };
}

export type SeriesType = 'bar_stacked' | 'bar_horizontal' | 'bar_horizontal_stacked' | 'line';

const AXES = { x: true, yLeft: true, yRight: true };

/** Bars or lines. Column keys: `x`, `y` and, where there is one, `split`. */
export function xy(parts: LensParts & { readonly series: SeriesType }): Panel {
  return lensPanel(parts, 'lnsXY', (layer) => ({
    legend: { isVisible: 'split' in parts.columns, position: 'right' },
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
        accessors: [layer.idOf('y')],
        ...('split' in parts.columns ? { splitAccessor: layer.idOf('split') } : {}),
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
        numberDisplay: 'percent',
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
    rowHeight: 'single',
    headerRowHeight: 'single',
  }));
}

/** A grid whose cells are darker where there is more. Column keys: `x`, `y`, `value`. */
export function heatMap(parts: LensParts): Panel {
  return lensPanel(parts, 'lnsHeatmap', (layer) => ({
    shape: 'heatmap',
    layerId: layer.id,
    layerType: 'data',
    xAccessor: layer.idOf('x'),
    yAccessor: layer.idOf('y'),
    valueAccessor: layer.idOf('value'),
    legend: { isVisible: true, position: 'right', type: 'heatmap_legend' },
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
