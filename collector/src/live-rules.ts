/**
 * The rules in force: what looks at documents now, and what takes its place when alerts.yml changes.
 * Keeps: a chunk is looked at by one set of rules; without a bot there are none, since nobody would ever empty the outbox.
 */
import { type Log, pause } from '@launchbeat/ecs-schemas/beat';
import type { AlertsConfig } from './assess/alerts-config.ts';
import { type Assess, createAssess } from './assess/assess.ts';
import {
  createCandidates,
  type FindCandidates,
  type TrackedRule,
  trackedRules,
} from './assess/candidates.ts';
import type { Sql } from './commit/database.ts';
import { learnRules } from './commit/track-new-values.ts';

const LEARN_RETRY_MS = 60_000;

export interface LiveRules {
  readonly assess: Assess;
  readonly findCandidates: FindCandidates;
  /** The rules in force that count. */
  tracked(): readonly TrackedRule[];
  /** From the next chunk on these are in force. */
  use(alerts: AlertsConfig): void;
  /** Learns what rules of kind new_value compare with, as often as it takes and again when the rules change, until aborted. */
  learn(sql: Sql, log: Log, signal: AbortSignal): Promise<void>;
}

/** Puts rules in force. */
export function createLiveRules(alerts: AlertsConfig, isTelling: boolean): LiveRules {
  const compiled = (config: AlertsConfig) => {
    const told = isTelling ? config : { ...config, chats: {}, rules: [] };
    return {
      assess: createAssess(told),
      findCandidates: createCandidates(told),
      tracked: trackedRules(told),
    };
  };
  let current = compiled(alerts);
  let changed = Promise.withResolvers<void>();
  return {
    assess: (documents) => current.assess(documents),
    findCandidates: (documents) => current.findCandidates(documents),
    tracked: () => current.tracked,
    use(other) {
      current = compiled(other);
      changed.resolve();
      changed = Promise.withResolvers<void>();
    },
    async learn(sql, log, signal) {
      const end = new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      while (!signal.aborted) {
        const change = changed.promise;
        try {
          await learnRules(sql, current.tracked, { log, nowMs: Date.now(), signal });
          await Promise.race([change, end]);
        } catch (error) {
          log.warn({ err: error }, 'Rules cannot learn from PostgreSQL yet; it is tried again.');
          await pause(LEARN_RETRY_MS, signal);
        }
      }
    },
  };
}
