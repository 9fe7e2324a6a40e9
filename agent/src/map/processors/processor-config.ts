/**
 * `processors:` of launchbeat.yml in Beats' grammar: `drop_event`, `drop_fields`, `add_fields`, `add_tags`, each with `when`, and
 * `if/then/else`. Gives them in a form that is ready to be compiled; every mistake is named with its key and its mend.
 * Keeps: no processor can make a document that the collector would refuse; those fail when the config is read.
 */
import {
  type Complaints,
  type Condition,
  complaintsTo,
  isTree,
  readCondition,
} from '@launchbeat/ecs-schemas/conditions';
import { z } from 'zod';
import { isNeededField, isOwnField } from './document-fields.ts';

/** A value of add_fields: what JSON has. */
export type FieldValue =
  | string
  | number
  | boolean
  | null
  | readonly FieldValue[]
  | { readonly [key: string]: FieldValue };

/** One processor. `place` is its dotted path in the config, `processors.0.then.1`. */
export type Processor =
  | { readonly kind: 'drop_event'; readonly place: string; readonly when?: Condition }
  | {
      readonly kind: 'drop_fields';
      readonly place: string;
      readonly when?: Condition;
      readonly fields: readonly (readonly string[])[];
    }
  | {
      readonly kind: 'add_fields';
      readonly place: string;
      readonly when?: Condition;
      readonly fields: readonly (readonly [path: readonly string[], value: FieldValue])[];
    }
  | {
      readonly kind: 'add_tags';
      readonly place: string;
      readonly when?: Condition;
      readonly target: readonly string[];
      readonly tags: readonly string[];
    }
  | {
      readonly kind: 'if';
      readonly place: string;
      readonly condition: Condition;
      readonly yes: readonly Processor[];
      readonly no: readonly Processor[];
    };

type Path = readonly (string | number)[];
type Tree = { readonly [key: string]: unknown };

const KNOWN = 'Expected one of drop_event, drop_fields, add_fields, add_tags, or if/then/else.';
const DEPTH_MAX = 8;
/** All that add_fields and add_tags may add to a document, as JSON. */
const ADDED_BYTES_MAX = 8 * 1024;

class Reader {
  readonly #complaints: Complaints;
  #addedBytes = 0;

  constructor(complaints: Complaints) {
    this.#complaints = complaints;
  }

  list(value: unknown, path: Path): Processor[] {
    const items = isTree(value) ? [value] : value;
    if (!Array.isArray(items)) {
      this.#wrong(path, 'Expected a list of processors, each behind a "- ".');
      return [];
    }
    if (path.length > DEPTH_MAX * 2) {
      this.#wrong(path, 'Processors are nested too deep. Split them.');
      return [];
    }
    return items.flatMap((one, index) => this.#one(one, [...path, index]) ?? []);
  }

  #wrong(path: Path, message: string): undefined {
    this.#complaints.add(path, message);
    return undefined;
  }

