/**
 * What a dashboard shows in one frame, before it has a place: the contents and the references that they need.
 */
import type { Reference } from './saved-object.ts';

/** A click on a value of the panel opens another dashboard with that value as a filter (Kibana: dashboard drilldown). */
export interface Drilldown {
  readonly dashboardId: string;
  /** What the menu calls it, e.g. `Open in People and PCs`. */
  readonly label: string;
}

export interface Panel {
  /** Name within its dashboard; ids follow from it. Never changed once shipped. */
  readonly name: string;
  readonly type: 'lens' | 'visualization' | 'links' | 'search';
  /** Empty for panels without a heading. */
  readonly title: string;
  readonly embeddableConfig: Readonly<Record<string, unknown>>;
  /** Names as within the panel; the dashboard puts the panel's id before them. */
  readonly references: readonly Reference[];
  readonly drilldowns?: readonly Drilldown[];
  /** For a panel that stands in an object of its own: which reference that is. */
  readonly byReference?: boolean;
}
