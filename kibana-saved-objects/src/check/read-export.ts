/**
 * Takes the text of an export, gives its objects, and tells what an import would stumble over before it looks inside one.
 */
import { isObject, type Json, listOf, objectOf, textOf } from './json.ts';
import { attributesShape } from './object-shapes.ts';
import type { Report } from './problem.ts';

export interface ObjectReference {
  readonly type: string;
  readonly id: string;
  readonly name: string;
}

export interface ExportedObject {
  readonly id: string;
  readonly type: string;
  readonly typeVersion: string;
  readonly coreVersion: string;
  readonly managed: unknown;
  readonly attributes: Json;
  readonly references: readonly ObjectReference[];
  /** `line 3: dashboard launchbeat-…`. */
  readonly where: string;
}

/** `savedObjects.maxImportPayloadBytes` and `maxImportExportSize`: Kibana's defaults. */
const IMPORT_BYTES_MAX = 26_214_400;
const IMPORT_OBJECTS_MAX = 10_000;

/** Highest version of the old scheme by type: a file must state it or an older one to be read by 8.11. */
export const LEGACY_VERSIONS: Readonly<Record<string, string>> = {
  dashboard: '8.9.0',
  lens: '8.9.0',
  search: '8.0.0',
  visualization: '8.5.0',
  'index-pattern': '8.0.0',
  tag: '8.0.0',
};

const VERSION = /^\d+\.\d+\.\d+$/;

function readReferences(value: unknown, where: string, report: Report): ObjectReference[] {
  if (!Array.isArray(value)) {
    report(where, 'references must be a list');
    return [];
  }
  const references = listOf(value).map((one) => ({
    type: textOf(objectOf(one)['type']),
    id: textOf(objectOf(one)['id']),
    name: textOf(objectOf(one)['name']),
  }));
  for (const { type, id, name } of references) {
    if (type === '' || id === '' || name === '')
      report(where, `reference "${name}" lacks type, id or name`);
  }
  const names = references.map(({ name }) => name);
  for (const name of new Set(names.filter((one, index) => names.indexOf(one) !== index))) {
    report(where, `reference name "${name}" stands twice: only the first is found`);
  }
  return references;
}

function readObject(value: Json, line: number, report: Report): ExportedObject {
  const id = textOf(value['id']);
  const type = textOf(value['type']);
  const where = `line ${line}: ${type} ${id}`;
  if (id === '' || type === '') report(where, 'lacks id or type');
  const typeVersion = textOf(value['typeMigrationVersion']);
  const shape = attributesShape(type, typeVersion);
  if (shape === undefined) report(where, `type "${type}" is none that a dashboard needs`);
  else
    shape(value['attributes'], 'attributes', (place, what) => report(`${where}: ${place}`, what));
  // Links came after the old scheme ended and have no version until their first model version.
  if (type !== 'links' && !VERSION.test(typeVersion))
    report(
      where,
      'lacks typeMigrationVersion: Kibana would run every migration since 6.x and fail',
    );
  return {
    id,
    type,
    typeVersion,
    coreVersion: textOf(value['coreMigrationVersion']),
    managed: value['managed'],
    attributes: objectOf(value['attributes']),
    references: readReferences(value['references'], where, report),
    where,
  };
}

function checkSummary(summary: Json | undefined, objects: number, report: Report): void {
  if (summary !== undefined && summary['exportedCount'] !== objects) {
    report('last line', `says ${String(summary['exportedCount'])} objects, there are ${objects}`);
  }
}

/** Reads all lines. Lines that cannot be read are told and left out. */
export function readExport(text: string, report: Report): ExportedObject[] {
  if (Buffer.byteLength(text) > IMPORT_BYTES_MAX)
    report('file', `is larger than ${IMPORT_BYTES_MAX} bytes, which Kibana takes by default`);
  const objects: ExportedObject[] = [];
  let summary: Json | undefined;
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '') return;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      report(`line ${index + 1}`, `is not JSON: ${error instanceof Error ? error.message : ''}`);
      return;
    }
    if (!isObject(value)) report(`line ${index + 1}`, 'is not an object');
    else if ('exportedCount' in value) summary = value;
    else objects.push(readObject(value, index + 1, report));
  });
  if (objects.length === 0) report('file', 'holds no saved object');
  if (objects.length > IMPORT_OBJECTS_MAX)
    report('file', `holds more than ${IMPORT_OBJECTS_MAX} objects, which Kibana takes by default`);
  checkSummary(summary, objects.length, report);
  return objects;
}
