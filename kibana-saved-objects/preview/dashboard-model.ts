/**
 * Takes the bundle of one language and a filled data stream, gives what the page draws of each dashboard.
 * Keeps: figures come from the same requests that the panel runner's test sends; nothing is made up here.
 */
import type { Language } from '../src/build/language.ts';
import { bundleText } from '../src/bundle.ts';
import { at, type Json, listOf, objectOf, parsed, textOf } from '../src/check/json.ts';
import { type ExportedObject, readExport } from '../src/check/read-export.ts';
import { streamOfPattern } from '../src/kql/field-kind.ts';
import type { FilledStream } from '../src/panels/filled-stream.ts';
import { otherRequest } from '../src/panels/other-bucket.ts';
import { type PanelRequest, panelRequests } from '../src/panels/panel-requests.ts';
import { panelRows } from '../src/panels/panel-rows.ts';
import { type Asked, autoInterval } from '../src/panels/time-range.ts';
import type { Cell, DashboardModel, PanelModel, PreviewColumn } from './preview-model.ts';

type Row = Readonly<Record<string, Cell>>;
type StreamKey = PanelRequest['stream'];

const CAPTIONS: Readonly<Record<Language, string>> = {
  en: 'Preview, not a screenshot of Kibana: drawn with Elastic’s chart library from an invented office of 50 PCs. Times are UTC.',
  ru: 'Предварительный вид, а не снимок экрана Kibana: нарисовано библиотекой диаграмм Elastic по данным выдуманного офиса из 50 ПК. Время — UTC.',
};
/** Kibana's own word; it has no Russian. */
const OTHER = 'Other';
const DAY_MS = 86_400_000;
/** Rows of a saved search that can be seen without turning the page. */
const SEARCH_ROWS = 40;

/** `now-24h` and `now-7d/d` before `end`: all that our dashboards open with. */
function startOf(timeFrom: string, end: Date): Date {
  const [, amount = '', unit = '', rounded] = /^now-(\d+)([hd])(\/d)?$/.exec(timeFrom) ?? [];
  if (amount === '') throw new Error(`No start of the time range "${timeFrom}"`);
  const ms = end.getTime() - Number(amount) * (unit === 'd' ? DAY_MS : DAY_MS / 24);
  return new Date(rounded === undefined ? ms : Math.floor(ms / DAY_MS) * DAY_MS);
}

interface FieldWords {
  readonly label: (field: string) => string;
  /** What the data view's formats add to a column of this field. */
  readonly format: (
    field: string,
  ) => Pick<PreviewColumn, 'words' | 'pattern' | 'format' | 'isLink'>;
}

/** Of the data view of one stream. */
function fieldWords(objects: readonly ExportedObject[], stream: StreamKey): FieldWords {
  const view = objects.find(
    ({ type, attributes }) =>
      type === 'index-pattern' && streamOfPattern(textOf(attributes['title'])) === stream,
  )?.attributes;
  const labels = parsed(view?.['fieldAttrs']);
  const formats = parsed(view?.['fieldFormatMap']);
  return {
    label: (field) => textOf(at(labels, field, 'customLabel')) || field,
    format: (field) => {
      if (at(formats, field, 'id') === 'date')
        return { pattern: textOf(at(formats, field, 'params', 'pattern')) };
      const id = at(formats, field, 'id');
      if (id === 'duration' || id === 'bytes') return { format: id };
      if (id === 'url') return { isLink: true };
      const entries = listOf(at(formats, field, 'params', 'lookupEntries'));
      if (entries.length === 0) return {};
      const words = entries.map((entry) => [textOf(at(entry, 'key')), textOf(at(entry, 'value'))]);
      return { words: Object.fromEntries(words) };
    },
  };
}