  #one(value: unknown, path: Path): Processor | undefined {
    if (!isTree(value)) return this.#wrong(path, `Expected a processor. ${KNOWN}`);
    if ('if' in value) return this.#branch(value, path);
    const keys = Object.keys(value);
    const [kind = ''] = keys;
    const inner = value[kind] ?? {};
    if (keys.length !== 1) {
      return this.#wrong(
        path,
        `Expected one processor behind each "- ", found ${keys.join(', ') || 'none'}.`,
      );
    }
    if (!isTree(inner)) return this.#wrong([...path, kind], 'Expected keys and values here.');
    const at = [...path, kind];
    switch (kind) {
      case 'drop_event':
        this.#onlyKeys(inner, at, ['when']);
        return { kind, place: placeOf(path), ...this.#when(inner, at) };
      case 'drop_fields':
        return this.#dropFields(inner, path, at);
      case 'add_fields':
        return this.#addFields(inner, path, at);
      case 'add_tags':
        return this.#addTags(inner, path, at);
      default:
        return this.#wrong(at, `"${kind}" is no processor. ${KNOWN}`);
    }
  }

  #onlyKeys(tree: Tree, path: Path, known: readonly string[]): void {
    for (const key of Object.keys(tree)) {
      if (!known.includes(key)) {
        this.#wrong([...path, key], `Unknown key. Delete it; known here: ${known.join(', ')}.`);
      }
    }
  }

  #when(tree: Tree, path: Path): { when?: Condition } {
    if (!('when' in tree)) return {};
    const when = readCondition(tree['when'], [...path, 'when'], this.#complaints);
    return when === undefined ? {} : { when };
  }

  #branch(value: Tree, path: Path): Processor | undefined {
    this.#onlyKeys(value, path, ['if', 'then', 'else']);
    const condition = readCondition(value['if'], [...path, 'if'], this.#complaints);
    if (!('then' in value)) this.#wrong(path, 'Missing "then". Write the processors of it there.');
    const yes = 'then' in value ? this.list(value['then'], [...path, 'then']) : [];
    const no = 'else' in value ? this.list(value['else'], [...path, 'else']) : [];
    return condition === undefined
      ? undefined
      : { kind: 'if', place: placeOf(path), condition, yes, no };
  }

  #names(value: unknown, path: Path, example: string): string[] {
    const names = typeof value === 'string' ? [value] : value;
    if (
      Array.isArray(names) &&
      names.length > 0 &&
      names.every((name) => typeof name === 'string' && name !== '')
    )
      return names as string[];
    this.#wrong(path, `Expected a list of texts, such as ${example}.`);
    return [];
  }

  #dropFields(tree: Tree, path: Path, at: Path): Processor {
    this.#onlyKeys(tree, at, ['fields', 'ignore_missing', 'when']);
    const fields = this.#names(tree['fields'], [...at, 'fields'], '[process.args]');
    for (const [index, field] of fields.entries()) {
      if (isNeededField(field)) {
        this.#wrong(
          [...at, 'fields', index],
          `Every document needs ${field}. Delete it from this list.`,
        );
      }
    }
    return {
      kind: 'drop_fields',
      place: placeOf(path),
      ...this.#when(tree, at),
      fields: fields.map((field) => field.split('.')),
    };
  }

  #addFields(tree: Tree, path: Path, at: Path): Processor {
    this.#onlyKeys(tree, at, ['target', 'fields', 'when']);
    const target = tree['target'] ?? 'fields';
    if (typeof target !== 'string') this.#wrong([...at, 'target'], 'Expected the name of a field.');
    const before = typeof target === 'string' && target !== '' ? target.split('.') : [];
    const given = tree['fields'];
    if (!isTree(given) || Object.keys(given).length === 0) {
      this.#wrong([...at, 'fields'], 'Expected fields and their values, such as {site: Kazan}.');
      return { kind: 'add_fields', place: placeOf(path), fields: [] };
    }
    const fields = leavesOf(given).map(
      ([names, value]) =>
        [[...before, ...names.flatMap((name) => name.split('.'))], value] as const,
    );
    for (const [names, value] of fields) this.#checkAdded(names, value, [...at, 'fields']);
    return { kind: 'add_fields', place: placeOf(path), ...this.#when(tree, at), fields };
  }

  #checkAdded(names: readonly string[], value: unknown, path: Path): void {
    const field = names.join('.');
    if (names.some((name) => name === '' || name === '__proto__')) {
      this.#wrong(path, `"${field}" is no name of a field.`);
    }
    if (isOwnField(field)) {
      this.#wrong(
        path,
        `${field} belongs to the event. Choose another name, such as labels.${names.at(-1)}.`,
      );
    }
    this.#grow(path, Buffer.byteLength(JSON.stringify([field, value])));
  }

  #grow(path: Path, bytes: number): void {
    this.#addedBytes += bytes;
    if (this.#addedBytes > ADDED_BYTES_MAX) {
      this.#wrong(
        path,
        `All processors together add more than ${ADDED_BYTES_MAX} bytes to an event. Add less.`,
      );
    }
  }

  #addTags(tree: Tree, path: Path, at: Path): Processor {
    this.#onlyKeys(tree, at, ['tags', 'target', 'when']);
    const tags = this.#names(tree['tags'], [...at, 'tags'], '[kiosk]');
    const target = tree['target'] ?? 'tags';
    const name = typeof target === 'string' && target !== '' ? target : 'tags';
    if (name !== target) this.#wrong([...at, 'target'], 'Expected the name of a field.');
    if (name !== 'tags' && isOwnField(name)) {
      this.#wrong([...at, 'target'], `${name} belongs to the event. Leave target out for tags.`);
    }
    this.#grow(at, Buffer.byteLength(JSON.stringify(tags)));
    return {
      kind: 'add_tags',
      place: placeOf(path),
      ...this.#when(tree, at),
      target: name.split('.'),
      tags,
    };
  }
}

const placeOf = (path: Path): string => ['processors', ...path].join('.');

/** Leaves of nested keys; an empty map and a list are values. */
function leavesOf(tree: Tree, before: readonly string[] = []): [readonly string[], FieldValue][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    isTree(value) && Object.keys(value).length > 0
      ? leavesOf(value, [...before, key])
      : [[[...before, key], value as FieldValue] as [readonly string[], FieldValue]],
  );
}

/** The key `processors`: a list, worked through in order. */
export const processorsSchema = z
  .unknown()
  .default([])
  .transform((value, context) => new Reader(complaintsTo(context)).list(value ?? [], []));
