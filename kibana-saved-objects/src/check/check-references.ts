/**
 * Takes all objects of a file, tells which references are missing, of the wrong type, unused, or lead nowhere.
 */
import { neededReferences } from './needed-references.ts';
import type { Report } from './problem.ts';
import type { ExportedObject, ObjectReference } from './read-export.ts';

/** Types that Kibana refuses to import an object without (validate_references.ts); others only leave a hole. */
const MUST_BE_THERE = new Set(['index-pattern', 'search']);

const isTag = ({ type, name }: ObjectReference): boolean => type === 'tag' && /^tag-/.test(name);

function checkNeeds(object: ExportedObject, report: Report): void {
  const byName = new Map(object.references.map((reference) => [reference.name, reference]));
  const used = new Set<string>();
  for (const needed of neededReferences(object)) {
    // Dashboards older than 7.13 name their panels' references without the panel's id.
    const bare = needed.name.slice(needed.name.indexOf(':') + 1);
    const reference = byName.get(needed.name) ?? byName.get(bare);
    if (reference === undefined) {
      report(object.where, `reference "${needed.name}" is missing`);
      continue;
    }
    used.add(reference.name);
    if (needed.types.length > 0 && !needed.types.includes(reference.type))
      report(
        object.where,
        `reference "${needed.name}" is a ${reference.type}, not a ${needed.types.join(' or ')}`,
      );
    if (needed.id !== undefined && needed.id !== reference.id)
      report(
        object.where,
        `reference "${needed.name}" is ${reference.id}, but ${needed.id} within the panel`,
      );
  }
  for (const reference of object.references) {
    if (!used.has(reference.name) && !isTag(reference))
      report(object.where, `reference "${reference.name}" is used by nothing`);
  }
}

/** `complete`: every reference must lead to an object of the file. */
export function checkReferences(
  objects: readonly ExportedObject[],
  complete: boolean,
  report: Report,
): void {
  const keys = objects.map(({ type, id }) => `${type} ${id}`);
  const known = new Set(keys);
  for (const key of new Set(keys.filter((one, index) => keys.indexOf(one) !== index)))
    report('file', `${key} stands twice: Kibana refuses the whole file`);
  for (const object of objects) {
    checkNeeds(object, report);
    for (const { type, id, name } of object.references) {
      if (known.has(`${type} ${id}`)) continue;
      if (complete || MUST_BE_THERE.has(type))
        report(
          object.where,
          `reference "${name}" leads to ${type} ${id}, which the file does not hold`,
        );
    }
  }
}
