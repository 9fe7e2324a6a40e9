/**
 * The rules in force: what looks at documents now, and what takes its place when alerts.yml changes.
 * Keeps: a chunk is looked at by one set of rules; without a bot there are none, since nobody would ever empty the outbox.
 */
import { type Log, pause } from '@launchbeat/ecs-schemas/beat';
import { type AgentRule, compileAgentRules } from './assess/agent-rules.ts';
import type { AlertsConfig } from './assess/alerts-config.ts';
import { createAssess } from './assess/assess.ts';
import { createCandidates, type TrackedRule, trackedRules } from './assess/candidates.ts';
import { NO_TAGS, type TagsOf } from './assess/pc-groups.ts';
import type { Sql } from './commit/database.ts';
import { learnRules } from './commit/learn-rules.ts';
import type { RulesInForce } from './commit/ready-event.ts';

const LEARN_RETRY_MS = 60_000;

export interface LiveRules {
  /** What looks at the documents of a chunk that comes now. */
  inForce(): RulesInForce;
  /** The rules in force that count. */
  tracked(): readonly TrackedRule[];
  /** Those that are about agents. */
  agentRules(): readonly AgentRule[];
  /** From the next chunk on these are in force. */
  use(alerts: AlertsConfig): void;
  /** Learns what rules compare with that look back, as often as it takes and again when the rules change, until aborted. */
  learn(sql: Sql, log: Log, signal: AbortSignal): Promise<void>;
}

/** Puts rules in force. */
export function createLiveRules(
  alerts: AlertsConfig,
  isTelling: boolean,
  tagsOf: TagsOf = NO_TAGS,
): LiveRules {
  const compiled = (config: AlertsConfig) => {
    const told = isTelling ? config : { ...config, chats: {}, rules: [], routes: undefined };
    return {
      assess: createAssess(told, tagsOf),
      findCandidates: createCandidates(told, tagsOf),
      tracked: trackedRules(told),
      agentRules: compileAgentRules(told),
    };
  };
  let current = compiled(alerts);
  let changed = Promise.withResolvers<void>();
  return {
    inForce: () => current,
    tracked: () => current.tracked,
    agentRules: () => current.agentRules,
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
