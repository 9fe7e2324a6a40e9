/**
 * The log as stages see it: four levels, fields first, then a sentence with a full stop.
 * WARN: nothing is lost. ERROR: something is lost or a person must act. Per-event facts are counters, not lines.
 */

type Write = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/** Where a stage logs to. Fields are ECS names with dots (`{ 'error.message': … }`); an `err` field is written as ECS error. */
export interface Log {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}

const nothing: Write = () => undefined;

/** A log that keeps nothing, for tests and for commands that print their own words. */
export const SILENT_LOG: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
