/** Draws a dashboard on Kibana's grid: caption, title, query, controls, panels at their saved places. */
import {
  EuiFieldSearch,
  EuiFilterButton,
  EuiFilterGroup,
  EuiFlexGroup,
  EuiFlexItem,
  EuiIcon,
  EuiLink,
  EuiMarkdownFormat,
  EuiPanel,
  EuiTitle,
} from '@elastic/eui';
import moment from 'moment';
import type { DashboardModel, PanelModel } from '../preview-model.ts';
import { LensTable, SearchTable } from './data-table.tsx';
import { HeatMap } from './heat-map.tsx';
import { MetricChart } from './metric-chart.tsx';
import { PartitionChart } from './partition-chart.tsx';
import { XyChart } from './xy-chart.tsx';

/** Kibana's grid: columns over the whole width, rows and gaps in pixels. */
const COLUMNS = 48;
const ROW = 20;
const GAP = 8;

const CHARTS: Readonly<Record<string, (props: { panel: PanelModel }) => React.JSX.Element>> = {
  lnsXY: XyChart,
  lnsPie: PartitionChart,
  lnsHeatmap: HeatMap,
  lnsMetric: MetricChart,
  lnsDatatable: LensTable,
  search: SearchTable,
};

function Contents({ panel }: { readonly panel: PanelModel }) {
  if (panel.kind === 'markdown')
    return <EuiMarkdownFormat textSize="s">{panel.markdown}</EuiMarkdownFormat>;
  if (panel.kind === 'links')
    return (
      <EuiFlexGroup gutterSize="l" responsive={false}>
        {panel.links.map((label) => (
          <EuiFlexItem grow={false} key={label}>
            <EuiLink>{label}</EuiLink>
          </EuiFlexItem>
        ))}
      </EuiFlexGroup>
    );
  const Drawn = CHARTS[panel.kind];
  if (Drawn === undefined) throw new Error(`${panel.title}: no way to draw ${panel.kind}`);
  return <Drawn panel={panel} />;
}

function Framed({ panel, unit }: { readonly panel: PanelModel; readonly unit: number }) {
  const { x, y, w, h } = panel.place;
  const isPlain = panel.kind === 'markdown' || panel.kind === 'links';
  return (
    <EuiPanel
      hasShadow={false}
      hasBorder
      paddingSize="none"
      style={{
        position: 'absolute',
        left: x * unit,
        top: y * (ROW + GAP),
        width: w * unit - GAP,
        height: h * ROW + (h - 1) * GAP,
        display: 'flex',
        flexDirection: 'column',
        overflow: 'hidden',
      }}
    >
      {panel.title === '' ? null : (
        <EuiTitle size="xxxs">
          <h2 style={{ padding: '6px 8px' }}>
            {panel.title}
            {panel.description === '' ? null : (
              <EuiIcon
                type="info"
                size="s"
                style={{ marginLeft: 6 }}
                aria-label={panel.description}
              />
            )}
          </h2>
        </EuiTitle>
      )}
      <div style={{ flex: 1, minHeight: 0, padding: isPlain ? 12 : 0 }}>
        <Contents panel={panel} />
      </div>
    </EuiPanel>
  );
}

export function DashboardPage({
  model,
  width,
}: {
  readonly model: DashboardModel;
  readonly width: number;
}) {
  const unit = width / COLUMNS;
  const bottom = Math.max(...model.panels.map(({ place }) => place.y + place.h));
  const time = (ms: number): string => moment.utc(ms).format('MMM D, YYYY @ HH:mm');
  return (
    <div style={{ width: width + GAP, padding: GAP, background: '#F6F9FC' }}>
      <div
        style={{
          background: '#FDF3D8',
          padding: '6px 12px',
          borderRadius: 4,
          marginBottom: GAP,
          fontSize: 14,
        }}
      >
        {model.caption}
      </div>
      <EuiTitle size="s">
        <h1 style={{ padding: '4px 0 8px' }}>{model.title}</h1>
      </EuiTitle>
      <EuiFlexGroup gutterSize="s" responsive={false} style={{ marginBottom: GAP }}>
        <EuiFlexItem>
          <EuiFieldSearch fullWidth compressed readOnly value={model.query} />
        </EuiFlexItem>
        <EuiFlexItem grow={false}>
          <EuiFilterGroup compressed>
            <EuiFilterButton iconType="calendar" iconSide="left">
              {time(model.fromMs)} → {time(model.toMs)}
            </EuiFilterButton>
          </EuiFilterGroup>
        </EuiFlexItem>
      </EuiFlexGroup>
      <EuiFlexGroup gutterSize="s" responsive={false} style={{ marginBottom: GAP }}>
        {model.controls.map((title) => (
          <EuiFlexItem key={title}>
            <EuiFilterGroup compressed fullWidth>
              <EuiFilterButton iconType="chevronSingleDown">{title}: Any</EuiFilterButton>
            </EuiFilterGroup>
          </EuiFlexItem>
        ))}
      </EuiFlexGroup>
      <div style={{ position: 'relative', height: bottom * (ROW + GAP) }}>
        {model.panels.map((panel) => (
          <Framed key={panel.id} panel={panel} unit={unit} />
        ))}
      </div>
    </div>
  );
}
