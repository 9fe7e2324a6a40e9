/**
 * Takes a document, gives all that its transaction needs of it: the row, and what the rules find.
 * Keeps: the chunk is looked at by one set of rules, those in force when its first line is looked at.
 */
import type { Keep } from '../admit/admission.ts';
import type { Alert, Assess } from '../assess/assess.ts';
import type { Candidate, FindCandidates } from '../assess/candidates.ts';
import { type EventRow, eventRow } from './event-rows.ts';

export interface ReadyEvent {
  readonly row: EventRow;
  readonly alerts: readonly Alert[];
  readonly candidates: readonly Candidate[];
}

/** What looks at documents. */
export interface RulesInForce {
  readonly assess: Assess;
  readonly findCandidates: FindCandidates;
}

/** One for all events of which no rule speaks, which are nearly all. */
const NONE: readonly never[] = [];

/** Makes the function that is asked for each chunk anew; it gives the one that takes its documents. */
export function createReady(inForce: () => RulesInForce): () => Keep<ReadyEvent> {
  return () => {
    const { assess, findCandidates } = inForce();
    return (document) => {
      const alerts = assess([document]);
      const candidates = findCandidates([document]);
      return {
        row: eventRow(document),
        alerts: alerts.length === 0 ? NONE : alerts,
        candidates: candidates.length === 0 ? NONE : candidates,
      };
    };
  };
}
