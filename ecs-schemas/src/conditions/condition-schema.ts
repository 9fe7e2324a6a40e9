/**
 * Takes a condition as Beats writes it (`equals`, `contains`, `regexp`, `range`, `network`, `has_fields`, `and`, `or`, `not`), gives
 * it in a form that is ready to be compiled; every mistake is named with its key and its mend.
 * Keeps: dotted keys and nested ones mean the same (`equals.process.name: x`), as in Beats.
 * Source: Elastic, "Define processors", section Conditions.
 */
import { z } from 'zod';
import { linearPattern } from './linear-pattern.ts';
import { NETWORK_NAMES, parseNetwork } from './network-range.ts';

export type Scalar = string | number | boolean;

/** Limits of a range; all that are given must hold. */
export interface RangeLimits {
  readonly lt?: number;
  readonly lte?: number;
  readonly gt?: number;
  readonly gte?: number;
}

/** One condition. Fields are dotted paths; of several fields all must fit. */
export type Condition =
  | { readonly kind: 'equals'; readonly fields: ReadonlyMap<string, Scalar> }
  | { readonly kind: 'contains'; readonly fields: ReadonlyMap<string, string> }
  | { readonly kind: 'regexp'; readonly fields: ReadonlyMap<string, string> }
  | { readonly kind: 'range'; readonly fields: ReadonlyMap<string, RangeLimits> }
  | { readonly kind: 'network'; readonly fields: ReadonlyMap<string, readonly string[]> }
  | { readonly kind: 'has_fields'; readonly names: readonly string[] }
  | { readonly kind: 'and'; readonly conditions: readonly Condition[] }
  | { readonly kind: 'or'; readonly conditions: readonly Condition[] }
  | { readonly kind: 'not'; readonly condition: Condition };

type Tree = { readonly [key: string]: unknown };
type Path = readonly (string | number)[];

/** Where mistakes go. */
export interface Complaints {
  add(path: Path, message: string): void;
}

const KINDS = [
  'equals',
  'contains',
  'regexp',
  'range',
  'network',
  'has_fields',
  'and',
  'or',
  'not',
] as const;
const DEPTH_MAX = 32;
const LIMITS = ['lt', 'lte', 'gt', 'gte'] as const;

export const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Leaves of nested keys by their dotted path; `isLeaf` says where a map itself is the value. */
function leavesOf(
  tree: Tree,
  isLeaf: (value: unknown) => boolean,
  before: readonly string[] = [],
): [path: readonly string[], value: unknown][] {
  return Object.entries(tree).flatMap(([key, value]) => {
    const path = [...before, key];
    return isTree(value) && !isLeaf(value) && path.length < DEPTH_MAX
      ? leavesOf(value, isLeaf, path)
      : [[path, value] as [readonly string[], unknown]];
  });
}

/** Reads `field: value` pairs; `read` gives undefined after it has complained. */
function fieldsOf<Value>(
  value: unknown,
  at: { path: Path; complaints: Complaints; example: string },
  read: (value: unknown, path: Path) => Value | undefined,
  isLeaf: (value: unknown) => boolean = () => false,
): Map<string, Value> {
  const fields = new Map<string, Value>();
  const leaves = isTree(value) ? leavesOf(value, isLeaf) : [];
  if (leaves.length === 0) {
    at.complaints.add(
      at.path,
      `Expected a field and what to compare it with, such as ${at.example}.`,
    );
  }
  for (const [names, leaf] of leaves) {
    const one = read(leaf, [...at.path, ...names]);
    if (one !== undefined) fields.set(names.join('.'), one);
  }
  return fields;
}

function readRegexp(value: unknown, path: Path, complaints: Complaints): string | undefined {
  if (typeof value !== 'string') {
    complaints.add(path, "Expected a pattern in quotes, such as '^chrome'.");
    return undefined;
  }
  const compiled = linearPattern(value);
  if (compiled.outcome === 'done') return value;
  complaints.add(path, compiled.reason);
  return undefined;
}

const isLimits = (value: unknown): boolean =>
  isTree(value) && LIMITS.some((limit) => Object.hasOwn(value, limit));

function readLimits(value: unknown, path: Path, complaints: Complaints): RangeLimits | undefined {
  const limits: { -readonly [Name in keyof RangeLimits]: number } = {};
  if (!isTree(value) || Object.keys(value).length === 0) {
    complaints.add(path, 'Expected limits, such as {gte: 400, lt: 500}.');
    return undefined;
  }
  for (const [name, limit] of Object.entries(value)) {
    const number = typeof limit === 'string' && limit.trim() !== '' ? Number(limit) : limit;
    if (!LIMITS.includes(name as never))
      complaints.add([...path, name], 'Expected lt, lte, gt or gte.');
    else if (typeof number !== 'number' || Number.isNaN(number))
      complaints.add([...path, name], 'Expected a number.');
    else limits[name as keyof RangeLimits] = number;
  }
  return limits;
}

