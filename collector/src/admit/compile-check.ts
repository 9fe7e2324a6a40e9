/**
 * Takes a zod schema, gives a quick test of values: true only where the schema takes the value and leaves it as it is.
 * Keeps: false says nothing; the schema itself then decides and words the reason. What of a schema is not known here is asked of
 * the schema. It is there for speed: zod copies every object that it takes, which costs more than the look (a sixth of all that
 * admit does). compile-check.test.ts holds both against each other.
 */
import type { z } from 'zod';

/** True = valid as it stands. */
export type Check = (value: unknown) => boolean;

type Schema = z.core.$ZodType;
type Definition = z.core.$ZodTypes['_zod']['def'];

/** Compiles the test. */
export function compileCheck(schema: Schema): Check {
  const definition = schema._zod.def as Definition;
  const shape = shapeCheck(definition);
  const more = (definition.checks ?? []).map(ruleCheck);
  if (shape === undefined || more.includes(undefined)) return askSchema(schema);
  const rules = more.filter((rule) => rule !== undefined);
  if (rules.length === 0) return shape;
  return (value) => shape(value) && rules.every((rule) => rule(value));
}

function askSchema(schema: Schema): Check {
  const { safeParse } = schema as z.ZodType;
  return (value) => safeParse(value).success;
}

/** The types that are known. */
const SHAPES: {
  readonly [Type in Definition['type']]?: (
    definition: Extract<Definition, { readonly type: Type }>,
  ) => Check | undefined;
} = {
  string: stringCheck,
  number: numberCheck,
  boolean: () => (value) => typeof value === 'boolean',
  literal: ({ values }) => among(values),
  enum: ({ entries }) => among(Object.values(entries)),
  optional({ innerType }) {
    const inner = compileCheck(innerType);
    return (value) => value === undefined || inner(value);
  },
  array: ({ element }) => listOf(compileCheck(element)),
  record: recordCheck,
  object: objectCheck,
};

function shapeCheck(definition: Definition): Check | undefined {
  const compile = SHAPES[definition.type] as
    | ((definition: Definition) => Check | undefined)
    | undefined;
  return compile?.(definition);
}

function listOf(check: Check): Check {
  return (value) => {
    if (!Array.isArray(value)) return false;
    for (const one of value) if (!check(one)) return false;
    return true;
  };
}

function among(values: readonly unknown[]): Check {
  return (value) => values.includes(value);
}

function stringCheck(definition: Definition): Check | undefined {
  if (!('format' in definition)) return (value) => typeof value === 'string';
  const format = definition as { readonly pattern?: RegExp };
  return format.pattern === undefined ? undefined : patternCheck(format.pattern);
}

function patternCheck(pattern: RegExp): Check | undefined {
  // One that remembers its place gives another answer each time.
  if (pattern.global || pattern.sticky) return undefined;
  return (value) => typeof value === 'string' && pattern.test(value);
}

function numberCheck(definition: Definition): Check | undefined {
  const format = 'format' in definition ? definition.format : undefined;
  if (format === undefined) return (value) => typeof value === 'number' && Number.isFinite(value);
  return format === 'safeint' ? (value) => Number.isSafeInteger(value) : undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function recordCheck(definition: z.core.$ZodRecordDef): Check | undefined {
  const key = definition.keyType._zod.def as Definition;
  if (key.type !== 'string' || key.checks !== undefined || 'format' in key) return undefined;
  const check = compileCheck(definition.valueType);
  return (value) => {
    // zod drops this key: then the value would not stay as it is.
    if (!isObject(value) || Object.hasOwn(value, '__proto__')) return false;
    for (const name in value) if (!check(value[name])) return false;
    return true;
  };
}

function objectCheck(definition: z.core.$ZodObjectDef): Check | undefined {
  // Only objects that keep what they do not know are left as they are.
  const rest = definition.catchall?._zod.def as Definition | undefined;
  if (rest?.type !== 'unknown') return undefined;
  const parts = Object.entries(definition.shape).map(([name, part]) => ({
    name,
    check: compileCheck(part),
  }));
  return (value) => {
    if (!isObject(value)) return false;
    for (const { name, check } of parts) if (!check(value[name])) return false;
    return true;
  };
}

/** Rules that stand behind a type: patterns, bounds, functions of our own. */
function ruleCheck(rule: z.core.$ZodCheck): Check | undefined {
  const definition = rule._zod.def as z.core.$ZodCheckDef & {
    readonly fn?: (value: unknown) => unknown;
    readonly pattern?: RegExp;
    readonly value?: unknown;
    readonly inclusive?: boolean;
  };
  const { fn, pattern, value: bound, inclusive } = definition;
  switch (definition.check) {
    case 'custom':
      return fn === undefined ? undefined : (value) => fn(value) === true;
    case 'string_format':
      return pattern === undefined ? undefined : patternCheck(pattern);
    case 'greater_than':
      if (typeof bound !== 'number') return undefined;
      return (value) => typeof value === 'number' && (inclusive ? value >= bound : value > bound);
    default:
      return undefined;
  }
}
