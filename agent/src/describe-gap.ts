/**
 * Takes a gap of the log, gives what it means in words, and how many records are gone.
 */
import type { SourceFact } from './capture/captured-event.ts';

type Gap = SourceFact & { readonly kind: 'gap' };

/** Records that are gone; at least one. */
export const gapRecords = ({ from, to }: Gap): number => Math.max(1, to - from + 1);

/** One sentence without a full stop. */
export function describeGap(gap: Gap): string {
  const { from, to, cause, starts, log } = gap;
  const about = starts === undefined ? '' : `, about ${starts} process starts`;
  const range = `records ${from} to ${to} were not read (${gapRecords(gap)}${about})`;
  // Whoever clears that log leaves no event in it that says so.
  if (log !== undefined && cause === 'rolled')
    return `${log} log rolled over faster than it was read, or was cleared; ${range}. A larger log keeps more`;
  const name = `${log ?? 'Security'} log`;
  switch (cause) {
    case 'cleared':
      return `Security log was cleared (event 1102, record ${to + 1}) before it was read to its end; ${range}`;
    case 'rolled':
      return `Security log rolled over faster than it was read; ${range}. A larger log keeps more`;
    case 'archived':
      return `Security log was put aside as a file before it was read to its end; ${range}. They are in %SystemRoot%\\System32\\Winevt\\Logs\\Archive-Security-*.evtx: import it with capture.source: evtx`;
    case 'missed':
      return `Process starts that are in the Security log do not come when it is read; ${starts ?? 'some'} among records ${from} to ${to}`;
    case 'log_recreated':
      return `${name} was made anew: it was read up to record ${from} and now begins at ${to}; what came between is lost`;
  }
}
