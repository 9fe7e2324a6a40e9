/**
 * Takes a measurement, repeats it, gives the median of each of its figures.
 */

/** Figures of one round by name. */
export type Figures = Readonly<Record<string, number>>;

/** The middle one; of an even count the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, two) => one - two);
  const middle = Math.floor(sorted.length / 2);
  const high = sorted[middle];
  if (high === undefined) throw new RangeError('median() needs at least one value.');
  return sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] ?? high)) / 2;
}

/** The value below which `share` (0 to 1) of the values lie: the nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, two) => one - two);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError('percentile() needs at least one value.');
  return value;
}

/** Measures `rounds` times; gives the median of each figure by itself. */
export async function medianOfRounds<F extends Figures>(
  rounds: number,
  measure: (round: number) => Promise<F>,
): Promise<F> {
  const all: F[] = [];
  for (let round = 0; round < rounds; round += 1) all.push(await measure(round));
  const names = Object.keys(all[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [name, median(all.map((figures) => figures[name] ?? Number.NaN))]),
  ) as F;
}
