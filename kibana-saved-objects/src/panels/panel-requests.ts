/**
 * Takes an export and a stretch of time, gives for every panel, control and saved search the search request that Kibana would send.
 * Keeps: the dashboard's query, the panel's query and the time filter all stand in the request, as on the screen.
 */
import { at, type Json, listOf, objectOf, parsed, textOf } from '../check/json.ts';
import { type ExportedObject, readExport } from '../check/read-export.ts';
import { aggregations, type OrderedColumns } from './aggregations.ts';
import { kqlToQuery } from './kql-to-query.ts';
import type { Asked } from './time-range.ts';

export interface PanelRequest {
  /** `dashboard title / panel title`. */
  readonly name: string;
  /** `panelIndex` of a dashboard's panel; empty for what is none. */
  readonly panelId: string;
  readonly kind: 'chart' | 'search' | 'control';
  /** lnsMetric and so on; empty for what is no chart. */
  readonly visualization: string;
  /** Body of `POST <data stream>/_search`. */
  readonly body: Json;
  /** Columns of a chart in their order; empty for a search. */
  readonly columns: OrderedColumns;
}

/** Kibana's default `discover:sampleSize` is 500; here fewer are enough to see that there are some. */
const SEARCH_ROWS = 10;

function filtered(queries: readonly unknown[], asked: Asked): Json {
  const range = {
    gte: asked.from.toISOString(),
    lte: asked.to.toISOString(),
    format: 'strict_date_optional_time',
  };
  const texts = queries.map((query) => textOf(at(query, 'query'))).filter((text) => text !== '');
  return { bool: { filter: [{ range: { '@timestamp': range } }, ...texts.map(kqlToQuery)] } };
}

const queryOf = (object: ExportedObject): unknown =>
  at(parsed(at(object.attributes, 'kibanaSavedObjectMeta', 'searchSourceJSON')), 'query');

function searchBody(search: ExportedObject, outer: unknown, asked: Asked): Json {
  return {
    size: SEARCH_ROWS,
    track_total_hits: true,
    query: filtered([outer, queryOf(search)], asked),
    sort: listOf(search.attributes['sort']).map((one) => ({
      [textOf(listOf(one)[0])]: { order: listOf(one)[1] },
    })),
    _source: false,
    fields: listOf(search.attributes['columns']),
  };
}

function chartRequests(
  { name, panelId }: Pick<PanelRequest, 'name' | 'panelId'>,
  attributes: Json,
  outer: unknown,
  asked: Asked,
): PanelRequest[] {
  const layers = objectOf(at(attributes, 'state', 'datasourceStates', 'formBased', 'layers'));
  return Object.values(layers).map((layer) => {
    const columns = listOf(at(layer, 'columnOrder')).map(
      (id) => [textOf(id), objectOf(at(layer, 'columns', textOf(id)))] as const,
    );
    return {
      name,
      panelId,
      kind: 'chart',
      visualization: textOf(attributes['visualizationType']),
      columns,
      body: {
        size: 0,
        track_total_hits: true,
        query: filtered([outer, at(attributes, 'state', 'query')], asked),
        aggs: aggregations(columns, asked),
      },
    };
  });
}

function controlRequests(dashboard: ExportedObject, asked: Asked): PanelRequest[] {
  const controls = objectOf(parsed(at(dashboard.attributes, 'controlGroupInput', 'panelsJSON')));
  return Object.values(controls).map((control) => {
    const field = textOf(at(control, 'explicitInput', 'fieldName'));
    return {
      name: `${textOf(dashboard.attributes['title'])} / control ${field}`,
      panelId: '',
      kind: 'control',
      visualization: '',
      columns: [],
      body: {
        size: 0,
        query: filtered([queryOf(dashboard)], asked),
        aggs: {
          suggestions: { terms: { field, size: 10, order: { _count: 'desc' } } },
          unique: { cardinality: { field } },
        },
      },
    };
  });
}

function dashboardRequests(
  dashboard: ExportedObject,
  searches: ReadonlyMap<string, ExportedObject>,
  asked: Asked,
): PanelRequest[] {
  const outer = queryOf(dashboard);
  const panels = listOf(parsed(dashboard.attributes['panelsJSON']));
  return panels.flatMap((panel): PanelRequest[] => {
    const name = `${textOf(dashboard.attributes['title'])} / ${textOf(at(panel, 'title'))}`;
    const panelId = textOf(at(panel, 'panelIndex'));
    if (at(panel, 'type') === 'lens')
      return chartRequests(
        { name, panelId },
        objectOf(at(panel, 'embeddableConfig', 'attributes')),
        outer,
        asked,
      );
    if (at(panel, 'type') !== 'search') return [];
    const refName = `${panelId}:${textOf(at(panel, 'panelRefName'))}`;
    const id = dashboard.references.find((reference) => reference.name === refName)?.id ?? '';
    const search = searches.get(id);
    if (search === undefined) throw new Error(`${name}: no saved search ${id}`);
    return [
      {
        name,
        panelId,
        kind: 'search',
        visualization: '',
        columns: [],
        body: searchBody(search, outer, asked),
      },
    ];
  });
}

/** The requests of a whole file. Throws on a file that cannot be read: check it first. */
export function panelRequests(text: string, asked: Asked): PanelRequest[] {
  const objects = readExport(text, (where, what) => {
    throw new Error(`${where}: ${what}`);
  });
  const searches = new Map(
    objects.filter(({ type }) => type === 'search').map((object) => [object.id, object]),
  );
  return objects.flatMap((object): PanelRequest[] => {
    if (object.type === 'dashboard')
      return [...dashboardRequests(object, searches, asked), ...controlRequests(object, asked)];
    if (object.type !== 'search') return [];
    const name = `search / ${textOf(object.attributes['title'])}`;
    return [
      {
        name,
        panelId: '',
        kind: 'search',
        visualization: '',
        columns: [],
        body: searchBody(object, undefined, asked),
      },
    ];
  });
}
