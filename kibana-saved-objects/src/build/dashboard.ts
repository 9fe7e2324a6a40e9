/**
 * Takes rows of panels, controls and a query, gives the dashboard as a saved object.
 * Keeps: panels fill 48 columns row by row and cannot overlap; each reference of a panel stands a second time on the dashboard
 * with the panel's id before it, since 8.x looks there and 9.x in the panel.
 */
import assert from 'node:assert/strict';
import type { Panel } from './panel.ts';
import {
  kql,
  type Reference,
  type SavedObject,
  savedObject,
  stableId,
  tagReference,
} from './saved-object.ts';

/** Columns of Kibana's grid. */
const GRID_COLUMNS = 48;

/** Panels side by side: `[width in columns, panel]`, together 48 wide. */
export interface Row {
  /** In grid rows of about 20 pixels. */
  readonly height: number;
  readonly panels: readonly (readonly [width: number, panel: Panel])[];
}

/** A drop-down over the dashboard that narrows everything to the values chosen. */
export interface Control {
  readonly field: string;
  readonly title: string;
}

export interface DashboardParts {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly dataViewId: string;
  readonly tagId: string;
  /** Start of the time range that the dashboard opens with, e.g. `now-7d/d`; it ends now. */
  readonly timeFrom: string;
  /** KQL over all panels. */
  readonly query?: string;
  readonly controls: readonly Control[];
  readonly rows: readonly Row[];
}

interface Built {
  readonly panel: Readonly<Record<string, unknown>>;
  readonly references: readonly Reference[];
}

/** The references and events of a panel's drilldowns. Trigger and names as Kibana's own editor stores them. */
function drilldownsOf(panel: Panel): { events: object[]; references: Reference[] } {
  const factoryId = 'DASHBOARD_TO_DASHBOARD_DRILLDOWN';
  const entries = (panel.drilldowns ?? []).map((drilldown) => ({
    ...drilldown,
    eventId: stableId(panel.name, 'drilldown', drilldown.dashboardId),
  }));
  return {
    events: entries.map(({ eventId, label }) => ({
      eventId,
      triggers: ['FILTER_TRIGGER'],
      action: {
        factoryId,
        name: label,
        config: { useCurrentFilters: true, useCurrentDateRange: true, openInNewTab: false },
      },
    })),
    references: entries.map(({ eventId, dashboardId }) => ({
      type: 'dashboard',
      id: dashboardId,
      name: `drilldown:${factoryId}:${eventId}:dashboardId`,
    })),
  };
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

function buildPanel(panel: Panel, place: Place): Built {
  const panelIndex = stableId(panel.name, 'panel');
  const drilldowns = drilldownsOf(panel);
  const own = panel.byReference
    ? panel.references.map((reference) => ({ ...reference, name: `panel_${panelIndex}` }))
    : panel.references;
  return {
    panel: {
      type: panel.type,
      panelIndex,
      gridData: { ...place, i: panelIndex },
      ...(panel.title === '' ? {} : { title: panel.title }),
      embeddableConfig: {
        ...panel.embeddableConfig,
        enhancements:
          drilldowns.events.length === 0 ? {} : { dynamicActions: { events: drilldowns.events } },
      },
      ...(panel.byReference ? { panelRefName: `panel_${panelIndex}` } : {}),
    },
    references: [...own, ...drilldowns.references].map((reference) => ({
      ...reference,
      name: `${panelIndex}:${reference.name}`,
    })),
  };
}

function buildRows(id: string, rows: readonly Row[]): Built[] {
  const built: Built[] = [];
  let y = 0;
  for (const row of rows) {
    let x = 0;
    for (const [w, panel] of row.panels) {
      built.push(buildPanel(panel, { x, y, w, h: row.height }));
      x += w;
    }
    assert.equal(x, GRID_COLUMNS, `${id}: the row at ${y} is ${x} columns wide`);
    y += row.height;
  }
  return built;
}

function buildControls(parts: DashboardParts): { input: object; references: Reference[] } {
  const entries = parts.controls.map((control, order) => ({
    ...control,
    order,
    controlId: stableId(parts.id, 'control', control.field),
  }));
  const panels = Object.fromEntries(
    entries.map(({ controlId, order, field, title }) => [
      controlId,
      {
        order,
        width: 'medium',
        grow: true,
        type: 'optionsListControl',
        explicitInput: { id: controlId, fieldName: field, title, enhancements: {} },
      },
    ]),
  );
  return {
    input: {
      controlStyle: 'oneLine',
      chainingSystem: 'HIERARCHICAL',
      panelsJSON: JSON.stringify(panels),
      ignoreParentSettingsJSON: JSON.stringify({
        ignoreFilters: false,
        ignoreQuery: false,
        ignoreTimerange: false,
        ignoreValidations: false,
      }),
    },
    references: entries.map(({ controlId }) => ({
      type: 'index-pattern',
      id: parts.dataViewId,
      name: `controlGroup_${controlId}:optionsListDataView`,
    })),
  };
}

export function dashboard(parts: DashboardParts): SavedObject {
  const built = buildRows(parts.id, parts.rows);
  const controls = buildControls(parts);
  return savedObject('dashboard', {
    id: parts.id,
    managed: true,
    attributes: {
      title: parts.title,
      description: parts.description,
      version: 1,
      timeRestore: true,
      timeFrom: parts.timeFrom,
      timeTo: 'now',
      refreshInterval: { pause: true, value: 60_000 },
      kibanaSavedObjectMeta: {
        searchSourceJSON: JSON.stringify({ query: kql(parts.query ?? ''), filter: [] }),
      },
      optionsJSON: JSON.stringify({
        useMargins: true,
        syncColors: true,
        syncCursor: true,
        syncTooltips: false,
        hidePanelTitles: false,
      }),
      panelsJSON: JSON.stringify(built.map(({ panel }) => panel)),
      controlGroupInput: controls.input,
    },
    references: [
      ...built.flatMap(({ references }) => references),
      ...controls.references,
      tagReference(parts.tagId),
    ],
  });
}
