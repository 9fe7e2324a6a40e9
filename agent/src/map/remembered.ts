/**
 * Takes a pure function of a text, gives it with a memory: a PC starts the same programs with the same words all day.
 * Keeps: bounded in texts and in their length; what is remembered holds no event in memory.
 */

const TEXTS_MAX = 512;
/** Longer texts are no paths or names, and hardly come twice. */
const TEXT_UNITS_MAX = 512;

/** A part of a text holds the whole text in memory, here the event's XML; a copy does not. */
export const copied = (text: string): string => Buffer.from(text, 'utf16le').toString('utf16le');

/** `make` gets a copy of the text, so that its parts may be kept. */
export function remembered<Value extends object>(
  make: (text: string) => Value,
): (text: string) => Value {
  const values = new Map<string, Value>();
  return (text) => {
    const known = values.get(text);
    if (known !== undefined) return known;
    if (text.length > TEXT_UNITS_MAX) return make(text);
    const own = copied(text);
    const value = make(own);
    if (values.size >= TEXTS_MAX) values.clear();
    values.set(own, value);
    return value;
  };
}
