/**
 * What admit gives: a chunk whose sender is known and whose lines were each looked at, or why it was refused.
 */
import type { Encoding, Problem, ProcessStart } from '@launchbeat/ecs-schemas';

/** Bytes of an `event.id` in `lineIds`. */
export const LINE_ID_BYTES = 16;

/** A chunk within both has a place with other small ones and shares a transaction with them. */
export const SMALL_CHUNK = { linesMax: 50, rawBytesMax: 64 * 1024 } as const;

/** A line that may be stored. */
export interface AdmittedLine {
  /** From 1. */
  readonly line: number;
  /** Without its LF; a view into `raw`. */
  readonly bytes: Buffer;
  readonly document: ProcessStart;
}

/** A line that will never be stored; the agent puts it into quarantine. */
export interface RejectedLine {
  /** From 1. */
  readonly line: number;
  /** What is wrong, short, never with the line's content. */
  readonly reason: string;
}

/** A chunk that may be committed. */
export interface Admission {
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
  readonly admitted: readonly AdmittedLine[];
  readonly rejected: readonly RejectedLine[];
  /** Decompressed. */
  readonly raw: Buffer;
}

/** A request that is not taken, with the answer to give. */
export interface Refusal {
  readonly outcome: 'refused';
  readonly problem: Problem;
  readonly retryAfterSeconds?: number;
}

export type AdmitOutcome =
  | {
      readonly outcome: 'done';
      readonly admission: Admission;
      /** Gives the chunk's share of the memory bound back; to be called once, when nothing holds the admission any more. */
      readonly release: () => void;
    }
  | Refusal;
