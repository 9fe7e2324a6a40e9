/**
 * What the document's schema says about fields, for processors that may not break it.
 * Keeps: asked of the schema itself, so that it cannot go stale.
 */
import { processStartSchema } from '@launchbeat/ecs-schemas';
import { z } from 'zod';

interface Json {
  readonly properties?: Readonly<Record<string, Json>>;
  readonly required?: readonly string[];
}

interface Fields {
  /** Fields without which a document is refused, with all that stand above them. */
  readonly needed: ReadonlySet<string>;
  /** Fields that the schema knows, with all that stand above them. */
  readonly known: ReadonlySet<string>;
  /** Those of them that hold a value, not more fields. */
  readonly leaves: ReadonlySet<string>;
}

function fieldsOf(): Fields {
  const needed = new Set<string>();
  const known = new Set<string>();
  const leaves = new Set<string>();
  const walk = (level: Json, prefix: string, isNeeded: boolean): void => {
    for (const [name, inner] of Object.entries(level.properties ?? {})) {
      const path = prefix + name;
      const here = isNeeded && (level.required ?? []).includes(name);
      known.add(path);
      if (here) needed.add(path);
      if (inner.properties === undefined) leaves.add(path);
      walk(inner, `${path}.`, here);
    }
  };
  const schema = z.toJSONSchema(processStartSchema, { io: 'input', unrepresentable: 'any' });
  walk(schema as Json, '', true);
  return { needed, known, leaves };
}

let fields: Fields | undefined;
const schemaFields = (): Fields => {
  fields ??= fieldsOf();
  return fields;
};

/** Whether a document without this field (and all below it) is refused. */
export function isNeededField(field: string): boolean {
  return schemaFields().needed.has(field);
}

/** Whether the schema knows this field or gives it a type by one above it: it belongs to the event. */
export function isOwnField(field: string): boolean {
  const { known, leaves } = schemaFields();
  if (known.has(field)) return true;
  const names = field.split('.');
  return names.some((_, index) => leaves.has(names.slice(0, index).join('.')));
}
