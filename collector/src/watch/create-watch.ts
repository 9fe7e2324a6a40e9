/**
 * watch: what no event can tell. Looks every few seconds for agents in trouble and for keys that fell silent.
 * Keeps: every collector may look; what is told is written down in the transaction of its alert, so it is told once.
 */
import { type Log, pause } from '@launchbeat/ecs-schemas/beat';
import type { AgentRule } from '../assess/agent-rules.ts';
import type { TrackedRule } from '../assess/candidates.ts';
import type { Sql } from '../commit/database.ts';
import { watchAgents } from './watch-agents.ts';
import { watchSilence } from './watch-silence.ts';

export interface WatchOptions {
  readonly sql: Sql;
  readonly rules: {
    tracked(): readonly TrackedRule[];
    agentRules(): readonly AgentRule[];
  };
  /** `fleet:` of the config. */
  readonly config: { readonly offline_after: number };
  /** There are new rows in the outbox. */
  readonly wake: () => void;
  readonly log: Log;
  /** Unix milliseconds, for tests. */
  readonly now?: () => number;
}

const EVERY_MS = 10_000;

export interface Watch {
  /** One look; gives the number of alerts. Rejects when PostgreSQL cannot be used. */
  look(): Promise<number>;
  /** Looks until aborted. */
  run(signal: AbortSignal): Promise<void>;
}

/** Makes the watch. */
export function createWatch(options: WatchOptions): Watch {
  const { sql, rules, config, log, wake, now = Date.now } = options;
  const offlineAfterMs = config.offline_after;

  async function look(): Promise<number> {
    const nowMs = now();
    const alerts =
      (await watchAgents(sql, { rules: rules.agentRules(), nowMs, offlineAfterMs })) +
      (await watchSilence(sql, rules.tracked(), nowMs));
    if (alerts > 0) wake();
    return alerts;
  }

  return {
    look,
    async run(signal) {
      let isDown = false;
      while (!signal.aborted) {
        try {
          await look();
          isDown = false;
        } catch (err) {
          if (!isDown) log.warn({ err }, 'Agents cannot be looked at; it is tried again.');
          isDown = true;
        }
        await pause(EVERY_MS, signal);
      }
    },
  };
}
