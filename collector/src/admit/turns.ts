/**
 * Lets a few chunks at once be opened, looked at and committed; the others wait with their bytes compressed as they came.
 * Keeps: memory follows the places and not the number of agents; whose turn was longest ago is next, so that an agent that sends
 * without end takes no turn from one that sends seldom, and one that was told to come again goes before those that had a turn since;
 * one agent has so many chunks here and no more; what waits too long is sent away. Small chunks have places of their own, eight for
 * one: they take little memory, share a transaction in company, and a PC that starts a program now and then does not wait behind
 * backlogs.
 */
import { createRecentMap } from '../fleet/recent-map.ts';

/** What a chunk takes while it is open. */
export type ChunkSize = 'small' | 'large';

/** `late`: waited too long. `often`: this agent has its share here already. */
export type TurnOutcome = 'done' | 'late' | 'often';

export interface Turns {
  /** Waits for a place. After `done`, leave() must be called once. */
  enter(agent: string, waitMs: number, size?: ChunkSize): Promise<TurnOutcome>;
  leave(agent: string, size?: ChunkSize): void;
  /** Chunks that wait for a place. */
  waiting(): number;
}

export interface TurnLimits {
  /** Large chunks at once; of small ones eight times as many beside them. */
  readonly places: number;
  /** Chunks of one agent, waiting ones too; asked each time. */
  readonly perAgent: () => number;
}

interface Waiter {
  readonly agent: string;
  readonly size: ChunkSize;
  /** Number of the turn that the agent had last; 0 = none in memory. */
  readonly lastTurn: number;
  readonly begin: () => void;
}

const SMALL_PER_PLACE = 8;
/** Agents whose last turn is remembered; whoever is forgotten counts as one that had none. */
const AGENTS_MAX = 50_000;

/** Makes the places. */
export function createTurns({ places, perAgent }: TurnLimits): Turns {
  const waiters = new Set<Waiter>();
  const here = new Map<string, number>();
  const lastTurns = createRecentMap<string, number>(AGENTS_MAX);
  const free = { small: places * SMALL_PER_PLACE, large: places };
  let turn = 0;

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
    async enter(agent, waitMs, size = 'large') {
      if ((here.get(agent) ?? 0) >= perAgent()) return 'often';
      count(agent, 1);
      if (free[size] > 0) {
        free[size] -= 1;
        begin(agent);
        return 'done';
      }
      return await new Promise<TurnOutcome>((resolve) => {
        const waiter: Waiter = {
          ...{ agent, size, lastTurn: lastTurns.get(agent) ?? 0 },
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
    leave(agent, size = 'large') {
      count(agent, -1);
      const next = longestWithout(waiters, size);
      if (next === undefined) {
        free[size] += 1;
        return;
      }
      waiters.delete(next);
      next.begin();
    },
  };
}

/** Whose last turn is longest ago; of equals the one that came first. */
function longestWithout(waiters: ReadonlySet<Waiter>, size: ChunkSize): Waiter | undefined {
  let best: Waiter | undefined;
  for (const waiter of waiters) {
    if (waiter.size !== size) continue;
    if (best === undefined || waiter.lastTurn < best.lastTurn) best = waiter;
  }
  return best;
}
