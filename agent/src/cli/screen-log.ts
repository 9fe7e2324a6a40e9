/**
 * A log for commands that a person watches: warnings and errors as plain lines on stderr, the rest nowhere.
 */
import { type Log, SILENT_LOG } from '@launchbeat/ecs-schemas/beat';

/** Makes it. */
export function screenLog(): Log {
  return {
    ...SILENT_LOG,
    warn: (_fields, message) => console.error(`WARN ${message}`),
    error: ({ err }, message) =>
      console.error(`ERROR ${message}${err instanceof Error ? ` (${err.message})` : ''}`),
  };
}
