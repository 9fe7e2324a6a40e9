/**
 * The wire of the fleet: how an agent enrols, and what it says of itself each minute.
 * Keeps: every list and text is bounded, so that a check-in is small whoever sends it; a kind of fact that a newer agent knows is
 * taken by an older collector too.
 */
import { z } from 'zod';
import { namespaceSchema } from './process-start.ts';

export const ENROLL_PATH = '/v1/enroll';
export const CHECK_IN_PATH = '/v1/checkin';
export const ROTATE_KEY_PATH = '/v1/rotate-key';

/** The most that a body of either path has. */
export const FLEET_BODY_BYTES_MAX = 256 * 1024;
/** The most facts of one check-in; what is left comes with the next. */
export const FACTS_PER_CHECK_IN_MAX = 100;

const TEXT_MAX = 500;
const shortText = z.string().max(TEXT_MAX);
/** Text as PostgreSQL can store it: no NUL, no half of a surrogate pair. */
const storable = shortText.transform((text) => text.replaceAll('\0', ' ').toWellFormed());
const name = z
  .string()
  .max(255)
  .transform((text) => text.replaceAll('\0', ' ').toWellFormed());

/**
 * Kinds of health facts. An agent may send others of the same form.
 * By the agent: gap (records of the log are gone), log_recreated, restart (the reader ended and began again), reader_warning,
 * quarantine (lines or input that can never be shipped), torn_line (half a line cut after a crash), spool_full (reading waits for
 * room), disk_refuses (reading waits for the disk), conflict (another agent sent under this one's id), spool_lost, facts_dropped,
 * auditing (of process starts or of their command lines: found off, or on again), audit_policy (4719), log_cleared (1102),
 * log_service (1100 while Windows ran), log_full (1104), log_archived (1105), events_dropped (1101, 1108), clock_set (4616, or times
 * that go back), recount (events that were skipped, read again), process_poll (begins or ends), memory (max_memory was reached),
 * rotation_failed (a new key could not be kept).
 * By the collector: cloned, moved, renamed, clock_skew, foreign_agent, foreign_host, conflict.
 */
export const FACT_KINDS = [
  'gap',
  'log_recreated',
  'restart',
  'reader_warning',
  'quarantine',
  'torn_line',
  'spool_full',
  'disk_refuses',
  'conflict',
  'spool_lost',
  'facts_dropped',
  'auditing',
  'rotation_failed',
  'audit_policy',
  'log_cleared',
  'log_service',
  'log_full',
  'log_archived',
  'events_dropped',
  'clock_set',
  'recount',
  'process_poll',
  'memory',
  'cloned',
  'moved',
  'renamed',
  'clock_skew',
  'foreign_agent',
  'foreign_host',
] as const;

/** `error`: something is lost or a person must act; `warn`: nothing is lost; `info`: good to know. */
export const FACT_LEVELS = ['error', 'warn', 'info'] as const;
export type FactLevel = (typeof FACT_LEVELS)[number];

export const healthFactSchema = z.object({
  /** Made once by the agent, random: the same fact sent again has the same id. */
  id: z.string().regex(/^[\w-]{8,64}$/),
  kind: z.string().regex(/^[a-z][a-z0-9_]{0,39}$/),
  level: z.enum(FACT_LEVELS),
  /** When it happened; the first time, where it stands for several. */
  at: z.iso.datetime(),
  /** The last time, where it stands for several. */
  until: z.iso.datetime().optional(),
  /** How often, or how many things it is about. */
  count: z.int().positive().default(1),
  /** Record ids that it is about, both inclusive. */
  from: z.int().optional(),
  to: z.int().optional(),
  /** One sentence for people; never a secret and nothing of an event. */
  reason: storable.default(''),
});
/** A health fact: something that happened to an agent, with time and range. */
export type HealthFact = z.infer<typeof healthFactSchema>;
/** A health fact as its finder tells it; time and id are added where it is noted. */
export type HealthNote = Pick<HealthFact, 'kind' | 'level' | 'reason'> &
  Partial<Pick<HealthFact, 'count' | 'from' | 'to'>>;

const hostSchema = z.object({
  name,
  /** e.g. `Windows 10.0.19045 x64`. */
  os: name.default(''),
  /**
   * Tells this installation of the operating system from others: a digest of its own id (Windows' MachineGuid, Linux' machine-id).
   * A renamed PC keeps it, another one has another. Empty where there is none.
   */
  machine: z
    .string()
    .regex(/^[0-9a-f]{0,64}$/)
    .default(''),
});

