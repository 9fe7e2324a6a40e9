/**
 * Takes the objects of a file that we ship, tells where it would not import from Kibana 8.11 on or would bring something we do
 * not want: newer versions, charts by reference, formulas, old visualizations, objects that belong to nobody.
 */
import { at, listOf, objectOf, parsed, textOf } from './json.ts';
import type { Report } from './problem.ts';
import { type ExportedObject, LEGACY_VERSIONS } from './read-export.ts';

const CORE_VERSION = '8.8.0';
const OUR_TYPES = new Set(['dashboard', 'search', 'index-pattern', 'tag']);
const OUR_ID = /^launchbeat-[a-z0-9-]+$/;
const COMPOSED = new Set(['formula', 'math', 'static_value']);
/** Kibana shows these read-only, so that an update breaks nobody's work; what people add to is theirs. */
const MANAGED: Readonly<Record<string, boolean>> = {
  ...{ dashboard: true, search: true },
  ...{ 'index-pattern': false, tag: false },
};
/** More makes a dashboard slow to open. */
const PANELS_MAX = 30;

function checkEnvelope(object: ExportedObject, report: Report): void {
  const { where, type } = object;
  if (!OUR_TYPES.has(type)) report(where, `we ship no ${type}`);
  if (!OUR_ID.test(object.id)) report(where, 'id must be launchbeat-…');
  const version = LEGACY_VERSIONS[type];
  if (object.typeVersion !== version)
    report(where, `typeMigrationVersion must be ${version}, the newest that 8.11 takes`);
  if (object.coreVersion !== CORE_VERSION)
    report(where, `coreMigrationVersion must be ${CORE_VERSION}`);
  if (object.managed !== MANAGED[type])
    report(where, `managed must be ${String(MANAGED[type])} for this type`);
  if (type === 'index-pattern' && object.attributes['allowNoIndex'] !== true)
    report(where, 'allowNoIndex must be true: else it cannot be opened before the first document');
  if (type !== 'tag' && type !== 'index-pattern') {
    const source = parsed(at(object.attributes, 'kibanaSavedObjectMeta', 'searchSourceJSON'));
    if (typeof at(source, 'query', 'query') !== 'string') report(where, 'lacks its query');
    if (textOf(object.attributes['description']) === '') report(where, 'lacks a description');
    if (!object.references.some((reference) => reference.type === 'tag'))
      report(where, 'lacks our tag');
  }
}

/** Lens's metric took numbers only at first; dates and texts came later. */
function checkFigure(attributes: unknown, where: string, report: Report): void {
  if (at(attributes, 'visualizationType') !== 'lnsMetric') return;
  const visualization = at(attributes, 'state', 'visualization');
  const layers = at(attributes, 'state', 'datasourceStates', 'formBased', 'layers');
  const layer = at(layers, textOf(at(visualization, 'layerId')));
  const column = at(layer, 'columns', textOf(at(visualization, 'metricAccessor')));
  if (at(column, 'dataType') !== 'number') report(where, 'a metric must show a number');
}

function checkPanel(panel: unknown, object: ExportedObject, report: Report): void {
  const type = textOf(at(panel, 'type'));
  const title = textOf(at(panel, 'title'));
  const where = `${object.where}: panel "${title || textOf(at(panel, 'panelIndex'))}"`;
  if (at(panel, 'panelRefName') !== undefined && type !== 'search')
    report(where, 'stands by reference: put its contents into the panel');
  if (type === 'visualization' && at(panel, 'embeddableConfig', 'savedVis', 'type') !== 'markdown')
    report(where, 'is an old visualization, which Kibana 10 no longer shows');
  if ((type === 'lens' || type === 'search') && title === '') report(where, 'lacks a title');
  const state = at(panel, 'embeddableConfig', 'attributes', 'state');
  const layers = Object.values(objectOf(at(state, 'datasourceStates', 'formBased', 'layers')));
  for (const column of layers.flatMap((layer) => Object.values(objectOf(at(layer, 'columns'))))) {
    if (COMPOSED.has(textOf(at(column, 'operationType'))))
      report(where, 'uses a formula: let the agent compute the figure');
  }
  checkWhole(layers, where, report);
  checkFigure(at(panel, 'embeddableConfig', 'attributes'), where, report);
  checkWays(panel, where, report);
  if (Object.keys(objectOf(at(state, 'datasourceStates', 'textBased', 'layers'))).length > 0)
    report(where, 'uses ES|QL, which 8.11 cannot keep');
}

