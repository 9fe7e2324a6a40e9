/**
 * Takes what a source found out, gives a line of the log. What is lost is an ERROR with its range; the rest a WARN or less.
 */
import type { Log } from '@launchbeat/ecs-schemas/beat';
import type { SourceFact } from './capture/captured-event.ts';
import { describeGap } from './describe-gap.ts';

/** Logs a fact. Unreadable input is told with the quarantine, once a batch. */
export function logFact(fact: SourceFact, log: Log): void {
  switch (fact.kind) {
    case 'gap':
      log.error(
        {
          ...{ 'launchbeat.gap.from': fact.from, 'launchbeat.gap.to': fact.to },
          'launchbeat.gap.cause': fact.cause,
          ...(fact.starts === undefined ? {} : { 'launchbeat.gap.starts': fact.starts }),
        },
        `Events are lost: ${describeGap(fact)}.`,
      );
      break;
    case 'notice': {
      const { name, level, reason, from, to } = fact;
      const range =
        from === undefined ? {} : { 'launchbeat.records.from': from, 'launchbeat.records.to': to };
      log[level]({ 'launchbeat.notice': name, ...range }, `${reason}.`);
      break;
    }
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
