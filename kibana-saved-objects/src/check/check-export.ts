/**
 * Takes the text of an export of saved objects, gives every problem that Kibana would meet when it imports or shows it.
 * Keeps: pure; the same text gives the same list. Where the data is ours, fields and types are held against our index templates;
 * where the file is ours, our own rules hold too.
 */
import type { StreamKey } from '@launchbeat/ecs-schemas';
import { streamOfPattern } from '../kql/field-kind.ts';
import { checkDashboard, checkSearch, type ObjectContext } from './check-dashboard.ts';
import { checkDataView } from './check-data-view.ts';
import { checkLens } from './check-lens.ts';
import { checkReferences } from './check-references.ts';
import { checkHouseRules, isShipped } from './house-rules.ts';
import { textOf } from './json.ts';
import type { Problem } from './problem.ts';
import { type ExportedObject, readExport } from './read-export.ts';

function checkObject(object: ExportedObject, context: ObjectContext): void {
  switch (object.type) {
    case 'dashboard':
      checkDashboard(object, context);
      return;
    case 'search':
      checkSearch(object, context);
      return;
    case 'index-pattern':
      checkDataView(object, context);
      return;
    case 'lens': {
      const { attributes, references, where } = object;
      checkLens({ attributes: { ...attributes, references }, where, ...context });
      return;
    }
    default:
  }
}

/** All problems of one file; none: an empty list. */
export function checkExport(text: string): Problem[] {
  const problems: Problem[] = [];
  const report = (where: string, what: string): void => {
    problems.push({ where, what });
  };
  const objects = readExport(text, report);
  const shipped = isShipped(objects);
  const streams = new Map<string, StreamKey>();
  for (const { type, id, where, attributes } of objects) {
    if (type !== 'index-pattern') continue;
    const stream = streamOfPattern(textOf(attributes['title']));
    if (stream !== undefined) streams.set(id, stream);
    else if (shipped) report(where, 'is of no data stream of ours');
  }
  checkReferences(objects, shipped, report);
  const context = { report, streamOf: (id: string) => streams.get(id) };
  for (const object of objects) checkObject(object, context);
  if (shipped) checkHouseRules(objects, report);
  return problems;
}
