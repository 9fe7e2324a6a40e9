/**
 * Takes an export and a stretch of time, gives for every panel, control and saved search the search request that Kibana would send.
 * Keeps: the dashboard's query, the panel's query and the time filter all stand in the request, as on the screen.
 */
import type { StreamKey } from '@launchbeat/ecs-schemas';
import { at, type Json, listOf, objectOf, parsed, textOf } from '../check/json.ts';
import { type ExportedObject, readExport } from '../check/read-export.ts';
import { streamOfPattern } from '../kql/field-kind.ts';
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
  /** The data stream that it goes to. */
  readonly stream: StreamKey;
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
  return {
    bool: {
      filter: [
        { range: { '@timestamp': range } },
        ...texts.map((text) => kqlToQuery(text, asked.stream)),
      ],
    },
  };
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

/** The objects of a file that panels stand on. */
interface Ground {
  readonly searches: ReadonlyMap<string, ExportedObject>;
  /** Data stream of each data view. */
  readonly streams: ReadonlyMap<string, StreamKey>;
}

type Reference = ExportedObject['references'][number];

/** The data stream of the data view that a reference of this name leads to. */
function streamAt(ground: Ground, references: readonly Reference[], name: string): StreamKey {
  const id = references.find((one) => one.name === name)?.id ?? '';
  const stream = ground.streams.get(id);
  if (stream === undefined) throw new Error(`No data view of ours behind the reference "${name}"`);
  return stream;
}

interface Place {
  readonly name: string;
  readonly panelId: string;
  /** The dashboard's query. */
  readonly outer: unknown;
}

function chartRequests(
  place: Place,
  attributes: Json,
  ground: Ground,
  asked: Asked,
): PanelRequest[] {
  const { name, panelId, outer } = place;
  const layers = objectOf(at(attributes, 'state', 'datasourceStates', 'formBased', 'layers'));
  const references = listOf(attributes['references']) as Reference[];
  return Object.entries(layers).map(([layerId, layer]) => {
    const stream = streamAt(ground, references, `indexpattern-datasource-layer-${layerId}`);
    const there = { ...asked, stream };
    const columns = listOf(at(layer, 'columnOrder')).map(
      (id) => [textOf(id), objectOf(at(layer, 'columns', textOf(id)))] as const,
    );
    return {
      ...{ name, panelId, kind: 'chart', stream, columns },
      visualization: textOf(attributes['visualizationType']),
      body: {
        size: 0,
        track_total_hits: true,
        query: filtered([outer, at(attributes, 'state', 'query')], there),
        aggs: aggregations(columns, there),
      },
    };
  });
}

function controlRequests(dashboard: ExportedObject, ground: Ground, asked: Asked): PanelRequest[] {
  const controls = objectOf(parsed(at(dashboard.attributes, 'controlGroupInput', 'panelsJSON')));
  return Object.entries(controls).map(([id, control]) => {
    const field = textOf(at(control, 'explicitInput', 'fieldName'));
    const refName = `controlGroup_${id}:optionsListDataView`;
    const stream = streamAt(ground, dashboard.references, refName);
    return {
      ...NO_CHART,
      ...{ name: `${textOf(dashboard.attributes['title'])} / control ${field}`, stream },
      kind: 'control',
      body: {
        size: 0,
        query: filtered([queryOf(dashboard)], { ...asked, stream }),
        aggs: {
          suggestions: { terms: { field, size: 10, order: { _count: 'desc' } } },
          unique: { cardinality: { field } },
        },
      },
    };
  });
}

const NO_CHART = { panelId: '', visualization: '', columns: [] } as const;

function searchRequest(
  { name, panelId, outer }: Place,
  search: ExportedObject,
  ground: Ground,
  asked: Asked,
): PanelRequest {
  const source = parsed(at(search.attributes, 'kibanaSavedObjectMeta', 'searchSourceJSON'));
  const stream = streamAt(ground, search.references, textOf(at(source, 'indexRefName')));
  const body = searchBody(search, outer, { ...asked, stream });
  return { ...NO_CHART, ...{ name, panelId, kind: 'search', stream, body } };
}

function dashboardRequests(
  dashboard: ExportedObject,
  ground: Ground,
  asked: Asked,
): PanelRequest[] {
  const outer = queryOf(dashboard);
  const panels = listOf(parsed(dashboard.attributes['panelsJSON']));
  return panels.flatMap((panel): PanelRequest[] => {
    const name = `${textOf(dashboard.attributes['title'])} / ${textOf(at(panel, 'title'))}`;
    const panelId = textOf(at(panel, 'panelIndex'));
    const place = { name, panelId, outer };
    if (at(panel, 'type') === 'lens') {
      const attributes = objectOf(at(panel, 'embeddableConfig', 'attributes'));
      return chartRequests(place, attributes, ground, asked);
    }
    if (at(panel, 'type') !== 'search') return [];
    const refName = `${panelId}:${textOf(at(panel, 'panelRefName'))}`;
    const id = dashboard.references.find((reference) => reference.name === refName)?.id ?? '';
    const search = ground.searches.get(id);
    if (search === undefined) throw new Error(`${name}: no saved search ${id}`);
    return [searchRequest(place, search, ground, asked)];
  });
}

function groundOf(objects: readonly ExportedObject[]): Ground {
  const ofType = (wanted: string): ExportedObject[] =>
    objects.filter(({ type }) => type === wanted);
  return {
    searches: new Map(ofType('search').map((object) => [object.id, object])),
    streams: new Map(
      ofType('index-pattern').flatMap(({ id, attributes }) => {
        const stream = streamOfPattern(textOf(attributes['title']));
        return stream === undefined ? [] : [[id, stream] as const];
      }),
    ),
  };
}

/** The requests of a whole file. Throws on a file that cannot be read: check it first. */
export function panelRequests(text: string, asked: Asked): PanelRequest[] {
  const objects = readExport(text, (where, what) => {
    throw new Error(`${where}: ${what}`);
  });
  const ground = groundOf(objects);
  return objects.flatMap((object): PanelRequest[] => {
    if (object.type === 'dashboard')
      return [
        ...dashboardRequests(object, ground, asked),
        ...controlRequests(object, ground, asked),
      ];
    if (object.type !== 'search') return [];
    const name = `search / ${textOf(object.attributes['title'])}`;
    return [searchRequest({ name, panelId: '', outer: undefined }, object, ground, asked)];
  });
}