function readNetworks(
  value: unknown,
  path: Path,
  complaints: Complaints,
): readonly string[] | undefined {
  const names = Array.isArray(value) ? value : [value];
  const wrong = names.find((name) => typeof name !== 'string' || parseNetwork(name) === undefined);
  if (wrong === undefined && names.length > 0) return names as string[];
  complaints.add(
    path,
    `${JSON.stringify(wrong)} is no network. Write a CIDR such as 10.0.0.0/8 or one of ${NETWORK_NAMES.join(', ')}.`,
  );
  return undefined;
}

function readList(value: unknown, path: Path, complaints: Complaints): Condition[] {
  if (!Array.isArray(value) || value.length === 0) {
    complaints.add(path, 'Expected a list of conditions, each behind a "- ".');
    return [];
  }
  return value.flatMap((one, index) => readCondition(one, [...path, index], complaints) ?? []);
}

function readNames(value: unknown, path: Path, complaints: Complaints): string[] {
  const names = typeof value === 'string' ? [value] : value;
  if (Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === 'string'))
    return names as string[];
  complaints.add(path, 'Expected a list of field names, such as [process.command_line].');
  return [];
}

function readKind(
  kind: (typeof KINDS)[number],
  value: unknown,
  path: Path,
  complaints: Complaints,
): Condition | undefined {
  const at = (example: string) => ({ path, complaints, example });
  switch (kind) {
    case 'equals':
      return {
        kind,
        fields: fieldsOf(value, at('process.name: chrome.exe'), (leaf, where) => {
          if (['string', 'number', 'boolean'].includes(typeof leaf)) return leaf as Scalar;
          complaints.add(
            where,
            'Expected a text, a number, true or false. For several values use "or".',
          );
          return undefined;
        }),
      };
    case 'contains':
      return {
        kind,
        fields: fieldsOf(value, at('process.command_line: --incognito'), (leaf, where) => {
          if (typeof leaf === 'string' || typeof leaf === 'number') return String(leaf);
          complaints.add(where, 'Expected a text. For several texts use "or".');
          return undefined;
        }),
      };
    case 'regexp':
      return {
        kind,
        fields: fieldsOf(value, at("process.name: '^chrome'"), (leaf, where) =>
          readRegexp(leaf, where, complaints),
        ),
      };
    case 'range':
      return {
        kind,
        fields: fieldsOf(
          value,
          at('process.args_count: {gte: 5}'),
          (leaf, where) => readLimits(leaf, where, complaints),
          isLimits,
        ),
      };
    case 'network':
      return {
        kind,
        fields: fieldsOf(value, at('source.ip: private'), (leaf, where) =>
          readNetworks(leaf, where, complaints),
        ),
      };
    case 'has_fields':
      return { kind, names: readNames(value, path, complaints) };
    case 'and':
    case 'or':
      return { kind, conditions: readList(value, path, complaints) };
    case 'not': {
      const condition = readCondition(value, path, complaints);
      return condition === undefined ? undefined : { kind, condition };
    }
  }
}

/** Reads one condition; complains and gives undefined (or what is right of it) where it is wrong. */
export function readCondition(
  value: unknown,
  path: Path,
  complaints: Complaints,
): Condition | undefined {
  if (path.length > DEPTH_MAX) {
    complaints.add(path, 'Conditions are nested too deep. Split them.');
    return undefined;
  }
  const keys = isTree(value) ? Object.keys(value) : [];
  const known = `Expected one of ${KINDS.join(', ')}.`;
  if (!isTree(value) || keys.length === 0) {
    complaints.add(path, `Expected a condition. ${known}`);
    return undefined;
  }
  const wrong = keys.find((key) => !KINDS.includes(key as never));
  if (wrong !== undefined) {
    complaints.add([...path, wrong], `"${wrong}" is no condition. ${known}`);
    return undefined;
  }
  // Beats takes one; several beside each other can only mean that all must hold.
  const conditions = keys.flatMap(
    (key) => readKind(key as (typeof KINDS)[number], value[key], [...path, key], complaints) ?? [],
  );
  return conditions.length === 1 ? conditions[0] : { kind: 'and', conditions };
}

/** A condition of a config file. */
export const conditionSchema = z.unknown().transform((value, context): Condition => {
  const condition = readCondition(value, [], complaintsTo(context));
  return condition ?? z.NEVER;
});

/** Complaints as issues of a zod transform. */
export function complaintsTo(context: z.RefinementCtx): Complaints {
  return {
    add: (path, message) =>
      context.issues.push({ code: 'custom', path: [...path], message, input: undefined }),
  };
}
