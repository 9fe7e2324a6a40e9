/**
 * Takes the text of an export of saved objects, gives every problem that Kibana would meet when it imports or shows it.
 * Keeps: pure; the same text gives the same list. Where the data is ours, fields and types are held against our index template;
 * where the file is ours, our own rules hold too.
 */
import { DATA_STREAM_TYPE, DATASET } from '@launchbeat/ecs-schemas';
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
  const ourDataViews = new Set(
    objects
      .filter(({ type, attributes }) => {
        const title = textOf(attributes['title']);
        return type === 'index-pattern' && title.startsWith(`${DATA_STREAM_TYPE}-${DATASET}-`);
      })
      .map(({ id }) => id),
  );
  if (shipped && ourDataViews.size === 0) report('file', 'holds no data view of our data stream');
  checkReferences(objects, shipped, report);
  const context = { report, isOurs: (id: string) => ourDataViews.has(id) };
  for (const object of objects) checkObject(object, context);
  if (shipped) checkHouseRules(objects, report);
  return problems;
}
