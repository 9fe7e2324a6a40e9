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
  if (new Set(keys).size < keys.length) context.report(where, 'lookup names a value twice');
}

export function checkDataView(object: ExportedObject, context: ObjectContext): void {
  if (!context.isOurs(object.id)) return;
  const time = textOf(object.attributes['timeFieldName']);
  if (fieldKind(time) !== 'date') context.report(object.where, `time field ${time} is no date`);
  for (const field of Object.keys(objectOf(parsed(object.attributes['fieldAttrs'])))) {
    if (fieldKind(field) === undefined)
      context.report(object.where, `label of ${field}, which is not indexed`);
  }
  const formats = objectOf(parsed(object.attributes['fieldFormatMap']));
  for (const [field, format] of Object.entries(formats)) {
    const where = `${object.where}: format of ${field}`;
    const id = textOf(at(format, 'id'));
    const kinds = FORMATS[id];
    if (kinds === undefined) context.report(where, `"${id}" is no format that we know`);
    else if (!kinds.includes(fieldKind(field) ?? ''))
      context.report(where, `"${id}" is not for this field`);
    if (id === 'static_lookup') checkLookup(format, where, context);
  }
}
