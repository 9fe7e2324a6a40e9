/** Draws Lens's donuts and treemaps. */
import { Chart, Partition, PartitionLayout, Position, Settings } from '@elastic/charts';
import { euiPaletteColorBlind, euiPaletteColorBlindBehindText } from '@elastic/eui';
import type { PanelModel, PreviewColumn } from '../preview-model.ts';
import { cellText, numberText } from './cell-text.ts';
import { CHART_BASE, legendPixels } from './chart-base.ts';

/** Half way to white: what stands within another. */
const lighter = (color: string): string =>
  `#${[1, 3, 5]
    .map((from) => Math.round((Number.parseInt(color.slice(from, from + 2), 16) + 255) / 2))
    .map((one) => one.toString(16).padStart(2, '0'))
    .join('')}`;

export function PartitionChart({ panel }: { readonly panel: PanelModel }) {
  const [layer] = panel.visualization.layers;
  const isTreemap = panel.visualization.shape === 'treemap';
  const columnOf = (id: string): PreviewColumn =>
    panel.columns.find((column) => column.id === id) as PreviewColumn;
  const groups: PreviewColumn[] = layer.primaryGroups.map(columnOf);
  const value = columnOf(layer.metrics[0]);
  const palette = isTreemap ? euiPaletteColorBlindBehindText() : euiPaletteColorBlind();
  const [first] = groups;
  const names = first ? [...new Set(panel.rows.map((row) => cellText(row[first.id], first)))] : [];
  const colorOf = (name: string): string =>
    palette[names.indexOf(name) % palette.length] ?? '#D3DAE6';
  return (
    <Chart>
      <Settings
        {...CHART_BASE}
        showLegend={!isTreemap}
        legendPosition={Position.Right}
        legendSize={legendPixels(layer.legendSize)}
        theme={{
          ...CHART_BASE.theme,
          partition: {
            fontFamily: 'Inter',
            emptySizeRatio: panel.visualization.shape === 'donut' ? 0.4 : 0,
            linkLabel: { maxCount: 0 },
          },
        }}
      />
      <Partition
        id={panel.id}
        data={[...panel.rows]}
        layout={isTreemap ? PartitionLayout.treemap : PartitionLayout.sunburst}
        valueAccessor={(row) => Number(row[value.id])}
        valueFormatter={numberText}
        {...(layer.numberDisplay === 'percent' ? { valueGetter: 'percent' as const } : {})}
        percentFormatter={(share: number) => `${share.toFixed(2)}%`}
        layers={groups.map((group, depth) => ({
          groupByRollup: (row: PanelModel['rows'][number]) => cellText(row[group.id], group),
          showAccessor: () => true,
          fillLabel:
            isTreemap && depth < groups.length - 1
              ? { valueFormatter: () => '', valueFont: { fontWeight: 400 } }
              : {},
          shape: {
            // biome-ignore lint/suspicious/noExplicitAny: nodes of the library's own tree
            fillColor: (_key: any, _index: number, node: any) => {
              const path: readonly string[] = node.path.map((one: { value: string }) => one.value);
              const color = colorOf(path.find((one) => names.includes(one)) ?? '');
              return depth === 0 ? color : lighter(color);
            },
          },
        }))}
      />
    </Chart>
  );
}
