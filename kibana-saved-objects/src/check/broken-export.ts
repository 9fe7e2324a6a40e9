/**
 * For tests: our own export with one thing broken in it.
 * Keeps: only what the change touches differs from the file that we ship.
 */
import { readFileSync } from 'node:fs';

const SHIPPED = new URL('../../launchbeat.ndjson', import.meta.url);

/** Loose JSON for breaking things; the tests know where they reach. */
// biome-ignore lint/suspicious/noExplicitAny: mutations reach into JSON of many forms
export type Loose = any;

export interface OpenedExport {
  /** All lines, the summary last. */
  readonly objects: Loose[];
  /** The first of its type. */
  readonly dashboard: Loose;
  readonly search: Loose;
  readonly dataView: Loose;
  /** Attributes of the first chart of a kind on any dashboard, opened for changes. */
  readonly chart: (visualizationType: string) => Loose;
}

/** A change, and what the checker must say of it. */
export type Mutation = readonly [change: (file: OpenedExport) => void, told: RegExp];

/** Changes the JSON that a text holds. */
export function within(owner: Loose, key: string, change: (value: Loose) => void): void {
  const value: Loose = JSON.parse(owner[key]);
  change(value);
  owner[key] = JSON.stringify(value);
}

/** Changes the panels of a dashboard. */
export const panels = (dashboard: Loose, change: (panels: Loose[]) => void): void => {
  within(dashboard.attributes, 'panelsJSON', change);
};

/** Changes the first control of a dashboard. */
export const control = (dashboard: Loose, change: (control: Loose) => void): void => {
  within(dashboard.attributes.controlGroupInput, 'panelsJSON', (value) => {
    change(Object.values(value)[0]);
  });
};

/** The only layer of a chart. */
export const layerOf = (chart: Loose): Loose =>
  Object.values(chart.state.datasourceStates.formBased.layers)[0];

/** The first column of a chart with an operation. */
export const columnOf = (chart: Loose, operation: string): Loose =>
  Object.values(layerOf(chart).columns).find((column: Loose) => column.operationType === operation);

/** The text of our English file after a change. */
export function broken(change: (file: OpenedExport) => void): string {
  const objects: Loose[] = readFileSync(SHIPPED, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Loose);
  const dashboards = objects.filter(({ type }) => type === 'dashboard');
  const opened = new Map<Loose, Loose[]>();
  const chart = (visualizationType: string): Loose => {
    for (const dashboard of dashboards) {
      const list: Loose[] = opened.get(dashboard) ?? JSON.parse(dashboard.attributes.panelsJSON);
      const found = list.find(
        ({ embeddableConfig }) =>
          embeddableConfig.attributes?.visualizationType === visualizationType,
      );
      if (found === undefined) continue;
      opened.set(dashboard, list);
      return found.embeddableConfig.attributes;
    }
    throw new Error(`No ${visualizationType} on any dashboard`);
  };
  change({
    objects,
    dashboard: dashboards[0],
    search: objects.find(({ type }) => type === 'search'),
    dataView: objects.find(({ type }) => type === 'index-pattern'),
    chart,
  });
  for (const [dashboard, list] of opened) dashboard.attributes.panelsJSON = JSON.stringify(list);
  return objects.map((one) => `${JSON.stringify(one)}\n`).join('');
}
