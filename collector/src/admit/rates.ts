/**
 * Holds one agent, and all together, to so many bytes a second on average.
 * Keeps: a chunk is paid for when it is known how large it is, so that nobody is refused for what he only announced; whoever is in
 * debt comes again when it is paid off; agents that were not heard of lately cost no memory.
 */
import { createRecentMap } from '../fleet/recent-map.ts';

export interface RateLimits {
  /** Uncompressed bytes a second of one agent; 0 = no bound. */
  readonly per_agent: number;
  /** Of all agents together; 0 = no bound. */
  readonly total: number;
}

export interface Rates {
  /** Seconds after which the agent may come again; 0 = now. */
  waitSeconds(agent: string): number;
  /** The agent sent so many uncompressed bytes. */
  pay(agent: string, bytes: number): void;
}

interface Purse {
  readonly bytes: number;
  readonly atMs: number;
}

/** An agent that was silent may send what comes together in this time at once. */
const SAVED_S = 60;
const WAIT_S_MAX = 60;
const AGENTS_MAX = 50_000;
const EVERYBODY = '';

/** Makes it; the limits are asked each time. `now` is milliseconds of any clock that only rises. */
export function createRates(
  limits: () => RateLimits,
  now: () => number = () => performance.now(),
): Rates {
  const purses = createRecentMap<string, Purse>(AGENTS_MAX);
  // Apart, so that no crowd of agents can push it out.
  let common: Purse | undefined;

  const rateOf = (agent: string): number =>
    agent === EVERYBODY ? limits().total : limits().per_agent;
  const purseOf = (agent: string): Purse => {
    const rate = rateOf(agent);
    const before = agent === EVERYBODY ? common : purses.get(agent);
    const full = rate * SAVED_S;
    if (before === undefined) return { bytes: full, atMs: now() };
    const earned = ((now() - before.atMs) / 1000) * rate;
    return { bytes: Math.min(full, before.bytes + earned), atMs: now() };
  };

  return {
    waitSeconds(agent) {
      const waits = [agent, EVERYBODY].map((who) => {
        const rate = rateOf(who);
        if (rate === 0) return 0;
        const { bytes } = purseOf(who);
        return bytes > 0 ? 0 : Math.floor(-bytes / rate) + 1;
      });
      return Math.min(WAIT_S_MAX, Math.max(...waits));
    },
    pay(agent, bytes) {
      for (const who of [agent, EVERYBODY]) {
        if (rateOf(who) === 0) continue;
        const purse = purseOf(who);
        const left = { ...purse, bytes: purse.bytes - bytes };
        if (who === EVERYBODY) common = left;
        else purses.set(who, left);
      }
    },
  };
}
