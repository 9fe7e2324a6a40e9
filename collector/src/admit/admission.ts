/**
 * What admit gives: a chunk whose sender is known and whose lines were each looked at, or why it was refused.
 */
import type { Encoding, Problem, ProcessStart } from '@launchbeat/ecs-schemas';

/**
 * Takes the document of a line, gives what the stages behind admit need of it. The document goes when its line was looked at: a
 * thousand of them that wait for PostgreSQL would cost the garbage collector more than the rest of admit.
 */
export type Keep<Kept> = (document: ProcessStart) => Kept;

/** Bytes of an `event.id` in `lineIds`. */
export const LINE_ID_BYTES = 16;

/** Stands in `lineIds` for a line that has none. Not to be written to. */
export const NO_LINE_ID: Buffer = Buffer.alloc(LINE_ID_BYTES);

/** A chunk within both has a place with other small ones and shares a transaction with them. */
export const SMALL_CHUNK = { linesMax: 50, rawBytesMax: 64 * 1024 } as const;

/** A line that may be stored. */
export interface AdmittedLine<Kept> {
  /** From 1. */
  readonly line: number;
  /** `event.id`. */
  readonly eventId: string;
  readonly kept: Kept;
}

/** A line that will never be stored; the agent puts it into quarantine. */
export interface RejectedLine {
  /** From 1. */
  readonly line: number;
  /** What is wrong, short, never with the line's content. */
  readonly reason: string;
}

/** A chunk that may be committed. */
export interface Admission<Kept> {
  /** Lower-case UUID; the key's agent, never the body's word alone. */
  readonly agentId: string;
  readonly keyId: string;
  readonly idempotencyKey: string;
  /** SHA-256 of `body`. */
  readonly digest: Buffer;
  readonly encoding: Encoding;
  /** Compressed, as it came. */
  readonly body: Buffer;
  /** Whole lines in `raw`, rejected ones too. */
  readonly lines: number;
  /** 16 bytes a line: its `event.id`; zeros for a rejected line. */
  readonly lineIds: Buffer;
  /** Data stream namespace of every admitted line. */
  readonly namespace: string;
  /** At least one. An event may stand in it twice. */
  readonly admitted: readonly AdmittedLine<Kept>[];
  readonly rejected: readonly RejectedLine[];
  /** Decompressed. */
  readonly raw: Buffer;
  /** `event.created` of the last admitted line, Unix milliseconds. */
  readonly lastCreatedMs: number;
}

/** A request that is not taken, with the answer to give. */
export interface Refusal {
  readonly outcome: 'refused';
  readonly problem: Problem;
  readonly retryAfterSeconds?: number;
}

const BUSY_RETRY_S = 2;

/** The refusal of a problem; of one that passes by itself with the time to wait. */
export function refuse(what: Problem): Refusal {
  return {
    outcome: 'refused',
    problem: what,
    ...(what.status === 503 ? { retryAfterSeconds: BUSY_RETRY_S } : {}),
  };
}

export type AdmitOutcome<Kept> =
  | {
      readonly outcome: 'done';
      readonly admission: Admission<Kept>;
      /** Gives the chunk's share of the memory bound back; to be called once, when nothing holds the admission any more. */
      readonly release: () => void;
    }
  | Refusal;
