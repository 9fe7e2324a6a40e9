/**
 * Takes a spool folder, gives its documents in their order.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessStart } from '@launchbeat/ecs-schemas';

/** Every whole line of the spool's segments. */
export function readSpooled(folder: string): ProcessStart[] {
  return globSync(join(folder, 'launchbeat.*.ndjson'))
    .sort()
    .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ProcessStart);
}
