/**
 * What the stand-in of Kibana does with the objects of one import: versions, duplicates, missing references, conflicts, one object of an
 * id in all spaces. Of the types that we ship only.
 */
import { randomUUID } from 'node:crypto';

export interface Stored {
  readonly type: string;
  readonly id: string;
  /** The id in the file, where another space had it already. */
  readonly originId?: string;
  readonly coreMigrationVersion?: string;
  readonly typeMigrationVersion?: string;
  readonly references: readonly { readonly type: string; readonly id: string }[];
}

/** An answer before it is written. */
export interface Answer {
  readonly status: number;
  readonly json: unknown;
}

export const boom = (statusCode: number, error: string, message: string): Answer => ({
  status: statusCode,
  json: { statusCode, error, message },
});

/** Newest version of each type that a Kibana knows, by its own (measured on exports of those versions). */
const KNOWN: Readonly<Record<string, readonly (readonly [from: string, newest: string])[]>> = {
  dashboard: [
    ['8.11', '8.9.0'],
    ['8.14', '10.1.0'],
    ['8.15', '10.2.0'],
    ['9.1', '10.3.0'],
  ],
  search: [
    ['8.11', '10.1.0'],
    ['8.15', '10.4.0'],
    ['8.16', '10.5.0'],
    ['9.4', '10.12.0'],
  ],
  'index-pattern': [['8.11', '8.0.0']],
  tag: [['8.11', '8.0.0']],
};

const parts = (version: string): number[] => version.split('.').map(Number);

/** Whether one version comes after another. */
function isNewer(one: string, other: string): boolean {
  const [a, b] = [parts(one), parts(other)];
  const index = a.findIndex((part, place) => part !== (b[place] ?? 0));
  return index >= 0 && (a[index] ?? 0) > (b[index] ?? 0);
}

function newestOf(type: string, kibana: string): string | undefined {
  return KNOWN[type]?.findLast(([from]) => !isNewer(`${from}.0`, kibana))?.[1];
}

const keyOf = ({ type, id }: { readonly type: string; readonly id: string }): string =>
  `${type} ${id}`;

/** What a whole import fails for, as Kibana does before it writes anything. */
export function refusalOf(objects: readonly Stored[], version: string): Answer | undefined {
  const keys = objects.map(keyOf);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined)
    return boom(
      400,
      'Bad Request',
      `Non-unique import objects detected: [${twice.replace(' ', ':')}]`,
    );
  for (const object of objects) {
    const { type, typeMigrationVersion = '', coreMigrationVersion = '' } = object;
    const newest = newestOf(type, version);
    if (newest !== undefined && typeMigrationVersion === '')
      return boom(
        500,
        'Internal Server Error',
        "Cannot read properties of undefined (reading 'layers')",
      );
    if (newest !== undefined && isNewer(typeMigrationVersion, newest))
      return boom(
        422,
        'Unprocessable Entity',
        `Document "${object.id}" belongs to a more recent version of Kibana [${typeMigrationVersion}] when the last known version is [${newest}].`,
      );
    if (isNewer(coreMigrationVersion, version))
      return boom(422, 'Unprocessable Entity', `Document "${object.id}" has a newer core version`);
  }
  return undefined;
}

/** Types of which each space may have an object of the same id (namespaceType "single"). */
const PER_SPACE = new Set(['tag']);

export type Space = Map<string, Stored>;

/** The id that an object has or gets in a space: its own, that of an earlier import, or a new one as another space has its own. */
function idIn(space: Space, object: Stored, others: readonly Space[]): string {
  if (space.has(keyOf(object))) return object.id;
  const earlier = [...space.values()].find(
    ({ type, originId }) => type === object.type && originId === object.id,
  );
  if (earlier !== undefined) return earlier.id;
  const isTaken = others.some((other) => other.has(keyOf(object)));
  return isTaken && !PER_SPACE.has(object.type) ? randomUUID() : object.id;
}

export function importInto(
  space: Space,
  objects: readonly Stored[],
  options: {
    readonly overwrite: boolean;
    readonly unknown: readonly string[];
    readonly others: readonly Space[];
  },
): Answer {
  const sent = new Set(objects.map(keyOf));
  const faultOf = (object: Stored, id: string): object | undefined => {
    if (options.unknown.includes(object.type)) return { type: 'unsupported_type' };
    const missing = object.references.filter(
      (one) =>
        ['index-pattern', 'search'].includes(one.type) &&
        !sent.has(keyOf(one)) &&
        !space.has(keyOf(one)),
    );
    if (missing.length > 0)
      return {
        type: 'missing_references',
        references: missing.map(({ type, id: missed }) => ({ type, id: missed })),
      };
    const isThere = space.has(keyOf({ type: object.type, id }));
    return isThere && !options.overwrite ? { type: 'conflict' } : undefined;
  };
  const judged = objects.map((object) => {
    const id = idIn(space, object, options.others);
    return { object, id, error: faultOf(object, id) };
  });
  const errors = judged.flatMap(({ object: { id, type }, error }) =>
    error === undefined ? [] : [{ id, type, meta: { title: `title of ${id}` }, error }],
  );
  const good = judged.filter(({ error }) => error === undefined);
  for (const { object, id } of good)
    space.set(keyOf({ type: object.type, id }), {
      ...object,
      ...(id === object.id ? {} : { id, originId: object.id }),
    });
  return {
    status: 200,
    json: {
      successCount: good.length,
      success: errors.length === 0,
      warnings: [],
      successResults: good.map(({ object: { type, id }, id: destinationId }) => ({
        ...{ type, id },
        ...(destinationId === id ? {} : { destinationId }),
      })),
      ...(errors.length === 0 ? {} : { errors }),
    },
  };
}
