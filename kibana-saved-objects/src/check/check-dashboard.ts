/**
 * Takes one dashboard or one saved search, tells what within it would not show.
 */
import type { StreamKey } from '@launchbeat/ecs-schemas';
import { fieldKind } from '../kql/field-kind.ts';
import { checkGrid } from './check-grid.ts';
import { checkLens } from './check-lens.ts';
import { checkQuery } from './check-queries.ts';
import { at, listOf, objectOf, parsed, textOf } from './json.ts';
import { linkList } from './object-shapes.ts';
import type { Report } from './problem.ts';
import type { ExportedObject } from './read-export.ts';
import { anything, listOf as listShape, object as objectShape } from './shape.ts';

export interface ObjectContext {
  readonly report: Report;
  /** Our data stream that a data view of the file is of; undefined = none of ours, or no data view of the file. */
  readonly streamOf: (dataViewId: string) => StreamKey | undefined;
}

/** Panels that 8.11 to 9.x can all show. */
const PANEL_TYPES = new Set([
  'lens',
  'visualization',
  'search',
  'links',
  'map',
  'DASHBOARD_MARKDOWN',
]);

/** `now-7d/d`, `now`, or a time. */
const TIME = /^(now([-+]\d+[smhdwMy])*(\/[smhdwMy])?|\d{4}-\d{2}-\d{2}.*)$/;

/** Fields that a list of options can be made of. */
const LISTED = new Set(['keyword', 'boolean', 'number', 'date']);

function checkPanel(panel: unknown, object: ExportedObject, context: ObjectContext): void {
  const title = textOf(at(panel, 'title')) || textOf(at(panel, 'panelIndex'));
  const where = `${object.where}: panel "${title}"`;
  const type = textOf(at(panel, 'type'));
  const embeddable = objectOf(at(panel, 'embeddableConfig'));
  const byReference = at(panel, 'panelRefName') !== undefined;
  if (!PANEL_TYPES.has(type)) context.report(where, `panel type "${type}" is none that 8.11 knows`);
  if (byReference) return;
  const attributes = objectOf(embeddable['attributes']);
  if (type === 'lens') {
    if (!Array.isArray(attributes['references'])) context.report(where, 'lacks references');
    checkLens({ attributes, where, ...context });
  } else if (type === 'links') {
    objectShape(linkList)(attributes, `${where}: attributes`, context.report);
  } else if (type === 'search') {
    context.report(where, 'a search within a panel needs Kibana 8.15: refer to a saved one');
  } else if (type === 'visualization') checkVisualization(embeddable['savedVis'], where, context);
}

/** The contents of a visualization within its panel. */
const savedVis = objectShape({
  required: {
    params: objectShape({ open: true }),
    data: objectShape({
      required: { aggs: listShape(anything), searchSource: anything },
      open: true,
    }),
  },
  open: true,
});

function checkVisualization(contents: unknown, where: string, { report }: ObjectContext): void {
  const type = textOf(at(contents, 'type'));
  if (type === '') {
    report(where, 'has neither contents nor a reference to them');
    return;
  }
  savedVis(contents, `${where}: savedVis`, report);
  if (type === 'markdown' && textOf(at(contents, 'params', 'markdown')).trim() === '')
    report(where, 'has no words');
}

function checkControls(object: ExportedObject, context: ObjectContext): void {
  const controls = objectOf(parsed(at(object.attributes['controlGroupInput'], 'panelsJSON')));
  for (const [id, control] of Object.entries(controls)) {
    const where = `${object.where}: control ${textOf(at(control, 'explicitInput', 'title')) || id}`;
    if (textOf(at(control, 'explicitInput', 'title')) === '')
      context.report(where, 'lacks a title');
    if (at(control, 'explicitInput', 'id') !== id)
      context.report(where, 'explicitInput.id is another id');
    const reference = object.references.find(({ name }) => name.startsWith(`controlGroup_${id}:`));
    const field = textOf(at(control, 'explicitInput', 'fieldName'));
    const stream = context.streamOf(reference?.id ?? '');
    const kind = fieldKind(field, stream);
    if (stream !== undefined && !LISTED.has(kind ?? ''))
      context.report(
        where,
        `no list can be made of ${field}, a field that is ${kind ?? 'not indexed'}`,
      );
  }
}

function checkTimes(object: ExportedObject, report: Report): void {
  const { timeRestore, timeFrom, timeTo } = object.attributes;
  if (timeRestore !== true) return;
  if (!TIME.test(textOf(timeFrom)) || !TIME.test(textOf(timeTo)))
    report(object.where, 'timeRestore needs timeFrom and timeTo such as now-7d/d and now');
}

export function checkDashboard(object: ExportedObject, context: ObjectContext): void {
  const panels = listOf(parsed(object.attributes['panelsJSON']));
  checkGrid(panels, object.where, context.report);
  checkTimes(object, context.report);
  checkControls(object, context);
  for (const panel of panels) checkPanel(panel, object, context);
  const source = parsed(at(object.attributes, 'kibanaSavedObjectMeta', 'searchSourceJSON'));
  // Its query is asked of each data stream that a panel or a control of it is of.
  const views = object.references.filter(({ type }) => type === 'index-pattern');
  const streams = new Set(views.map(({ id }) => context.streamOf(id)));
  for (const stream of streams.size === 0 ? [undefined] : streams)
    checkQuery(at(source, 'query'), stream, object.where, context.report);
}

/** How Discover reads a search: in which language, and in which order. */
function checkReading({ attributes, where }: ExportedObject, language: unknown, report: Report) {
  if (attributes['isTextBasedQuery'] === true && language === 'kuery')
    report(where, 'isTextBasedQuery is for ES|QL: Discover would read KQL as such');
  for (const [field, direction] of listOf(attributes['sort']).map(listOf))
    if (direction !== 'asc' && direction !== 'desc')
      report(where, `sort of ${textOf(field)} must be asc or desc`);
}

export function checkSearch(object: ExportedObject, context: ObjectContext): void {
  const source = parsed(at(object.attributes, 'kibanaSavedObjectMeta', 'searchSourceJSON'));
  const dataView = object.references.find(({ name }) => name === at(source, 'indexRefName'));
  if (dataView === undefined) context.report(object.where, 'lacks its data view');
  const stream = context.streamOf(dataView?.id ?? '');
  checkQuery(at(source, 'query'), stream, object.where, context.report);
  checkReading(object, at(source, 'query', 'language'), context.report);
  if (stream === undefined) return;
  const sorted = listOf(object.attributes['sort']).map((one) => textOf(listOf(one)[0]));
  const columns = listOf(object.attributes['columns']).map(textOf);
  const widths = Object.keys(objectOf(at(object.attributes, 'grid', 'columns')));
  for (const field of [...columns, ...sorted, ...widths]) {
    if (fieldKind(field, stream) === undefined)
      context.report(object.where, `field ${field} is not indexed`);
  }
  for (const field of widths) {
    if (!columns.includes(field) && field !== '@timestamp')
      context.report(object.where, `field ${field} has a width but is no column`);
  }
}
