/**
 * The document of one process start: its zod schema and type, as the agent writes it and the collector admits it.
 * Field names are ECS's own (and Winlogbeat's under `winlog`); ours stand under `launchbeat`.
 * Keeps: a line that passes has an id that belongs to its time, and nothing that a store could choke on.
 */
import { z } from 'zod';
import { EVENT_ID_PATTERN, eventIdTimeMs } from './event-id.ts';
import { systemTimeMs } from './system-time.ts';

/** The ECS version that the documents follow (the one of Winlogbeat's current golden files). */
export const ECS_VERSION = '8.17.0';

/** Type and dataset of the data stream; the namespace is the operator's. */
export const DATA_STREAM_TYPE = 'logs';
export const DATASET = 'system.security_launchbeat';

/** A data stream namespace: Elastic allows no upper case, no dash, at most 100 bytes. */
export const namespaceSchema = z
  .string()
  .regex(
    /^[a-z0-9_][a-z0-9_.]{0,99}$/,
    'Namespace must be lower-case letters, digits, "_" or ".", at most 100',
  );

/** The name of the data stream of one namespace. */
export function dataStreamName(namespace: string): string {
  return `${DATA_STREAM_TYPE}-${DATASET}-${namespace}`;
}

const systemTime = z
  .string()
  .refine(
    (text) => systemTimeMs(text) !== undefined,
    'Time must be UTC in ISO 8601 with at most 9 fraction digits',
  );
const pid = z.int().nonnegative();

const userPart = {
  id: z.string().optional(),
  name: z.string().optional(),
  domain: z.string().optional(),
};

const image = {
  pid: pid.optional(),
  executable: z.string().optional(),
  name: z.string().optional(),
};

/** Winlogbeat's own fields; `event_data` keeps the values as logged (hex stays hex). */
const winlog = z.looseObject({
  channel: z.string(),
  computer_name: z.string(),
  provider_name: z.string(),
  provider_guid: z.string(),
  record_id: z.string(),
  event_id: z.string(),
  version: z.int().optional(),
  task: z.string().optional(),
  opcode: z.string().optional(),
  keywords: z.array(z.string()).optional(),
  activity_id: z.string().optional(),
  related_activity_id: z.string().optional(),
  logon: z.looseObject({ id: z.string().optional() }).optional(),
  process: z
    .looseObject({
      pid: pid.optional(),
      thread: z.looseObject({ id: z.int().nonnegative().optional() }).optional(),
    })
    .optional(),
  event_data: z.record(z.string(), z.string()).optional(),
});

/** What Launchbeat adds; see docs/event-fields.md. */
const launchbeat = z.looseObject({
  /** Label of the watched program, absent when the program is not watched. */
  program: z.string().optional(),
  /** True: a person's start. False: a helper process, or started by the system. */
  launch: z.boolean(),
  /** Who started it: Target where its name is set and not "-", else Subject. */
  actor: z.looseObject(userPart),
  /** Traits worth a search, e.g. `elevated`, `no_command_line`. */
  flags: z.array(z.string()).optional(),
  /** `parent.exe > child.exe`. */
  pair: z.string().optional(),
  /** Folder of the executable, without the last backslash. */
  executable_dir: z.string().optional(),
  /** UTF-16 units of the command line as logged. */
  command_line_length: z.int().nonnegative().optional(),
  /** Scripts of PowerShell's `-EncodedCommand` and `FromBase64String('…')`, decoded and redacted, cut at 16 KiB. */
  decoded_command: z.string().optional(),
  /** How many secrets were redacted. */
  redacted: z.int().nonnegative().optional(),
  /** Where the event came from when it is not the Security log, e.g. `poll`. */
  source: z.string().optional(),
});

/** One process start as it stands on a line of the spool and on the wire. */
export const processStartSchema = z
  .looseObject({
    '@timestamp': systemTime,
    'log.level': z.string().optional(),
    'ecs.version': z.string().optional(),
    agent: z.looseObject({
      id: z.uuid(),
      name: z.string(),
      type: z.literal('launchbeat'),
      version: z.string(),
      ephemeral_id: z.string().optional(),
    }),
    data_stream: z.looseObject({
      type: z.literal(DATA_STREAM_TYPE),
      dataset: z.literal(DATASET),
      namespace: namespaceSchema,
    }),
    event: z.looseObject({
      id: z.string().regex(EVENT_ID_PATTERN, 'Event id must be 22 characters of base64url'),
      code: z.string(),
      kind: z.literal('event'),
      module: z.literal('security'),
      provider: z.string(),
      action: z.string(),
      category: z.array(z.string()),
      type: z.array(z.string()),
      outcome: z.enum(['success', 'failure', 'unknown']).optional(),
      created: systemTime,
      sequence: z.int().nonnegative().optional(),
    }),
    host: z.looseObject({
      name: z.string(),
      os: z.looseObject({ type: z.literal('windows') }),
    }),
    message: z.string().optional(),
    process: z.looseObject({
      ...image,
      command_line: z.string().optional(),
      args: z.array(z.string()).optional(),
      args_count: z.int().nonnegative().optional(),
      parent: z.looseObject(image).optional(),
    }),
    related: z
      .looseObject({ user: z.array(z.string()).optional(), hosts: z.array(z.string()).optional() })
      .optional(),
    tags: z.array(z.string()).optional(),
    user: z.looseObject({ ...userPart, effective: z.looseObject(userPart).optional() }).optional(),
    winlog,
    launchbeat,
  })
  .refine(
    // zod asks this of documents with a malformed id too: that is told already, and holds no time.
    ({ event, '@timestamp': time }) =>
      !EVENT_ID_PATTERN.test(event.id) || eventIdTimeMs(event.id) === systemTimeMs(time),
    { path: ['event', 'id'], message: 'Event id does not belong to @timestamp' },
  );

/** A process start, validated. Unknown fields are kept: a newer agent may write more than this version knows. */
export type ProcessStart = z.infer<typeof processStartSchema>;
