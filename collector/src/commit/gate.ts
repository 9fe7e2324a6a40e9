/**
 * Lets so many through at once; the others wait, in order, for a while.
 * Keeps: when PostgreSQL hangs, only those that are through hold their chunks; whoever waited too long is sent away.
 */

export interface Gate {
  /** True: through, `leave` must be called. False: waited too long. */
  enter(waitMs: number): Promise<boolean>;
  leave(): void;
}

/** Makes a gate with so many places. */
export function createGate(places: number): Gate {
  let free = places;
  const waiting = new Set<() => void>();
  return {
    async enter(waitMs) {
      if (free > 0) {
        free -= 1;
        return true;
      }
      return await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => {
          waiting.delete(next);
          resolve(false);
        }, waitMs);
        const next = (): void => {
          clearTimeout(timer);
          resolve(true);
        };
        waiting.add(next);
      });
    },
    leave() {
      const [next] = waiting;
      if (next === undefined) {
        free += 1;
        return;
      }
      waiting.delete(next);
      next();
    },
  };
}
