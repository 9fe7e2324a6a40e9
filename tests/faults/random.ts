/**
 * Takes a seed, gives numbers that look random and come out the same again: a fault run can be repeated by its seed.
 */

/** The seed of this run: LAUNCHBEAT_FAULTS_SEED, else a fixed one, so that `make test` does the same each time. */
export const SEED = Number(process.env['LAUNCHBEAT_FAULTS_SEED'] || 20_261_123);

export interface Random {
  /** From 0 up to, but not, 1. */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
}

/** mulberry32; good enough to choose moments. Each scenario adds its own number, so that one can run alone. */
export function createRandom(scenario: number, seed = SEED): Random {
  let state = (seed + scenario * 0x9e3779b9) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return { next, between: (low, high) => low + Math.floor(next() * (high - low + 1)) };
}
