/** Draws Lens's single figures. */
import { Chart, Metric, Settings } from '@elastic/charts';
import type { PanelModel } from '../preview-model.ts';
import { figureText } from './cell-text.ts';
import { CHART_BASE } from './chart-base.ts';

export function MetricChart({ panel }: { readonly panel: PanelModel }) {
  const { metricAccessor, subtitle, color } = panel.visualization;
  const column = panel.columns.find(({ id }) => id === metricAccessor);
  const value = panel.rows[0]?.[metricAccessor];
  return (
    <Chart>
      <Settings {...CHART_BASE} />
      <Metric
        id={panel.id}
        data={[
          [
            {
              color: color ?? '#FFFFFF',
              title: column?.label ?? '',
              ...(subtitle === undefined ? {} : { subtitle }),
              value: typeof value === 'number' ? value : Number.NaN,
              valueFormatter: (figure: number) => figureText(figure, column),
            },
          ],
        ]}
      />
    </Chart>
  );
}
