/**
 * What capture gives: events as XML, facts that a source found out by itself, and the position to go on from.
 * Keeps: a source stores nothing and acknowledges nothing; who asks for the next batch has made the one before durable.
 */

import type { FactLevel } from '@launchbeat/ecs-schemas';
import type { LogStanding } from './log-standing.ts';
import type { NoticeName } from './notice-names.ts';

/**
 * One event as a reader printed it.
 * A class, since V8 would put literals of this kind straight into the old space once it has seen a batch of them survive; dead ones
 * there would hold the text that they were cut from until the next full collection (a tenth of the CPU time, half the memory again).
 */
export class CapturedEvent {
  /** One `<Event>…</Event>` as Windows prints it: pids and logon ids in hex (`0x1f40`), values escaped. */
  readonly xml: string;
  /** When this program read it, in Unix milliseconds. */
  readonly readAtMs: number;

  constructor(xml: string, readAtMs: number) {
    this.xml = xml;
    this.readAtMs = readAtMs;
  }
}

/** How many of the records of the log are process starts, as read lately: what a gap probably held. */
export interface ReadShare {
  readonly records?: number | undefined;
  readonly starts?: number | undefined;
}

/** Where Windows puts what other PCs send. */
export const FORWARDED_LOG = 'ForwardedEvents';

/** How far the live log has been read. */
export interface Position extends ReadShare {
  /** Record id of the last event that was handed on; -1 = none yet. */
  readonly recordId: number;
  /** Every record up to this one was looked at; it may be far past `recordId` on a log of other events. */
  readonly scannedId: number;
  /** Time of the last event that was handed on, in Unix milliseconds; before the first one, when reading began. */
  readonly timeMs: number;
  /** The log that the record ids are of; absent = Security. */
  readonly log?: typeof FORWARDED_LOG | undefined;
  /** Processes made before this time, in Unix milliseconds, were looked at by process-poll; absent = it never ran. */
  readonly polledToMs?: number | undefined;
}

/**
 * Why records of the log were never read. `cleared`: somebody cleared the log (event 1102). `rolled`: it was full and began to
 * overwrite its oldest records. `archived`: it was full and Windows put it aside as a file (event 1105). `log_recreated`: record ids
 * went back. `missed`: they are in the log, a recount found them, and reading them again did not give them.
 */
export type GapCause = 'cleared' | 'rolled' | 'archived' | 'log_recreated' | 'missed';

/** What a source found out about itself or its input. The pipeline logs and counts it. */
export type SourceFact =
  /** Events are lost: records `from` to `to` (both inclusive). `log_recreated`: it was read up to `from` and now begins at `to`. */
  | {
      readonly kind: 'gap';
      readonly from: number;
      readonly to: number;
      readonly cause: GapCause;
      /** The log that they are of; absent = Security. */
      readonly log?: typeof FORWARDED_LOG | undefined;
      /** How many process starts were among them, by the share of what was read; absent = not known. */
      readonly starts?: number | undefined;
    }
  /** Something that happened to the log, to auditing or to the reader; `name` is that of the health fact and of the counter. */
  | {
      readonly kind: 'notice';
      readonly name: NoticeName;
      /** `error`: something may be lost or a person must act. */
      readonly level: FactLevel;
      readonly reason: string;
      readonly from?: number | undefined;
      readonly to?: number | undefined;
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
  readonly name: 'security-log' | 'forwarded-events' | 'replay' | 'evtx';
  /** How the live log stands; absent for files. */
  readonly standing?: () => LogStanding;
  /**
   * Reads on from a position (undefined = begin anew: the live log at its newest record, files at their start).
   * Resuming the iteration acknowledges the batch before. Files end by themselves; the live log ends on abort.
   */
  batches(from: Position | undefined, signal: AbortSignal): AsyncIterable<CaptureBatch>;
}

/**
 * The longest event that is taken, in UTF-16 units. A command line has at most 32,767 and escaping makes five of one `&`; the rest is
 * room, since an event that is cut is one that is lost.
 */
export const EVENT_UNITS_MAX = 2 * 1024 * 1024;

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
