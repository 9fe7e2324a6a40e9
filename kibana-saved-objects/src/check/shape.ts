/**
 * Takes a description of JSON, gives the function that holds a value against it.
 * Keeps: each difference is told with its path; a value is never changed.
 */
import { isObject } from './json.ts';
import type { Report } from './problem.ts';

/** Tells what is wrong with a value at a place. */
export type Shape = (value: unknown, where: string, report: Report) => void;

const simple =
  (name: string, holds: (value: unknown) => boolean): Shape =>
  (value, where, report) => {
    if (!holds(value)) report(where, `must be ${name}`);
  };

export const text = simple('a text', (value) => typeof value === 'string');
export const filledText = simple(
  'a text that is not empty',
  (value) => typeof value === 'string' && value.trim() !== '',
);
export const number = simple('a number', (value) => typeof value === 'number');
export const boolean = simple('true or false', (value) => typeof value === 'boolean');
export const positive = simple(
  'a number above 0',
  (value) => typeof value === 'number' && value > 0,
);
export const hexColor = simple(
  'a colour like #1A2B3C',
  (value) => typeof value === 'string' && /^#[0-9a-f]{6}$/i.test(value),
);
export const anything: Shape = () => {};

export const oneOf = (...values: readonly unknown[]): Shape =>
  simple(`one of ${values.map(String).join(', ')}`, (value) => values.includes(value));

export const listOf =
  (item: Shape): Shape =>
  (value, where, report) => {
    if (!Array.isArray(value)) return report(where, 'must be a list');
    value.forEach((one, index) => {
      item(one, `${where}[${index}]`, report);
    });
  };

/** A list of at least one. */
export const filledList =
  (item: Shape): Shape =>
  (value, where, report) => {
    if (Array.isArray(value) && value.length === 0) report(where, 'must not be empty');
    listOf(item)(value, where, report);
  };

/** Any keys, one shape of value. */
export const mapOf =
  (item: Shape): Shape =>
  (value, where, report) => {
    if (!isObject(value)) return report(where, 'must be an object');
    for (const [key, one] of Object.entries(value)) item(one, `${where}.${key}`, report);
  };

export interface ObjectShape {
  readonly required?: Readonly<Record<string, Shape>>;
  readonly optional?: Readonly<Record<string, Shape>>;
  /** Keys beyond these are let through. */
  readonly open?: boolean;
}

export function object(shape: ObjectShape): Shape {
  const known = { ...shape.optional, ...shape.required };
  const checkKey = (key: string, value: unknown, [where, report]: [string, Report]): void => {
    const inner = known[key];
    if (inner !== undefined && value !== undefined) inner(value, `${where}.${key}`, report);
    else if (shape.open !== true) report(where, `has ${key}, which the oldest Kibana refuses`);
  };
  return (value, where, report) => {
    if (!isObject(value)) return report(where, 'must be an object');
    for (const key of Object.keys(shape.required ?? {})) {
      if (value[key] === undefined) report(where, `lacks ${key}`);
    }
    for (const [key, one] of Object.entries(value)) checkKey(key, one, [where, report]);
  };
}

/** JSON within a text, as Kibana keeps it. */
export const jsonText =
  (inner: Shape): Shape =>
  (value, where, report) => {
    if (typeof value !== 'string') return report(where, 'must be a text that holds JSON');
    let held: unknown;
    try {
      held = JSON.parse(value);
    } catch (error) {
      return report(where, `holds broken JSON: ${error instanceof Error ? error.message : ''}`);
    }
    inner(held, where, report);
  };
