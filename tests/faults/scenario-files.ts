/**
 * Takes numbers of faults, gives the test files that declare a scenario of one of them, so that nothing else has to run.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Paths below `root`, the top of a checkout. */
export function scenarioFiles(root: string, numbers: readonly string[]): string[] {
  const declares = new RegExp(`scenario\\(\\s*(${numbers.join('|')}),`);
  return globSync('tests/faults/*.test.ts', { cwd: root })
    .filter((file) => declares.test(readFileSync(join(root, file), 'utf8')))
    .sort();
}