/** All documents that the controls and filters leave. */
function checkWhole(layers: readonly unknown[], where: string, report: Report): void {
  for (const layer of layers) {
    if (at(layer, 'ignoreGlobalFilters') !== false)
      report(where, 'takes no notice of controls and filters');
    if (at(layer, 'sampling') !== 1) report(where, 'counts a sample only');
  }
}

/** Links and drilldowns take time range and filters along, else the analyst begins anew on each dashboard. */
function checkWays(panel: unknown, where: string, report: Report): void {
  const checkKeeps = (options: unknown, name: string): void => {
    for (const key of ['useCurrentFilters', 'useCurrentDateRange'])
      if (at(options, key) !== true) report(where, `${name} does not keep it all: ${key}`);
  };
  const config = at(panel, 'embeddableConfig');
  for (const link of listOf(at(config, 'attributes', 'links'))) {
    const label = textOf(at(link, 'label'));
    if (label === '') report(where, 'has a link without a label');
    checkKeeps(at(link, 'options'), `the link "${label}"`);
  }
  for (const event of listOf(at(config, 'enhancements', 'dynamicActions', 'events'))) {
    const name = textOf(at(event, 'action', 'name'));
    if (name === '') report(where, 'has a drilldown without a name');
    if (!listOf(at(event, 'triggers')).includes('FILTER_TRIGGER'))
      report(where, `the drilldown "${name}" is opened by no click on a value`);
    checkKeeps(at(event, 'action', 'config'), `the drilldown "${name}"`);
  }
}

/** Every dashboard has every other in its link bar. */
function checkSisters(objects: readonly ExportedObject[], report: Report): void {
  const dashboards = objects.filter(({ type }) => type === 'dashboard');
  for (const { id, where, references } of dashboards) {
    const linked = new Set(
      references.filter(({ name }) => /:link_[^:]+_dashboard$/.test(name)).map((one) => one.id),
    );
    for (const other of dashboards)
      if (other.id !== id && !linked.has(other.id)) report(where, `has no link to ${other.id}`);
  }
}

function checkDashboard(object: ExportedObject, report: Report): void {
  if (object.attributes['timeRestore'] !== true)
    report(object.where, 'timeRestore must be true: else it opens with the last 15 minutes');
  const panels = listOf(parsed(object.attributes['panelsJSON']));
  if (panels.length > PANELS_MAX) report(object.where, `has more than ${PANELS_MAX} panels`);
  for (const panel of panels) checkPanel(panel, object, report);
  if (!panels.some((panel) => at(panel, 'type') === 'links'))
    report(object.where, 'lacks the link bar');
}

export function checkHouseRules(objects: readonly ExportedObject[], report: Report): void {
  for (const object of objects) {
    checkEnvelope(object, report);
    if (object.type === 'dashboard') checkDashboard(object, report);
  }
  checkSisters(objects, report);
  const referred = new Set(
    objects.flatMap(({ references }) => references.map(({ type, id }) => `${type} ${id}`)),
  );
  for (const { type, id, where } of objects) {
    if (!referred.has(`${type} ${id}`) && type !== 'search')
      report(where, 'nothing refers to it: it would lie about unseen');
  }
}

/** A file is ours when it says so by an id. */
export const isShipped = (objects: readonly ExportedObject[]): boolean =>
  objects.some(({ id }) => id.startsWith('launchbeat-'));
