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
  if (typeof object.managed !== 'boolean') report(where, 'managed must be true or false');
  if (type !== 'tag' && type !== 'index-pattern') {
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
  checkFigure(at(panel, 'embeddableConfig', 'attributes'), where, report);
  if (Object.keys(objectOf(at(state, 'datasourceStates', 'textBased', 'layers'))).length > 0)
    report(where, 'uses ES|QL, which 8.11 cannot keep');
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