export const enrollRequestSchema = z.object({
  /** The agent's own id: a UUID made at its first start. */
  agent_id: z.uuid().transform((id) => id.toLowerCase()),
  name: name.default(''),
  version: name.default(''),
  host: hostSchema,
});
export type EnrollRequest = z.infer<typeof enrollRequestSchema>;

export const enrollAnswerSchema = z.looseObject({
  agent_id: z.string(),
  /** The agent's own key, `id:secret`; not shown again. */
  api_key: z.string().regex(/^[^\s:]+:[^\s:]+$/),
  tags: z.array(z.string()),
});
export type EnrollAnswer = z.infer<typeof enrollAnswerSchema>;

export const checkInSchema = z.object({
  agent_id: z.uuid().transform((id) => id.toLowerCase()),
  /** Anew at each start of the agent: tells a restart from a second agent under the same id. */
  ephemeral_id: z.uuid().transform((id) => id.toLowerCase()),
  /** Counts the check-ins of one start, from 1; one that is sent again has its number again. */
  sequence: z.int().positive(),
  /** The agent's clock. */
  sent_at: z.iso.datetime(),
  started_at: z.iso.datetime(),
  name: name.default(''),
  namespace: namespaceSchema.default('default'),
  version: name.default(''),
  host: hostSchema,
  /** Where it reads: security-log, forwarded-events, replay, evtx. */
  source: name.default(''),
  spool: z.object({
    /** Bytes of whole lines without a receipt. */
    pending_bytes: z.int().nonnegative(),
    bytes: z.int().nonnegative(),
    segments: z.int().nonnegative(),
    bytes_max: z.int().nonnegative(),
  }),
  /** Age of the oldest event without a receipt; 0 = all have one. */
  lag_ms: z.int().nonnegative(),
  /** What Windows audits, as far as the agent knows. */
  auditing: z
    .object({ process_creation: z.boolean().optional(), command_line: z.boolean().optional() })
    .default({}),
  /** The live log as its reader last saw it; absent for files. A part that is not known is absent too. */
  log: z
    .object({
      /** When it was seen. */
      at: z.iso.datetime(),
      /** false: the account of the agent may not read it. */
      readable: z.boolean().optional(),
      /** process-poll runs in its place: short-lived starts are missed. */
      polling: z.boolean().optional(),
      bytes: z.int().nonnegative().optional(),
      bytes_max: z.int().nonnegative().optional(),
      /** What Windows does when it is full: overwrite, archive, keep. */
      mode: name.optional(),
      full: z.boolean().optional(),
      oldest_at: z.iso.datetime().optional(),
      newest_at: z.iso.datetime().optional(),
      /** Records that were not looked at yet. */
      records_behind: z.int().nonnegative().optional(),
      /** How far the last shipped event lies behind the newest record of the log; 0 = all is shipped. */
      lag_ms: z.int().nonnegative().optional(),
      /** Memory of the reader's process. */
      reader_bytes: z.int().nonnegative().optional(),
    })
    .optional(),
  /** Counters since the start, by name. */
  counters: z
    .record(z.string().max(100), z.number())
    .refine((counters) => Object.keys(counters).length <= 200, 'At most 200 counters')
    .default({}),
  /** Since the last check-in that was answered. */
  facts: z.array(healthFactSchema).max(FACTS_PER_CHECK_IN_MAX).default([]),
});
export type CheckIn = z.infer<typeof checkInSchema>;

/** The answer 200: every fact of the check-in is stored. */
export const checkInAnswerSchema = z.looseObject({
  /** The collector's clock, ISO 8601. */
  server_time: z.string(),
  /** The agent's clock against the collector's when the check-in came; positive = the agent is ahead. */
  clock_skew_ms: z.number(),
  /** What the collector thinks of the agent: healthy or degraded, with the reasons. */
  state: z.string(),
  reasons: z.array(z.string()),
  /** An operator wants this agent to have another key: ask for one at ROTATE_KEY_PATH. */
  rotate_key: z.boolean().optional(),
});
export type CheckInAnswer = z.infer<typeof checkInAnswerSchema>;

/** The answer 200 of ROTATE_KEY_PATH: a new key. The one before is good until the new one was used. */
export const rotateAnswerSchema = z.looseObject({
  agent_id: z.string(),
  /** The new key, `id:secret`; not shown again. Whoever asks anew before it was used gets another one in its place. */
  api_key: z.string().regex(/^[^\s:]+:[^\s:]+$/),
});
export type RotateAnswer = z.infer<typeof rotateAnswerSchema>;
