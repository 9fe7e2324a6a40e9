/**
 * Takes the values of a column, gives them as PostgreSQL reads an array of text.
 * Source: PostgreSQL, "Arrays", section "Array Input and Output Syntax".
 * The client can do it too; it asks each value for its type and runs two patterns over it, which was a tenth of all that commit does.
 */

/** JSON has names for these (`\n`), of which an array literal would take the letter. All else both write in the same way. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL_CHARACTER = /[\0-\x1f]/;

/** `{"a","b",null}`; a value may hold anything but NUL and half a surrogate pair. */
export function textArray(values: readonly (string | null)[]): string {
  const isPlain = values.every((value) => value === null || !CONTROL_CHARACTER.test(value));
  const listed = isPlain ? JSON.stringify(values).slice(1, -1) : values.map(quoted).join(',');
  return `{${listed}}`;
}

function quoted(value: string | null): string {
  return value === null ? 'null' : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
