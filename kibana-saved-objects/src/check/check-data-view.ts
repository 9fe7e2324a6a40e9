/**
 * Takes a data view, tells which labels and formats stand on fields that are not there or cannot take them.
 */
import { fieldKind } from '../kql/field-kind.ts';
import type { ObjectContext } from './check-dashboard.ts';
import { at, listOf, objectOf, parsed, textOf } from './json.ts';
import type { ExportedObject } from './read-export.ts';

/** Format → kinds of field (FieldFormat.fieldType). */
const FORMATS: Readonly<Record<string, readonly string[]>> = {
  number: ['number'],
  bytes: ['number'],
  percent: ['number'],
  duration: ['number'],
  date: ['date', 'number'],
  string: ['keyword', 'wildcard', 'text', 'boolean'],
  boolean: ['boolean', 'number', 'keyword'],
  url: ['keyword', 'wildcard', 'number'],
  static_lookup: ['keyword', 'wildcard', 'number', 'boolean'],
};

function checkLookup(format: unknown, where: string, context: ObjectContext): void {
  const entries = listOf(at(format, 'params', 'lookupEntries'));
  const keys = entries.map((entry) => textOf(at(entry, 'key')));
  if (entries.length === 0) context.report(where, 'lookup without entries');
  for (const entry of entries)
    if (textOf(at(entry, 'key')) === '' || textOf(at(entry, 'value')) === '')
      context.report(where, 'lookup with a value or a word that is empty');
  if (new Set(keys).size < keys.length) context.report(where, 'lookup names a value twice');
}

/** Schemes and paths that Kibana makes a link of (field_formats/common/converters/url.ts). */
const LINK = /^(https?:\/\/|mailto:|\.\.\/app\/|#)/;
const DURATIONS = new Set([
  'humanize',
  'humanizePrecise',
  'asMilliseconds',
  'asSeconds',
  'asMinutes',
  'asHours',
  'asDays',
]);

function checkParams(format: unknown, where: string, context: ObjectContext): void {
  const params = at(format, 'params');
  if (at(format, 'id') === 'url') {
    const template = textOf(at(params, 'urlTemplate'));
    if (!LINK.test(template)) context.report(where, 'urlTemplate is no link that Kibana makes');
    if (!/\{\{(value|rawValue)\}\}/.test(template))
      context.report(where, 'urlTemplate does not hold the value');
    if (textOf(at(params, 'labelTemplate')) === '')
      context.report(where, 'without labelTemplate the address is shown instead of the value');
  }
  if (at(format, 'id') === 'duration' && !DURATIONS.has(textOf(at(params, 'outputFormat'))))
    context.report(where, 'outputFormat is no duration of Kibana');
}

export function checkDataView(object: ExportedObject, context: ObjectContext): void {
  const stream = context.streamOf(object.id);
  if (stream === undefined) return;
  const time = textOf(object.attributes['timeFieldName']);
  if (fieldKind(time, stream) !== 'date')
    context.report(object.where, `time field ${time} is no date`);
  for (const field of Object.keys(objectOf(parsed(object.attributes['fieldAttrs'])))) {
    if (fieldKind(field, stream) === undefined)
      context.report(object.where, `label of ${field}, which is not indexed`);
  }
  const formats = objectOf(parsed(object.attributes['fieldFormatMap']));
  for (const [field, format] of Object.entries(formats)) {
    const where = `${object.where}: format of ${field}`;
    const id = textOf(at(format, 'id'));
    const kinds = FORMATS[id];
    if (kinds === undefined) context.report(where, `"${id}" is no format that we know`);
    else if (!kinds.includes(fieldKind(field, stream) ?? ''))
      context.report(where, `"${id}" is not for this field`);
    if (id === 'static_lookup') checkLookup(format, where, context);
    checkParams(format, where, context);
  }
}