/** A pair of fields is text: Kibana writes each part with its field's words, and makes no link of it. */
function formatOf(column: Json, fields: FieldWords): ReturnType<FieldWords['format']> {
  const seconds = listOf(at(column, 'params', 'secondaryFields')).map(textOf);
  const first = textOf(column['sourceField']);
  if (seconds.length === 0) return fields.format(first);
  const words = [first, ...seconds].map((field) => fields.format(field).words ?? {});
  return { words: Object.assign({}, ...words) };
}

/** Figures that are no values of their field. */
const UNFORMATTED = new Set(['count', 'unique_count']);

function columnOf(id: string, column: Json, fields: FieldWords, asked: Asked): PreviewColumn {
  const operation = textOf(column['operationType']);
  const wanted = textOf(at(column, 'params', 'interval'));
  const decimals = at(column, 'params', 'format', 'params', 'decimals');
  return {
    id,
    label: textOf(column['label']),
    operation,
    isBucket: column['isBucketed'] === true,
    isTime: column['dataType'] === 'date',
    ...(typeof decimals === 'number' ? { decimals } : {}),
    ...(operation === 'date_histogram'
      ? { interval: wanted === 'auto' ? autoInterval(asked) : wanted }
      : UNFORMATTED.has(operation) || at(column, 'params', 'format') !== undefined
        ? {}
        : formatOf(column, fields)),
  };
}

/** Rows of "Other": the group's own name in its column, the outer groups' in theirs. */
function otherRows(request: PanelRequest, answer: unknown, name: string): Row[] {
  const index = request.columns.findIndex(
    ([, column]) => at(column, 'params', 'otherBucket') === true,
  );
  const [id] = request.columns[index] ?? [''];
  const outer = request.columns.slice(0, index).map(([outerId]) => outerId);
  const filters = objectOf(at(answer, 'aggregations', 'other-filter', 'buckets'));
  return Object.entries(filters).flatMap(([key, bucket]) => {
    const level = {
      hits: { total: { value: at(bucket, 'doc_count') } },
      aggregations: objectOf(bucket),
    };
    const above = outer.length === 0 ? {} : { [outer[0] ?? '']: key.slice(0, -1) };
    return panelRows(request.columns.slice(index + 1), level).map((row) => ({
      ...above,
      [id]: name,
      ...row,
    }));
  });
}

interface Drawing {
  readonly language: Language;
  readonly stream: FilledStream;
  readonly asked: Asked;
  readonly fieldsOf: (stream: StreamKey) => FieldWords;
  /** Saved search of a panel, by the panel's id. */
  readonly searchOf: (panelId: string) => ExportedObject | undefined;
}

async function chartRows(request: PanelRequest, drawing: Drawing): Promise<Row[]> {
  const { stream, asked } = drawing;
  const response = await stream.search(request.body, request.stream);
  const rows = panelRows(request.columns, response);
  const other = otherRequest(request, response, asked);
  if (other === undefined) return rows;
  return [...rows, ...otherRows(request, await stream.search(other, request.stream), OTHER)];
}

async function searchPart(
  request: PanelRequest,
  { stream, fieldsOf, searchOf }: Drawing,
): Promise<Pick<PanelModel, 'visualization' | 'columns' | 'rows' | 'total'>> {
  const fields = fieldsOf(request.stream);
  const names = ['@timestamp', ...listOf(request.body['fields']).map(textOf)];
  const response = await stream.search(
    { ...request.body, size: SEARCH_ROWS, fields: names },
    request.stream,
  );
  const columns = names.map((name) => {
    return {
      id: name,
      label: fields.label(name),
      operation: '',
      isBucket: false,
      isTime: fields.format(name).pattern !== undefined,
      ...fields.format(name),
    };
  });
  const rows = listOf(at(response, 'hits', 'hits')).map((hit) =>
    Object.fromEntries(
      names.map((name) => [
        name,
        listOf(at(hit, 'fields', name))
          .map(String)
          .join(', '),
      ]),
    ),
  );
  const attributes = searchOf(request.panelId)?.attributes;
  const saved = objectOf(at(attributes, 'grid', 'columns'));
  const widths = Object.fromEntries(names.map((name) => [name, at(saved, name, 'width')]));
  return {
    visualization: { widths, rowHeight: at(attributes, 'rowHeight') },
    columns,
    rows,
    total: Number(at(response, 'hits', 'total', 'value')),
  };
}

