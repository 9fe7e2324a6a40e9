/**
 * Lets so many transactions run at once, and gives small chunks that wait one of them together: a transaction costs more than its
 * event, so a fleet whose PCs start a program now and then would pay for little else.
 * Keeps: nobody waits for company, a group is who waits when there is a place; a group has one chunk of an agent; one that fails is
 * tried chunk by chunk, so nobody's chunk fails by another's; when PostgreSQL hangs, only what is in a transaction is held, whoever
 * waited too long is sent away.
 */

import { SMALL_CHUNK } from '../admit/admission.ts';

/** What a group needs to know of a chunk. */
export interface Groupable {
  readonly agentId: string;
  readonly lines: number;
  /** Decompressed. */
  readonly raw: { readonly length: number };
}

export interface GroupOptions<Item, Result> {
  /** Transactions at once. */
  readonly places: number;
  /** Gives what came of each, in the same order; rejects where nothing came of any. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Whether each may succeed alone where all together failed. */
  readonly mayPassAlone: (error: unknown) => boolean;
}

export interface Groups<Item, Result> {
  /** Resolves when the chunk's transaction begins, with what will come of it; undefined: waited too long. */
  enter(item: Item, waitMs: number): Promise<{ readonly result: Promise<Result> } | undefined>;
}

const GROUP_CHUNKS_MAX = 32;
/** One commits while the other gathers; with more at once they would only be smaller. */
const GROUPS_AT_ONCE = 2;

interface Waiter<Item, Result> {
  readonly item: Item;
  readonly done: PromiseWithResolvers<Result>;
  /** Tells that it begins. */
  readonly begin: () => void;
  /** A large one has a transaction to itself, as has one that failed in company. */
  readonly small: boolean;
}

/** Makes the places. */
export function createGroups<Item extends Groupable, Result>(
  options: GroupOptions<Item, Result>,
): Groups<Item, Result> {
  const { places, run, mayPassAlone } = options;
  type Waiting = Waiter<Item, Result>;
  const waiting = new Set<Waiting>();
  let [running, groups] = [0, 0];

  /** Who goes next; empty: nobody can. */
  function next(): readonly Waiting[] {
    if (running >= places) return [];
    for (const first of waiting) {
      if (!first.small) return [first];
      if (groups < GROUPS_AT_ONCE) return companyOf(first, waiting);
    }
    return [];
  }

  function start(): void {
    for (let group = next(); group.length > 0; group = next()) {
      for (const one of group) waiting.delete(one);
      void runGroup(group);
    }
  }

  async function runGroup(group: readonly Waiting[]): Promise<void> {
    const small = group[0]?.small === true ? 1 : 0;
    running += 1;
    groups += small;
    for (const one of group) one.begin();
    try {
      const results = await run(group.map(({ item }) => item));
      for (const [at, one] of group.entries()) one.done.resolve(results[at] as Result);
    } catch (error) {
      failed(group, error);
    }
    running -= 1;
    groups -= small;
    start();
  }

  function failed(group: readonly Waiting[], error: unknown): void {
    const again = group.length > 1 && mayPassAlone(error);
    for (const one of group) {
      if (again) waiting.add({ ...one, begin: () => undefined, small: false });
      else one.done.reject(error);
    }
  }

  return {
    enter: async (item, waitMs) =>
      await new Promise((resolve) => {
        const done = Promise.withResolvers<Result>();
        // Whoever waits for it may have gone when it comes.
        done.promise.catch(() => undefined);
        const small =
          item.lines <= SMALL_CHUNK.linesMax && item.raw.length <= SMALL_CHUNK.rawBytesMax;
        const timer = setTimeout(() => {
          waiting.delete(waiter);
          resolve(undefined);
        }, waitMs);
        const begin = (): void => {
          clearTimeout(timer);
          resolve({ result: done.promise });
        };
        const waiter = { item, done, begin, small };
        waiting.add(waiter);
        start();
      }),
  };
}

/** The first and other small chunks, in the order in which they came. */
function companyOf<Item extends Groupable, Result>(
  first: Waiter<Item, Result>,
  waiting: ReadonlySet<Waiter<Item, Result>>,
): readonly Waiter<Item, Result>[] {
  const group = [first];
  const agents = new Set([first.item.agentId]);
  for (const one of waiting) {
    if (group.length === GROUP_CHUNKS_MAX) break;
    if (!one.small || agents.has(one.item.agentId)) continue;
    agents.add(one.item.agentId);
    group.push(one);
  }
  return group;
}
