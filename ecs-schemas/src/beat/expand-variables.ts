/**
 * Takes a config text with `${VAR}`, `${VAR:default}`, `${VAR:?message}`, gives it with the values put in.
 * Source: Beats' environment variables page; `$${` and `$}` are its escapes for a literal `${` and `}`.
 * Differs on purpose: a variable that is not set and has no default is a problem, not an empty text.
 */
import type { Environment } from './environment.ts';

export interface Expansion {
  readonly text: string;
  /** What is missing, as sentences; the text is not to be used then. */
  readonly problems: readonly string[];
}

const REFERENCE = /\$\$\{|\$\}|\$\{([^}]*)(\}?)/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_.]*$/;

/** Expands every reference of `text`. Names are case-sensitive. */
export function expandVariables(text: string, environment: Environment): Expansion {
  const problems: string[] = [];
  const expanded = text.replace(REFERENCE, (whole, inner: string | undefined, end: string) => {
    if (whole === '$${') return `\${`;
    if (inner === undefined) return '}';
    const value =
      end === '' || inner.includes('${') ? NO_REFERENCE : resolveReference(inner, environment);
    if ('problem' in value) problems.push(value.problem);
    return 'problem' in value ? '' : value.text;
  });
  return { text: expanded, problems };
}

/** Its text is not repeated: it may be a part of a password. */
const NO_REFERENCE = {
  problem: `What begins with "\${" here is no variable reference. Write \${NAME}, \${NAME:default}, or $\${ for a literal "\${".`,
};

/** Settles what stands between `${` and `}`. An empty variable counts as not set, as in a shell's `${VAR:-default}`. */
function resolveReference(
  inner: string,
  environment: Environment,
): { text: string } | { problem: string } {
  const colon = inner.indexOf(':');
  const name = (colon === -1 ? inner : inner.slice(0, colon)).trim();
  const rest = colon === -1 ? undefined : inner.slice(colon + 1);
  if (!NAME.test(name)) return NO_REFERENCE;
  const value = environment[name];
  if (value !== undefined && value !== '') return { text: value };
  if (rest === undefined) {
    return {
      problem: `Variable ${name} is not set. Set it, store it with \`keystore add ${name}\`, or write \${${name}:default}.`,
    };
  }
  return rest.startsWith('?')
    ? { problem: `Variable ${name} is not set: ${rest.slice(1).trim()}` }
    : { text: rest };
}
