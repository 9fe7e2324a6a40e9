/**
 * Takes a command line as logged, gives `process.args` as Elastic's Windows integrations split it.
 * Keeps: quotes stay in their argument, so that joined arguments still show what was typed.
 * Source: the system integration's security pipeline: `"` toggles, white space outside quotes ends an argument, empty ones are
 * skipped, a backslash escapes nothing, an unclosed quote reaches to the end.
 */

/** White space as Java's Character.isWhitespace has it (no-break spaces are none), less what XML cannot hold. */
const WHITE_SPACE = new Set(
  '\t\n\r \u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u2028\u2029\u205f\u3000',
);

const BLANK = 0x20;
/** The first white space past ASCII, U+1680. */
const NEXT_WHITE_SPACE = 0x1680;
const QUOTE = 0x22;

/** Splits a command line into its arguments. */
export function commandLineArgs(commandLine: string): string[] {
  const args: string[] = [];
  let start = -1;
  let quoted = false;
  for (let at = 0; at < commandLine.length; at += 1) {
    const code = commandLine.charCodeAt(at);
    const maybe = code <= BLANK || code >= NEXT_WHITE_SPACE;
    if (maybe && !quoted && WHITE_SPACE.has(commandLine.charAt(at))) {
      if (start !== -1) args.push(commandLine.slice(start, at));
      start = -1;
      continue;
    }
    if (start === -1) start = at;
    if (code === QUOTE) quoted = !quoted;
  }
  if (start !== -1) args.push(commandLine.slice(start));
  return args;
}

/** An argument without the quotes around it or within it, for comparison. */
export function unquoted(argument: string): string {
  return argument.replaceAll('"', '');
}
