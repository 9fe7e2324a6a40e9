/**
 * Takes what a source found out, gives the note that the collector is told; nothing of an event is in it.
 */
import type { HealthNote } from '@launchbeat/ecs-schemas';
import type { SourceFact } from './capture/captured-event.ts';

/** Undefined for what is counted and told with the quarantine. */
export function healthNote(fact: SourceFact): HealthNote | undefined {
  switch (fact.kind) {
    case 'gap': {
      const { from, to, cause } = fact;
      if (cause === 'log_recreated') {
        const reason = `Security log was made anew: it was read up to record ${from} and now begins at ${to}`;
        return { kind: 'log_recreated', level: 'error', reason };
      }
      const reason = `Security log was cleared or rolled over; records ${from} to ${to} are gone`;
      return { kind: 'gap', level: 'error', reason, from, to, count: Math.max(1, to - from + 1) };
    }
    case 'restart':
      return { kind: 'restart', level: 'warn', reason: `Reader ended: ${fact.reason}` };
    case 'warning':
      return { kind: 'reader_warning', level: 'warn', reason: fact.reason };
    case 'unreadable':
      return undefined;
  }
}
