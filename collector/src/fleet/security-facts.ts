/**
 * Takes what admit refuses for whose it is, notes it as a health fact of the agent whose key was used.
 * Keeps: an agent that tries again and again is one fact an hour, written at most once a minute; noting never holds a request up.
 */
import type { Log } from '@launchbeat/ecs-schemas/beat';
import type { Sql } from 'postgres';
import { type NewFact, storeFacts } from './facts.ts';
import { createRecentMap } from './recent-map.ts';

export interface SecurityFact {
  /** The agent that the key is bound to. */
  readonly agentId: string;
  readonly kind: 'foreign_agent' | 'foreign_host' | 'conflict';
  readonly reason: string;
}

export interface SecurityFactsOptions {
  readonly sql: Sql;
  readonly log: Log;
  /** Told of each fact that was not known. */
  readonly onFact: (agentId: string, fact: NewFact) => void;
  readonly now?: () => number;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const NOTED_MAX = 10_000;

/** Makes the noter. */
export function createSecurityFacts(options: SecurityFactsOptions): (fact: SecurityFact) => void {
  const { sql, log, onFact, now = Date.now } = options;
  const notedAtMs = createRecentMap<string, number>(NOTED_MAX);

  return ({ agentId, kind, reason }) => {
    const nowMs = now();
    const place = `${agentId} ${kind}`;
    const last = notedAtMs.get(place);
    if (last !== undefined && nowMs - last < MINUTE_MS) return;
    notedAtMs.set(place, nowMs);
    const id = `${kind}-${Math.floor(nowMs / HOUR_MS)}`;
    const receivedAt = new Date(nowMs);
    const fact = {
      id,
      kind,
      level: 'error',
      at: receivedAt.toISOString(),
      count: 1,
      reason,
    } as const;
    storeFacts(sql, agentId, [fact], { foundBy: 'collector', receivedAt }).then(
      (fresh) => {
        for (const one of fresh) onFact(agentId, one);
      },
      (err: unknown) => log.warn({ err, 'agent.id': agentId }, 'Security fact could not be noted.'),
    );
  };
}
