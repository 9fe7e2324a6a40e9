/**
 * Remembers what was found out about texts: a PC starts the same programs with the same words all day.
 * Keeps: bounded in texts and in their length; what is remembered holds no event in memory, if copies are given.
 */

/** A part of a text holds the whole text in memory, here the event's XML; a copy does not. */
export const copied = (text: string): string => Buffer.from(text, 'utf16le').toString('utf16le');

export interface TextMemory<Value> {
  get(text: string): Value | undefined;
  /** A text that is too long to come twice is not remembered. */
  set(text: string, value: Value): void;
}

/** Makes one. When it is full it begins anew. */
export function createTextMemory<Value>(textsMax: number, unitsMax: number): TextMemory<Value> {
  const values = new Map<string, Value>();
  return {
    get: (text) => (text.length > unitsMax ? undefined : values.get(text)),
    set(text, value) {
      if (text.length > unitsMax) return;
      if (values.size >= textsMax) values.clear();
      values.set(text, value);
    },
  };
}
