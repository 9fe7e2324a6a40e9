/**
 * Lets a few chunks at once be opened, looked at and committed; the others wait with their bytes compressed as they came.
 * Keeps: memory follows the places and not the number of agents; whose turn was longest ago is next, so that an agent that sends
 * without end takes no turn from one that sends seldom, and one that was told to come again goes before those that had a turn since;
 * one agent has so many chunks here and no more; what waits too long is sent away.
 */
import { createRecentMap } from '../fleet/recent-map.ts';

/** `late`: waited too long. `often`: this agent has its share here already. */
export type TurnOutcome = 'done' | 'late' | 'often';

export interface Turns {
  /** Waits for a place. After `done`, leave() must be called once. */
  enter(agent: string, waitMs: number): Promise<TurnOutcome>;
  leave(agent: string): void;
  /** Chunks that wait for a place. */
  waiting(): number;
}

export interface TurnLimits {
  /** Chunks at once. */
  readonly places: number;
  /** Chunks of one agent, waiting ones too; asked each time. */
  readonly perAgent: () => number;
}

interface Waiter {
  readonly agent: string;
  /** Number of the turn that the agent had last; 0 = none in memory. */
  readonly lastTurn: number;
  readonly begin: () => void;
}

/** Agents whose last turn is remembered; whoever is forgotten counts as one that had none. */
const AGENTS_MAX = 50_000;

/** Makes the places. */
export function createTurns({ places, perAgent }: TurnLimits): Turns {
  const waiters = new Set<Waiter>();
  const here = new Map<string, number>();
  const lastTurns = createRecentMap<string, number>(AGENTS_MAX);
  let [free, turn] = [places, 0];

  const begin = (agent: string): void => {
    turn += 1;
    lastTurns.set(agent, turn);
  };
  const count = (agent: string, by: 1 | -1): void => {
    const now = (here.get(agent) ?? 0) + by;
    if (now === 0) here.delete(agent);
    else here.set(agent, now);
  };

  return {
    waiting: () => waiters.size,
    async enter(agent, waitMs) {
      if ((here.get(agent) ?? 0) >= perAgent()) return 'often';
      count(agent, 1);
      if (free > 0) {
        free -= 1;
        begin(agent);
        return 'done';
      }
      return await new Promise<TurnOutcome>((resolve) => {
        const waiter: Waiter = {
          ...{ agent, lastTurn: lastTurns.get(agent) ?? 0 },
          begin() {
            clearTimeout(timer);
            begin(agent);
            resolve('done');
          },
        };
        const timer = setTimeout(() => {
          waiters.delete(waiter);
          count(agent, -1);
          resolve('late');
        }, waitMs);
        waiters.add(waiter);
      });
    },
    leave(agent) {
      count(agent, -1);
      const next = longestWithout(waiters);
      if (next === undefined) {
        free += 1;
        return;
      }
      waiters.delete(next);
      next.begin();
    },
  };
}

/** Whose last turn is longest ago; of equals the one that came first. */
function longestWithout(waiters: ReadonlySet<Waiter>): Waiter | undefined {
  let best: Waiter | undefined;
  for (const waiter of waiters) {
    if (best === undefined || waiter.lastTurn < best.lastTurn) best = waiter;
  }
  return best;
}
