/** Draws Lens's heat maps. */
import { Chart, Heatmap, Position, ScaleType, Settings } from '@elastic/charts';
import type { PanelModel, PreviewColumn } from '../preview-model.ts';
import { cellText, numberText, timeOf } from './cell-text.ts';
import { CHART_BASE, legendPixels } from './chart-base.ts';

interface Stop {
  readonly stop: number;
  readonly color: string;
}

/** Bands of colour over the values, as the panel sets them: each begins at its stop. */
function bandsOf(stops: readonly Stop[]) {
  return stops.map(({ color, stop }, index) => ({
    color,
    start: stop,
    end: stops[index + 1]?.stop ?? Number.POSITIVE_INFINITY,
  }));
}

export function HeatMap({ panel }: { readonly panel: PanelModel }) {
  const { xAccessor, yAccessor, valueAccessor, gridConfig } = panel.visualization;
  const columnOf = (id: string): PreviewColumn =>
    panel.columns.find((column) => column.id === id) as PreviewColumn;
  const x = columnOf(xAccessor);
  const y = columnOf(yAccessor);
  const value = columnOf(valueAccessor);
  const data = panel.rows
    .map((row) => ({
      x: x.isTime ? timeOf(row[x.id] ?? null) : cellText(row[x.id], x),
      y: cellText(row[y.id], y),
      value: Number(row[value.id]),
    }))
    .filter((one) => one.value > 0);
  const hours = /^(\d+)([hmd])$/.exec(x.interval ?? '');
  return (
    <Chart>
      <Settings
        {...CHART_BASE}
        showLegend={panel.visualization.legend.isVisible}
        legendPosition={Position.Right}
        legendSize={legendPixels(panel.visualization.legend.legendSize)}
        theme={{
          ...CHART_BASE.theme,
          heatmap: {
            grid: { stroke: { width: 1, color: '#FFFFFF' } },
            cell: {
              maxWidth: 'fill',
              label: { visible: gridConfig.isCellLabelVisible },
              border: { strokeWidth: 0 },
            },
            xAxisLabel: { visible: true, padding: { top: 4 } },
            yAxisLabel: { visible: true, padding: { right: 6 } },
          },
        }}
      />
      <Heatmap
        id={panel.id}
        name={value.label}
        colorScale={{
          type: 'bands',
          bands: bandsOf(panel.visualization.palette.params.colorStops),
        }}
        data={data}
        xAccessor="x"
        yAccessor="y"
        valueAccessor="value"
        valueFormatter={numberText}
        {...(x.isTime ? { xAxisLabelFormatter: (time: string | number) => cellText(time, x) } : {})}
        xSortPredicate="dataIndex"
        ySortPredicate="dataIndex"
        timeZone="UTC"
        xScale={
          x.isTime && hours !== null
            ? {
                type: ScaleType.Time,
                interval: {
                  type: 'fixed',
                  unit: hours[2] as 'h' | 'm' | 'd',
                  value: Number(hours[1]),
                },
              }
            : { type: ScaleType.Ordinal }
        }
      />
    </Chart>
  );
}
