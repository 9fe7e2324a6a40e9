/**
 * What capture gives: events as XML, facts that a source found out by itself, and the position to go on from.
 * Keeps: a source stores nothing and acknowledges nothing; who asks for the next batch has made the one before durable.
 */

/** One event as a reader printed it. */
export interface CapturedEvent {
  /** One `<Event>…</Event>` as Windows prints it: pids and logon ids in hex (`0x1f40`), values escaped. */
  readonly xml: string;
  /** When this program read it, in Unix milliseconds. */
  readonly readAtMs: number;
}

/** How far the live log has been read. */
export interface Position {
  /** Record id of the last event that was handed on; -1 = none yet. */
  readonly recordId: number;
  /** Every record up to this one was looked at; it may be far past `recordId` on a log of other events. */
  readonly scannedId: number;
  /** Time of the last event that was handed on, in Unix milliseconds; before the first one, when reading began. */
  readonly timeMs: number;
}

/** What a source found out about itself or its input. The pipeline logs and counts it. */
export type SourceFact =
  /**
   * Events are lost. `cleared_or_rolled`: records `from` to `to` (both inclusive) are gone. `log_recreated`: record ids went
   * back; the log was at `from` when it was last looked at and now begins at `to`.
   */
  | {
      readonly kind: 'gap';
      readonly from: number;
      readonly to: number;
      readonly cause: 'cleared_or_rolled' | 'log_recreated';
    }
  /** The reader ended and is started again after `delayMs`; nothing is lost. */
  | { readonly kind: 'restart'; readonly reason: string; readonly delayMs: number }
  /** Something that an operator should know; nothing is lost by it. */
  | { readonly kind: 'warning'; readonly reason: string }
  /** A piece of input is no event: where it stood, why, and (cut) what it was. The source goes on behind it. */
  | {
      readonly kind: 'unreadable';
      readonly place: string;
      readonly reason: string;
      readonly text: string;
    };

/** What a source gives at a time. */
export interface CaptureBatch {
  readonly events: readonly CapturedEvent[];
  readonly facts: readonly SourceFact[];
  /** What to store once this batch is durable; absent for files, which have no position. */
  readonly position?: Position;
}

/** Where events come from. */
export interface Source {
  readonly name: 'security-log' | 'replay' | 'evtx';
  /**
   * Reads on from a position (undefined = begin anew: the live log at its newest record, files at their start).
   * Resuming the iteration acknowledges the batch before. Files end by themselves; the live log ends on abort.
   */
  batches(from: Position | undefined, signal: AbortSignal): AsyncIterable<CaptureBatch>;
}

/** The longest event that is taken, in UTF-16 units. A command line has at most 32,767; escaping makes five of one `&`. */
export const EVENT_UNITS_MAX = 512 * 1024;

/** How much of an unreadable piece is kept. It ends between words, so that no half of a secret stays unrecognised. */
const TEXT_UNITS_MAX = 8192;
const WORD_UNITS_MAX = 1024;

/** Makes the fact for a piece of input that is no event. */
export function unreadable(place: string, reason: string, text: string): SourceFact {
  const end =
    text.length <= TEXT_UNITS_MAX
      ? text.length
      : Math.max(text.lastIndexOf(' ', TEXT_UNITS_MAX), TEXT_UNITS_MAX - WORD_UNITS_MAX);
  return { kind: 'unreadable', place, reason, text: text.slice(0, end).toWellFormed() };
}
