/**
 * Takes how many records were looked at and how many of them were process starts, gives an estimate for records that are gone.
 * Keeps: recent records count for more; kept with the position, so that the estimate is there after a restart, when gaps are found.
 */
import type { ReadShare } from './captured-event.ts';

export interface ReadShareCount {
  records(count: number): void;
  start(): void;
  /** How many of so many records were probably process starts; undefined = too little was read to say. */
  startsAmong(records: number): number | undefined;
  /** What to keep. */
  kept(): ReadShare;
}

const RECORDS_MIN = 100;
/** Beyond it both counts are halved. */
const RECORDS_MAX = 200_000;

/** Makes the count, going on from what was kept. */
export function createReadShare(kept: ReadShare | undefined): ReadShareCount {
  let { records = 0, starts = 0 } = kept ?? {};
  return {
    records(count) {
      if (count > 0) records += count;
      if (records <= RECORDS_MAX) return;
      records = Math.round(records / 2);
      starts = Math.round(starts / 2);
    },
    start() {
      starts += 1;
    },
    startsAmong: (lost) =>
      records < RECORDS_MIN ? undefined : Math.round(lost * Math.min(1, starts / records)),
    kept: () => ({ records, starts }),
  };
}
