/**
 * The documents of `logs-launchbeat.health-*`: how the agents do. Their zod schema, type and fields.
 * Three kinds: `agent` (the state of one agent at one moment, every few minutes), `fact` (something that happened to an agent, once)
 * and `server` (what waits on the server at that moment).
 * Keeps: a kind of fact that nobody knew when this was written is a value like any other; what a newer agent says of itself is kept
 * in flattened fields, so that no check-in can grow the mapping.
 */
import { z } from 'zod';
import { EVENT_ID_PATTERN } from './event-id.ts';
import type { FieldTable } from './fields.ts';
import { FACT_LEVELS } from './fleet-protocol.ts';
import { DATA_STREAM_TYPE, namespaceSchema } from './process-start.ts';

export const HEALTH_DATASET = 'launchbeat.health';

const long = z.int();
const count = z.int().nonnegative();

/** What waits in PostgreSQL, all collectors together. */
const queueSchema = z.object({
  /** Chunks that Elasticsearch does not have yet. */
  chunks: count,
  /** Compressed bytes of these. */
  bytes: count,
  lines: count,
  /** Messages that Telegram does not have yet. */
  alerts: count,
  /** Documents of this stream and of the alerts' that Elasticsearch does not have yet. */
  reports: count,
  /** Lines that Elasticsearch will never take. */
  dead_letters: count,
});

const factSchema = z.object({
  kind: z.string().min(1),
  level: z.enum(FACT_LEVELS),
  /** How often it happened, or how many things it is about. */
  count: z.int().positive(),
  /** Records of the log that it is about, both inclusive. */
  from: long.optional(),
  to: long.optional(),
  found_by: z.string(),
});

const healthSchema = z.object({
  record: z.enum(['agent', 'fact', 'server']),
  state: z.string().optional(),
  reasons: z.array(z.string()).optional(),
  /** Age of the oldest event without a receipt. */
  lag_ms: count.optional(),
  /** Since the last check-in. */
  silent_ms: count.optional(),
  clock_skew_ms: long.optional(),
  last_seen: z.iso.datetime().optional(),
  started: z.iso.datetime().optional(),
  source: z.string().optional(),
  spool: z
    .object({
      pending_bytes: count,
      bytes: count,
      bytes_max: count,
      segments: count,
      /** Share of `bytes_max` that has no receipt yet. */
      used_percent: count.optional(),
    })
    .optional(),
  auditing: z
    .object({ process_creation: z.boolean().optional(), command_line: z.boolean().optional() })
    .optional(),
  /** Counters of the agent, by name. */
  counters: z.record(z.string(), z.number()).optional(),
  /** What else a newer agent says of itself. */
  more: z.record(z.string(), z.unknown()).optional(),
  fact: factSchema.optional(),
  queue: queueSchema.optional(),
});

/** One document of the stream. */
export const healthRecordSchema = z.strictObject({
  '@timestamp': z.iso.datetime(),
  'ecs.version': z.string(),
  'log.level': z.enum(FACT_LEVELS),
  message: z.string(),
  agent: z
    .object({ id: z.uuid(), name: z.string(), type: z.literal('launchbeat'), version: z.string() })
    .optional(),
  data_stream: z.object({
    type: z.literal(DATA_STREAM_TYPE),
    dataset: z.literal(HEALTH_DATASET),
    namespace: namespaceSchema,
  }),
  event: z.object({
    id: z.string().regex(EVENT_ID_PATTERN),
    kind: z.enum(['event', 'metric']),
    module: z.literal('launchbeat'),
    dataset: z.literal(HEALTH_DATASET),
    action: z.string(),
    category: z.tuple([z.literal('host')]),
    type: z.tuple([z.enum(['info', 'error'])]),
    /** When the collector knew of it. */
    created: z.iso.datetime(),
    /** Of a fact that stands for several: the last time. */
    end: z.iso.datetime().optional(),
    reason: z.string().optional(),
  }),
  host: z
    .object({
      name: z.string(),
      os: z.object({ type: z.literal('windows'), full: z.string().optional() }),
    })
    .optional(),
  related: z.object({ hosts: z.array(z.string()) }).optional(),
  tags: z.array(z.string()).optional(),
  launchbeat: z.object({ health: healthSchema }),
});

/** A record of health, validated. */
export type HealthRecord = z.infer<typeof healthRecordSchema>;

/** Fields that Elasticsearch indexes, with their types in ECS's terms. */
export const HEALTH_FIELDS: FieldTable = {
  '@timestamp': 'date',
  'ecs.version': 'keyword',
  'log.level': 'keyword',
  message: 'match_only_text',
  tags: 'keyword',
  'agent.id': 'keyword',
  'agent.name': 'keyword',
  'agent.type': 'keyword',
  'agent.version': 'keyword',
  'data_stream.type': 'constant_keyword',
  'data_stream.dataset': 'constant_keyword',
  'data_stream.namespace': 'constant_keyword',
  'event.id': 'keyword',
  'event.kind': 'keyword',
  'event.module': 'keyword',
  'event.dataset': 'keyword',
  'event.action': 'keyword',
  'event.category': 'keyword',
  'event.type': 'keyword',
  'event.created': 'date',
  'event.end': 'date',
  'event.reason': 'keyword',
  'host.name': 'keyword',
  'host.os.type': 'keyword',
  'host.os.full': 'keyword',
  'related.hosts': 'keyword',
  'launchbeat.health.record': 'keyword',
  'launchbeat.health.state': 'keyword',
  'launchbeat.health.reasons': 'keyword',
  'launchbeat.health.lag_ms': 'long',
  'launchbeat.health.silent_ms': 'long',
  'launchbeat.health.clock_skew_ms': 'long',
  'launchbeat.health.last_seen': 'date',
  'launchbeat.health.started': 'date',
  'launchbeat.health.source': 'keyword',
  'launchbeat.health.spool.pending_bytes': 'long',
  'launchbeat.health.spool.bytes': 'long',
  'launchbeat.health.spool.bytes_max': 'long',
  'launchbeat.health.spool.segments': 'long',
  'launchbeat.health.spool.used_percent': 'long',
  'launchbeat.health.auditing.process_creation': 'boolean',
  'launchbeat.health.auditing.command_line': 'boolean',
  'launchbeat.health.counters': 'flattened',
  'launchbeat.health.more': 'flattened',
  'launchbeat.health.fact.kind': 'keyword',
  'launchbeat.health.fact.level': 'keyword',
  'launchbeat.health.fact.count': 'long',
  'launchbeat.health.fact.from': 'long',
  'launchbeat.health.fact.to': 'long',
  'launchbeat.health.fact.found_by': 'keyword',
  'launchbeat.health.queue.chunks': 'long',
  'launchbeat.health.queue.bytes': 'long',
  'launchbeat.health.queue.lines': 'long',
  'launchbeat.health.queue.alerts': 'long',
  'launchbeat.health.queue.reports': 'long',
  'launchbeat.health.queue.dead_letters': 'long',
};
