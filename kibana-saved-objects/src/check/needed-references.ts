/**
 * Takes a saved object, gives the references that its insides ask for by name, each with the types that may answer.
 * Keeps: the names as Kibana makes them: within a panel bare, on the dashboard with the panel's id before them.
 */
import { at, listOf, objectOf, parsed, textOf } from './json.ts';
import type { ExportedObject } from './read-export.ts';

export interface NeededReference {
  readonly name: string;
  /** Types that may stand there; empty: any. */
  readonly types: readonly string[];
  /** Id that the reference must have, where the insides name it too. */
  readonly id?: string;
}

const DRILLDOWN = 'DASHBOARD_TO_DASHBOARD_DRILLDOWN';

function ofSearchSource(json: unknown): NeededReference[] {
  const source = parsed(json);
  const filters = listOf(at(source, 'filter')).map((filter) => at(filter, 'meta', 'indexRefName'));
  return [at(source, 'indexRefName'), ...filters]
    .filter((name) => typeof name === 'string')
    .map((name) => ({ name, types: ['index-pattern'] }));
}

function ofLinks(links: unknown): NeededReference[] {
  return listOf(links)
    .filter((link) => at(link, 'type') === 'dashboardLink')
    .map((link) => ({ name: textOf(at(link, 'destinationRefName')), types: ['dashboard'] }));
}

function ofDrilldowns(embeddable: unknown): NeededReference[] {
  return listOf(at(embeddable, 'enhancements', 'dynamicActions', 'events'))
    .filter((event) => at(event, 'action', 'factoryId') === DRILLDOWN)
    .map((event) => ({
      name: `drilldown:${DRILLDOWN}:${textOf(at(event, 'eventId'))}:dashboardId`,
      types: ['dashboard'],
    }));
}

/** What the contents of a panel need, before the panel's id is put before it. */
function ofPanelContents(panel: unknown): NeededReference[] {
  const embeddable = at(panel, 'embeddableConfig');
  const own = listOf(at(embeddable, 'attributes', 'references')).map((reference) => ({
    name: textOf(at(reference, 'name')),
    types: [textOf(at(reference, 'type'))],
    id: textOf(at(reference, 'id')),
  }));
  const links = at(panel, 'type') === 'links' ? ofLinks(at(embeddable, 'attributes', 'links')) : [];
  return [...own, ...links, ...ofDrilldowns(embeddable)];
}

/** Types of object that a panel shown by reference may stand for. */
const BY_REFERENCE = ['search', 'lens', 'visualization', 'links', 'map'];

function ofPanel(panel: unknown): NeededReference[] {
  const index = textOf(at(panel, 'panelIndex'));
  const refName = at(panel, 'panelRefName');
  const whole =
    typeof refName === 'string'
      ? [{ name: refName, types: BY_REFERENCE.filter((type) => type === at(panel, 'type')) }]
      : [];
  return [...whole, ...ofPanelContents(panel)].map((needed) => ({
    ...needed,
    name: `${index}:${needed.name}`,
  }));
}

function ofControls(group: unknown): NeededReference[] {
  return Object.entries(objectOf(parsed(at(group, 'panelsJSON')))).flatMap(([id, control]) => {
    const suffixes: Readonly<Record<string, string>> = {
      optionsListControl: 'optionsListDataView',
      rangeSliderControl: 'rangeSliderDataView',
    };
    const suffix = suffixes[textOf(at(control, 'type'))];
    return suffix === undefined
      ? []
      : [{ name: `controlGroup_${id}:${suffix}`, types: ['index-pattern'] }];
  });
}

export function neededReferences({ type, attributes }: ExportedObject): NeededReference[] {
  const source = ofSearchSource(at(attributes, 'kibanaSavedObjectMeta', 'searchSourceJSON'));
  switch (type) {
    case 'dashboard':
      return [
        ...source,
        ...listOf(parsed(attributes['panelsJSON'])).flatMap(ofPanel),
        ...ofControls(attributes['controlGroupInput']),
      ];
    case 'visualization': {
      const search = attributes['savedSearchRefName'];
      return typeof search === 'string' ? [...source, { name: search, types: ['search'] }] : source;
    }
    case 'links':
      return ofLinks(attributes['links']);
    case 'lens':
      return Object.keys(
        objectOf(at(attributes, 'state', 'datasourceStates', 'formBased', 'layers')),
      ).map((id) => ({ name: `indexpattern-datasource-layer-${id}`, types: ['index-pattern'] }));
    default:
      return source;
  }
}
