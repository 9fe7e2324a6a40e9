/**
 * Takes a command line as logged, gives `process.args` as Elastic's Windows integrations split it.
 * Keeps: quotes stay in their argument, so that joined arguments still show what was typed.
 * Source: the system integration's security pipeline: `"` toggles, white space outside quotes ends an argument, empty ones are
 * skipped, a backslash escapes nothing, an unclosed quote reaches to the end.
 */

/** White space as Java's Character.isWhitespace has it (no-break spaces are none), less what XML cannot hold. */
const WHITE_SPACE = '\\t\\n\\r \\u1680\\u2000-\\u2006\\u2008-\\u200a\\u2028\\u2029\\u205f\\u3000';
/** It never looks back: whatever follows what it has taken, that was right. */
const ARGUMENT = new RegExp(`(?:[^"${WHITE_SPACE}]+|"[^"]*(?:"|$))+`, 'g');

/** Splits a command line into its arguments. */
export function commandLineArgs(commandLine: string): string[] {
  return commandLine.match(ARGUMENT) ?? [];
}

/** An argument without the quotes around it or within it, for comparison. */
export function unquoted(argument: string): string {
  return argument.replaceAll('"', '');
}
