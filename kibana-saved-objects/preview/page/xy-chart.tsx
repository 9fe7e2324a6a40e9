/** Draws Lens's bars and lines. */
import { Axis, BarSeries, Chart, LineSeries, Position, ScaleType, Settings } from '@elastic/charts';
import { euiPaletteColorBlind } from '@elastic/eui';
import type { PanelModel, PreviewColumn } from '../preview-model.ts';
import { cellText, figureText, timeOf } from './cell-text.ts';
import { CHART_BASE, legendPixels } from './chart-base.ts';

const OTHER_COLOR = '#D3DAE6';

/** Colours of the series: Kibana's default palette in the order of the series, grey for "Other". */
function seriesColors(names: readonly string[]): ReadonlyMap<string, string> {
  const palette = euiPaletteColorBlind();
  return new Map(
    names.map((name, index) => [
      name,
      name === 'Other' ? OTHER_COLOR : (palette[index % palette.length] ?? OTHER_COLOR),
    ]),
  );
}

export function XyChart({ panel }: { readonly panel: PanelModel }) {
  const [layer] = panel.visualization.layers;
  const columnOf = (id: string | undefined): PreviewColumn | undefined =>
    panel.columns.find((column) => column.id === id);
  const x = columnOf(layer.xAccessor) as PreviewColumn;
  const ys = (layer.accessors as string[]).map((id) => columnOf(id) as PreviewColumn);
  const y = ys[0] as PreviewColumn;
  const split = columnOf(layer.splitAccessor);
  const isTurned = String(layer.seriesType).startsWith('bar_horizontal');
  const isStacked = String(layer.seriesType).endsWith('stacked');
  const nameOf = (row: PanelModel['rows'][number], one: PreviewColumn): string =>
    split === undefined ? one.label : cellText(row[split.id], split);
  const data = ys.flatMap((one) =>
    panel.rows.map((row) => ({
      x: x.isTime ? timeOf(row[x.id] ?? null) : cellText(row[x.id], x),
      y: row[one.id] === null ? null : Number(row[one.id]),
      split: nameOf(row, one),
    })),
  );
  const own = ((layer.yConfig ?? []) as { forAccessor: string; color: string }[]).map(
    ({ forAccessor, color }) => [columnOf(forAccessor)?.label ?? '', color] as const,
  );
  const colors = new Map([...seriesColors([...new Set(data.map((one) => one.split))]), ...own]);
  const Series = layer.seriesType === 'line' ? LineSeries : BarSeries;
  return (
    <Chart>
      <Settings
        {...CHART_BASE}
        rotation={isTurned ? 90 : 0}
        showLegend={panel.visualization.legend.isVisible}
        legendPosition={Position.Right}
        legendSize={legendPixels(panel.visualization.legend.legendSize)}
      />
      <Axis
        id="x"
        position={isTurned ? Position.Left : Position.Bottom}
        gridLine={{ visible: !isTurned }}
        {...(x.isTime ? {} : { tickFormat: String })}
      />
      <Axis
        id="y"
        position={isTurned ? Position.Bottom : Position.Left}
        tickFormat={(value) => figureText(value, y)}
        integersOnly
        gridLine={{ visible: true }}
      />
      <Series
        id={panel.id}
        xScaleType={x.isTime ? ScaleType.Time : ScaleType.Ordinal}
        yScaleType={ScaleType.Linear}
        xAccessor="x"
        yAccessors={['y']}
        splitSeriesAccessors={['split']}
        {...(isStacked ? { stackAccessors: ['x'] } : {})}
        name={({ splitAccessors }) => String(splitAccessors.get('split'))}
        color={({ splitAccessors }) => colors.get(String(splitAccessors.get('split'))) ?? null}
        data={data}
        timeZone="UTC"
      />
    </Chart>
  );
}
