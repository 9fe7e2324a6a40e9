/**
 * Looks into the spool of an agent under test: its files, the whole lines in them, what is in quarantine.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The segments of a spool folder. */
export const segments = (spool: string): string[] => globSync(join(spool, 'launchbeat.*.ndjson'));

/** Lines of all segments together. */
export const spoolLines = (spool: string): number =>
  segments(spool)
    .map((file) => readFileSync(file, 'utf8').split('\n').length - 1)
    .reduce((sum, lines) => sum + lines, 0);

/** The segment that was begun last. */
export function newestSegment(spool: string): string {
  const number = (file: string): number => Number(/\.(\d+)\.ndjson$/.exec(file)?.[1]);
  const newest = segments(spool)
    .sort((a, b) => number(a) - number(b))
    .at(-1);
  assert.ok(newest !== undefined, 'the spool has a segment');
  return newest;
}

/** Everything in quarantine, as text. */
export const quarantined = (spool: string): string =>
  globSync(join(spool, 'quarantine', '*'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('');

/** Throws at a line that is none, but for the end that is being written. */
export function assertWholeLines(spool: string): void {
  for (const file of segments(spool)) {
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    for (const line of lines) assert.doesNotThrow(() => JSON.parse(line), `${file}: ${line}`);
  }
}
