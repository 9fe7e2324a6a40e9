/**
 * Takes what a source found out, gives a line of the log. What is lost is an ERROR with its range; the rest a WARN.
 */
import type { Log } from '@launchbeat/ecs-schemas/beat';
import type { SourceFact } from './capture/captured-event.ts';

/** Logs a fact. Unreadable input is told with the quarantine, once a batch. */
export function logFact(fact: SourceFact, log: Log): void {
  switch (fact.kind) {
    case 'gap':
      log.error(
        { 'launchbeat.gap.from': fact.from, 'launchbeat.gap.to': fact.to },
        fact.cause === 'log_recreated'
          ? `The Security log was made anew: it was read up to record ${fact.from} and now begins at ${fact.to}. What came between is lost.`
          : `Events are lost: the Security log was cleared or rolled over; records ${fact.from} to ${fact.to} are gone.`,
      );
      break;
    case 'restart':
      log.warn(
        { 'event.duration': fact.delayMs * 1_000_000 },
        `The reader ended and is started again in ${fact.delayMs} ms: ${fact.reason}`,
      );
      break;
    case 'warning':
      log.warn({}, fact.reason);
      break;
    case 'unreadable':
      break;
  }
}
