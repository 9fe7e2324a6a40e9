/**
 * Formats of fields that several data views share.
 */
import type { FieldFormat } from '../build/data-view.ts';
import type { DashboardKey, Naming } from './naming.ts';

/** Of moment.js. */
export const TIME_PATTERN = 'YYYY-MM-DD HH:mm:ss';

/** `query:'field:"value"'` in the state of Kibana's address, in Rison; `{{value}}` is put in by Kibana, safe for a URL. */
const stateOf = (field: string): string =>
  `_a=(query:(language:kuery,query:'${field}:%22{{value}}%22'))`;

/** A link to a dashboard, asked for the value. Who wrote an apostrophe into an account's name gets the dashboard without the question. */
export function linkTo(naming: Naming, key: DashboardKey, field: string): FieldFormat {
  const template = `../app/dashboards#/view/${naming.dashboardId(key)}?${stateOf(field)}`;
  return { kind: 'url', template };
}

/** A link to the saved search of all process starts, asked for the value, over all times that are kept. */
export function linkToStart(naming: Naming, field: string): FieldFormat {
  const times = '_g=(time:(from:now-1y,to:now))';
  const template = `../app/discover#/view/${naming.searchId('starts')}?${times}&${stateOf(field)}`;
  return { kind: 'url', template };
}