async function panelOf(
  panel: unknown,
  requests: readonly PanelRequest[],
  drawing: Drawing,
): Promise<PanelModel> {
  const config = at(panel, 'embeddableConfig');
  const id = textOf(at(panel, 'panelIndex'));
  const grid = objectOf(at(panel, 'gridData'));
  const type = textOf(at(panel, 'type'));
  const place = {
    x: Number(grid['x']),
    y: Number(grid['y']),
    w: Number(grid['w']),
    h: Number(grid['h']),
  };
  const plain = {
    id,
    place,
    title: at(config, 'hidePanelTitles') === true ? '' : textOf(at(panel, 'title')),
    description: textOf(at(config, 'attributes', 'description')),
    kind: type,
    visualization: {},
    columns: [],
    rows: [],
    total: 0,
    markdown: '',
    links: [],
  };
  const links = listOf(at(config, 'attributes', 'links')).map((link) => textOf(at(link, 'label')));
  if (type === 'links') return { ...plain, links };
  if (type === 'visualization')
    return {
      ...plain,
      kind: 'markdown',
      markdown: textOf(at(config, 'savedVis', 'params', 'markdown')),
    };
  const request = requests.find(({ panelId }) => panelId === id);
  if (request === undefined) throw new Error(`${plain.title}: no request for the panel ${id}`);
  if (type === 'search') return { ...plain, ...(await searchPart(request, drawing)) };
  return {
    ...plain,
    kind: request.visualization,
    visualization: at(config, 'attributes', 'state', 'visualization'),
    columns: request.columns.map(([columnId, column]) =>
      columnOf(columnId, column, drawing.fieldsOf(request.stream), drawing.asked),
    ),
    rows: await chartRows(request, drawing),
  };
}

/** Every dashboard of a language, by the last word of its id: `overview` and so on. */
export async function dashboardModels(
  language: Language,
  stream: FilledStream,
  end: Date,
): Promise<(readonly [key: string, model: DashboardModel])[]> {
  const text = bundleText(language);
  const objects = readExport(text, (where, what) => {
    throw new Error(`${where}: ${what}`);
  });
  const fieldsOf = (key: StreamKey): FieldWords => fieldWords(objects, key);
  const models: (readonly [string, DashboardModel])[] = [];
  for (const { type, id, attributes, references } of objects) {
    if (type !== 'dashboard') continue;
    const from = startOf(textOf(attributes['timeFrom']), end);
    const asked = { from, to: end, analytics: stream.analytics };
    const requests = panelRequests(text, asked);
    const searchOf = (panelId: string): ExportedObject | undefined => {
      const own = references.find(({ name }) => name === `${panelId}:panel_${panelId}`);
      return objects.find((one) => one.type === 'search' && one.id === own?.id);
    };
    const drawing = { language, stream, asked, fieldsOf, searchOf };
    const panels: PanelModel[] = [];
    for (const panel of listOf(parsed(attributes['panelsJSON'])))
      panels.push(await panelOf(panel, requests, drawing));
    const controls = objectOf(parsed(at(attributes, 'controlGroupInput', 'panelsJSON')));
    const source = parsed(at(attributes, 'kibanaSavedObjectMeta', 'searchSourceJSON'));
    const key = /^launchbeat-dashboard-([a-z]+)/.exec(id)?.[1] ?? id;
    models.push([
      key,
      {
        title: textOf(attributes['title']),
        fromMs: from.getTime(),
        toMs: end.getTime(),
        query: textOf(at(source, 'query', 'query')),
        controls: Object.values(controls).map((one) => textOf(at(one, 'explicitInput', 'title'))),
        panels,
        caption: CAPTIONS[language],
      },
    ]);
  }
  return models;
}
