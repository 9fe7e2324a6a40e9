/**
 * The one place that reads the process environment.
 * Keeps: everything else takes the environment as a value, so that tests and `-E` see all there is to see.
 */

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process. */
export function processEnvironment(): Environment {
  return process.env;
}
