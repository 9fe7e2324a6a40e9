/**
 * Takes what a source found out, gives the note that the collector is told; nothing of an event is in it.
 */
import type { HealthNote } from '@launchbeat/ecs-schemas';
import type { SourceFact } from './capture/captured-event.ts';
import { describeGap, gapRecords } from './describe-gap.ts';

/** Undefined for what is counted and told with the quarantine. */
export function healthNote(fact: SourceFact): HealthNote | undefined {
  switch (fact.kind) {
    case 'gap': {
      const { from, to, cause } = fact;
      const reason = describeGap(fact);
      // The ids of a log that was made anew begin again: they are no range.
      if (cause === 'log_recreated') return { kind: 'log_recreated', level: 'error', reason };
      return { kind: 'gap', level: 'error', reason, from, to, count: gapRecords(fact) };
    }
    case 'notice': {
      const { name, level, reason, from, to } = fact;
      const range = from === undefined || to === undefined ? {} : { from, to };
      return { kind: name, level, reason, ...range };
    }
    case 'restart':
      return { kind: 'restart', level: 'warn', reason: `Reader ended: ${fact.reason}` };
    case 'warning':
      return { kind: 'reader_warning', level: 'warn', reason: fact.reason };
    case 'unreadable':
      return undefined;
  }
}
