/**
 * Takes the spool folder, gives its segments in the order in which they were written.
 * Keeps: the order is that of the numbers, which only rise: over midnight, over deletions, when the clock goes back and when
 * daylight saving time ends. The day in the name is for people. The last one is active, every other one is sealed.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface Segment {
  /** `launchbeat.YYYYMMDD.N.ndjson`; names the file on the wire too. */
  readonly name: string;
  readonly path: string;
  readonly number: number;
  /** Local day on which it was begun, `YYYYMMDD`. */
  readonly day: string;
  /** Bytes when it was listed. */
  readonly size: number;
  /** Last change, in Unix milliseconds. */
  readonly changedMs: number;
}

const SEGMENT_NAME = /^launchbeat\.(\d{8})\.(\d{1,15})\.ndjson$/;
/** What pino-roll takes for a number of its own: any `.ndjson` file whose name ends with digits. */
const NUMBERED = /(\d{1,15})\.ndjson$/;

/** First part of the name of a segment that is begun on a day. */
export function segmentBase(day: string): string {
  return `launchbeat.${day}`;
}

/** The segments of a folder in order; none if the folder does not exist. Other files are left out. */
export function listSegments(folder: string): Segment[] {
  const segments: Segment[] = [];
  for (const name of namesIn(folder)) {
    const match = SEGMENT_NAME.exec(name);
    if (match === null) continue;
    const path = join(folder, name);
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats?.isFile() !== true) continue;
    segments.push({
      name,
      path,
      number: Number(match[2]),
      day: match[1] ?? '',
      size: stats.size,
      changedMs: stats.mtimeMs,
    });
  }
  return segments.sort((a, b) => a.number - b.number || a.day.localeCompare(b.day));
}

/** The highest number in a folder, whatever the file is called; 0 if there is none. */
export function highestNumber(folder: string): number {
  return Math.max(0, ...namesIn(folder).map((name) => Number(NUMBERED.exec(name)?.[1] ?? 0)));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
