/**
 * Takes the counters of the pipeline again and again, gives what went wrong since the last time as notes.
 */
import type { FactLevel, HealthNote } from '@launchbeat/ecs-schemas';
import type { Metrics } from '@launchbeat/ecs-schemas/beat';

/** Counter, kind and level of the fact, what it says. */
const TOLD: readonly (readonly [counter: string, kind: string, FactLevel, reason: string])[] = [
  ['capture.unreadable', 'quarantine', 'error', 'Input that is no event is in quarantine'],
  ['map.refused', 'quarantine', 'error', 'Events that could not be mapped are in quarantine'],
  [
    ...(['upload.quarantined_lines', 'quarantine', 'error'] as const),
    'Lines that the collector refused, or that broke on disk, are in quarantine',
  ],
  ['spool.torn_bytes', 'torn_line', 'warn', 'Half a line was cut off after a crash (bytes)'],
  [
    ...(['spool.lost_lines', 'spool_lost', 'error'] as const),
    'Events without a receipt were deleted, the spool was full (spool.on_full: drop_oldest)',
  ],
  ['spool.waits', 'disk_refuses', 'error', 'Data folder could not be written; reading waited'],
];

/** Makes the looker; the first look tells what is there since the start. */
export function createCounterNotes(): (metrics: Metrics) => readonly HealthNote[] {
  const before = new Map<string, number>();
  return (metrics) =>
    TOLD.flatMap(([counter, kind, level, reason]) => {
      const value = metrics[counter] ?? 0;
      const count = value - (before.get(counter) ?? 0);
      before.set(counter, value);
      return count > 0 ? [{ kind, level, reason, count }] : [];
    });
}
