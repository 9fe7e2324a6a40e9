/**
 * The attributes of each type of saved object, as Kibana's own schemas state them for the version that an object carries.
 * Keeps: for the old version numbers (8.x) keys beyond the schema are refused, as Kibana 8.11 does; for model versions (10.x) they
 * are let through. Sources: elastic/kibana, dashboard_saved_object/schema/v1, saved_search/server/saved_objects/schema_legacy,
 * data_views content management schema, links/common/content_management.
 */
import type { ObjectShape, Shape } from './shape.ts';
import {
  anything,
  boolean,
  filledText,
  hexColor,
  jsonText,
  listOf,
  mapOf,
  number,
  object,
  oneOf,
  positive,
  text,
} from './shape.ts';

/** A query and its language, as every place of a saved object holds it. */
export const query = object({
  required: { query: anything, language: oneOf('kuery', 'lucene') },
  open: true,
});

const searchSource = jsonText(
  object({ optional: { query, filter: listOf(object({ open: true })) }, open: true }),
);

const searchSourceMeta = object({ optional: { searchSourceJSON: searchSource } });

const gridData = object({
  required: { x: number, y: number, w: number, h: number, i: filledText },
  optional: { sectionId: text },
});

const panel = object({
  required: {
    type: filledText,
    panelIndex: filledText,
    gridData,
    embeddableConfig: object({ open: true }),
  },
  optional: { title: text, panelRefName: filledText, version: text, id: text },
});

const options = object({
  optional: {
    useMargins: boolean,
    syncColors: boolean,
    syncCursor: boolean,
    syncTooltips: boolean,
    hidePanelTitles: boolean,
  },
  open: true,
});

const control = object({
  required: {
    type: oneOf('optionsListControl', 'rangeSliderControl', 'timeSlider', 'esqlControl'),
    order: number,
    explicitInput: object({ open: true }),
  },
  optional: { width: oneOf('small', 'medium', 'large'), grow: boolean },
});

const controlGroup = object({
  optional: {
    panelsJSON: jsonText(mapOf(control)),
    controlStyle: oneOf('oneLine', 'twoLine'),
    chainingSystem: oneOf('HIERARCHICAL', 'NONE'),
    ignoreParentSettingsJSON: jsonText(object({ open: true })),
  },
  open: true,
});

const dashboard: ObjectShape = {
  required: { title: filledText, panelsJSON: jsonText(listOf(panel)) },
  optional: {
    description: text,
    kibanaSavedObjectMeta: searchSourceMeta,
    timeRestore: boolean,
    timeFrom: text,
    timeTo: text,
    refreshInterval: object({
      required: { pause: boolean, value: number },
      optional: { display: text, section: number },
    }),
    controlGroupInput: controlGroup,
    optionsJSON: jsonText(options),
    hits: number,
    version: number,
  },
};

const search: ObjectShape = {
  required: { title: filledText, kibanaSavedObjectMeta: searchSourceMeta },
  optional: {
    description: text,
    columns: listOf(filledText),
    sort: listOf(listOf(text)),
    grid: object({ optional: { columns: mapOf(object({ optional: { width: positive } })) } }),
    rowHeight: number,
    rowsPerPage: number,
    hideChart: boolean,
    breakdownField: text,
    isTextBasedQuery: boolean,
    usesAdHocDataView: boolean,
    timeRestore: boolean,
    timeRange: object({ required: { from: text, to: text } }),
    refreshInterval: object({ required: { pause: boolean, value: number } }),
    viewMode: oneOf('documents', 'aggregated'),
    hideAggregatedPreview: boolean,
    hits: number,
    version: number,
  },
};

const fieldAttributes = mapOf(
  object({ optional: { customLabel: text, customDescription: text, count: number } }),
);

const fieldFormat = object({
  required: { id: filledText },
  optional: { params: object({ open: true }) },
});

const dataView: ObjectShape = {
  required: { title: filledText },
  optional: {
    name: text,
    type: text,
    timeFieldName: text,
    sourceFilters: jsonText(listOf(anything)),
    fields: jsonText(listOf(anything)),
    typeMeta: jsonText(anything),
    fieldFormatMap: jsonText(mapOf(fieldFormat)),
    fieldAttrs: jsonText(fieldAttributes),
    allowNoIndex: boolean,
    runtimeFieldMap: jsonText(mapOf(object({ open: true }))),
    allowHidden: boolean,
  },
};

const tag: ObjectShape = {
  required: { name: filledText, description: text, color: hexColor },
};

const link = object({
  required: { type: oneOf('dashboardLink', 'externalLink'), id: filledText, order: number },
  optional: {
    label: text,
    options: object({ open: true }),
    destinationRefName: text,
    destination: text,
  },
});

/** Attributes of a link list, in an object of its own or within a panel. */
export const linkList: ObjectShape = {
  required: { links: listOf(link) },
  optional: { title: text, description: text, layout: oneOf('horizontal', 'vertical') },
};

const visualization: ObjectShape = {
  required: {
    title: filledText,
    visState: jsonText(object({ required: { type: filledText }, open: true })),
  },
  optional: { kibanaSavedObjectMeta: searchSourceMeta },
  open: true,
};

const lens: ObjectShape = {
  required: { title: filledText, visualizationType: filledText, state: object({ open: true }) },
  open: true,
};

const SHAPES: Readonly<Record<string, ObjectShape>> = {
  dashboard,
  search,
  'index-pattern': dataView,
  tag,
  links: linkList,
  visualization,
  lens,
};

/** The shape of a type's attributes; undefined for a type that we know nothing of. */
export function attributesShape(type: string, typeVersion: string): Shape | undefined {
  const shape = SHAPES[type];
  if (shape === undefined) return undefined;
  return object({ ...shape, open: shape.open === true || typeVersion.startsWith('10.') });
}
