/**
 * The names of what a live source tells of the log, of auditing and of itself: kinds of health facts, and counters `capture.<name>`.
 * They are part of the wire (FACT_KINDS of ecs-schemas): a released one is never renamed.
 */

export const NOTICE_NAMES = [
  /** 1102: somebody cleared the log. What was not read before is told as a gap. */
  'log_cleared',
  /** 1100: the event log service was stopped while Windows ran. */
  'log_service',
  /** 1104: the log is full and keeps no new events. */
  'log_full',
  /** 1105: the log was full, was put aside as a file and begun anew. */
  'log_archived',
  /** 1101, 1108: Windows dropped events, or failed to write one. */
  'events_dropped',
  /** 4616, or times that go back: the clock of the PC was set. */
  'clock_set',
  /** 4719: the audit policy was changed. */
  'audit_policy',
  /** Auditing of process starts, or of their command lines, was found on or off. */
  'auditing',
  /** process-poll began or ended. */
  'process_poll',
  /** A recount found events in the log that had not been read; they are read again. */
  'recount',
] as const;

export type NoticeName = (typeof NOTICE_NAMES)[number];
