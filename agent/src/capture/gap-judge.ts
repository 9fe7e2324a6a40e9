/**
 * Takes gaps and the first event behind each, gives the gap with its cause: whoever clears the log leaves event 1102 as its first
 * record, a log that Windows puts aside leaves 1105; else it rolled over.
 * Keeps: each gap is told once, before anything that was read behind it.
 */
import type { GapCause, SourceFact } from './captured-event.ts';

export interface GapJudge {
  /** Records `from` to `to` are gone. */
  open(from: number, to: number): void;
  /** The first event behind it, or none that we ask for; gives the gap that was open. */
  settle(recordId?: number, code?: string): readonly SourceFact[];
}

/** Asked for each event: no new list for each. */
const NONE: readonly SourceFact[] = [];
/** 1105 may come behind the records of the service's own start. */
const ARCHIVED_WITHIN = 3;

/** Makes the judge of one reading. */
export function createGapJudge(startsAmong: (records: number) => number | undefined): GapJudge {
  let gap: { readonly from: number; readonly to: number } | undefined;

  function causeOf(to: number, recordId: number, code: string): GapCause {
    if (code === '1102' && recordId === to + 1) return 'cleared';
    return code === '1105' && recordId <= to + ARCHIVED_WITHIN ? 'archived' : 'rolled';
  }

  return {
    open(from, to) {
      gap = { from, to };
    },
    settle(recordId = -1, code = '') {
      if (gap === undefined) return NONE;
      const { from, to } = gap;
      gap = undefined;
      const cause = causeOf(to, recordId, code);
      return [{ kind: 'gap', from, to, cause, starts: startsAmong(to - from + 1) }];
    },
  };
}
