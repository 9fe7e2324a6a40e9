/**
 * Takes JSON of unknown form, gives parts of it without ever throwing: what is not there or of another kind comes out empty.
 */

export type Json = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const objectOf = (value: unknown): Json => (isObject(value) ? value : {});

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Follows keys down. */
export function at(value: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>((level, key) => objectOf(level)[key], value);
}

/** The value within a JSON text; undefined when the text is none. */
export function parsed(text: unknown): unknown {
  if (typeof text !== 'string') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
