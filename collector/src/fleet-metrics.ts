/**
 * Names what fleet counts, for the metrics.
 */
import type { Fleet } from './fleet/create-fleet.ts';
import type { Watched } from './metrics.ts';

/** The numbers of the fleet. */
export function fleetMetrics(fleet: Pick<Fleet, 'counts'>): readonly Watched[] {
  return [
    {
      ...{ name: 'agents', kind: 'gauge', label: 'state', read: () => fleet.counts().agents },
      help: 'Agents that enrolled or checked in, by state, as of some seconds ago.',
    },
    {
      ...{ name: 'agent_facts_total', kind: 'counter', label: 'kind' },
      read: () => fleet.counts().facts,
      help: 'Health facts that were new, by kind.',
    },
    {
      ...{ name: 'check_ins_total', kind: 'counter', read: () => fleet.counts().checkIns },
      help: 'Check-ins of agents that were stored.',
    },
    {
      ...{ name: 'enrolments_total', kind: 'counter', read: () => fleet.counts().enrolments },
      help: 'Agents that got a key for a token.',
    },
    {
      ...{ name: 'key_rotations_total', kind: 'counter', read: () => fleet.counts().rotations },
      help: 'Keys given in the place of others.',
    },
  ];
}
