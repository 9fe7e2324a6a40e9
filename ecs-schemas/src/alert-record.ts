/**
 * The documents of `logs-launchbeat.alerts-*`: what fired and what became of it. Their zod schema, type and fields.
 * One document for each thing that happened to an alert: it was raised, then sent, suppressed, folded, held, stormed or refused by the
 * chat, and perhaps acknowledged. Nothing is ever changed in place: a data stream is for appending, and a count of documents with one
 * action is a count of alerts.
 */
import { z } from 'zod';
import { EVENT_ID_PATTERN } from './event-id.ts';
import type { FieldTable } from './fields.ts';
import { DATA_STREAM_TYPE, namespaceSchema } from './process-start.ts';

export const ALERTS_DATASET = 'launchbeat.alerts';

const texts = z.array(z.string().min(1));
const account = z.object({
  id: z.string().optional(),
  name: z.string().optional(),
  domain: z.string().optional(),
});
const image = {
  name: z.string().optional(),
  executable: z.string().optional(),
};

const alertSchema = z.object({
  /**
   * What happened: `raised`; its fate `sent`, `suppressed` (the same was told shortly before), `folded` (too old when it came), `held`
   * (quiet hours, a digest), `stormed` (past the chat's budget), `muted` (somebody asked for quiet), `failed` (the chat refused it); `acknowledged`.
   */
  fate: z.string().min(1),
  severity: z.string(),
  chat: z.object({ id: z.string(), name: z.string() }),
  /** `event.id` of the process start. */
  event_id: z.string(),
  /** From the process start until this happened. */
  after_ms: z.int(),
  /** Of rules that count: how many events or values made it, and what they have in common. */
  count: z.int().optional(),
  key: z.string().optional(),
  labels: texts.optional(),
  /** Message in the chat. */
  message_id: z.string().optional(),
  /** Message that tells of several alerts, this one among them. */
  notice_id: z.string().optional(),
  attempts: z.int().optional(),
  acknowledged_by: z.string().optional(),
});

/** One document of the stream. */
export const alertRecordSchema = z.strictObject({
  '@timestamp': z.iso.datetime(),
  'ecs.version': z.string(),
  message: z.string(),
  agent: z.object({ id: z.uuid(), name: z.string(), type: z.literal('launchbeat') }),
  data_stream: z.object({
    type: z.literal(DATA_STREAM_TYPE),
    dataset: z.literal(ALERTS_DATASET),
    namespace: namespaceSchema,
  }),
  event: z.object({
    id: z.string().regex(EVENT_ID_PATTERN),
    /** `alert` once for each alert, when it is raised. */
    kind: z.enum(['alert', 'event']),
    module: z.literal('launchbeat'),
    dataset: z.literal(ALERTS_DATASET),
    action: z.string().startsWith('alert-'),
    category: z.tuple([z.literal('process')]),
    type: z.tuple([z.literal('info')]),
    outcome: z.enum(['success', 'failure']).optional(),
    /** When the process started. */
    start: z.iso.datetime(),
    /** When the alert was raised. */
    created: z.iso.datetime(),
    /** 21, 47, 73 or 99: Elastic's scores of low, medium, high and critical. */
    severity: z.int(),
    reason: z.string().optional(),
  }),
  host: z.object({ name: z.string(), os: z.object({ type: z.literal('windows') }) }),
  process: z.object({
    ...image,
    pid: z.int().optional(),
    command_line: z.string().optional(),
    parent: z.object(image).optional(),
  }),
  related: z.object({ user: texts.optional(), hosts: texts }),
  rule: z.object({ id: z.string(), name: z.string() }),
  threat: z
    .object({
      framework: z.literal('MITRE ATT&CK'),
      tactic: z.object({ id: texts }).optional(),
      technique: z
        .object({ id: texts, subtechnique: z.object({ id: texts }).optional() })
        .optional(),
    })
    .optional(),
  user: account,
  launchbeat: z.object({
    alert: alertSchema,
    actor: account,
    program: z.string().optional(),
    flags: texts.optional(),
  }),
});

/** A record of an alert, validated. */
export type AlertRecord = z.infer<typeof alertRecordSchema>;

/** Fields that Elasticsearch indexes, with their types in ECS's terms. What names people, PCs and programs is named as in a process start. */
export const ALERT_FIELDS_INDEXED: FieldTable = {
  '@timestamp': 'date',
  'ecs.version': 'keyword',
  message: 'match_only_text',
  'agent.id': 'keyword',
  'agent.name': 'keyword',
  'agent.type': 'keyword',
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
  'event.outcome': 'keyword',
  'event.start': 'date',
  'event.created': 'date',
  'event.severity': 'long',
  'event.reason': 'keyword',
  'host.name': 'keyword',
  'host.os.type': 'keyword',
  'process.pid': 'long',
  'process.executable': 'keyword',
  'process.name': 'keyword',
  'process.command_line': 'wildcard+text',
  'process.parent.executable': 'keyword',
  'process.parent.name': 'keyword',
  'related.user': 'keyword',
  'related.hosts': 'keyword',
  'rule.id': 'keyword',
  'rule.name': 'keyword',
  'threat.framework': 'keyword',
  'threat.tactic.id': 'keyword',
  'threat.technique.id': 'keyword',
  'threat.technique.subtechnique.id': 'keyword',
  'user.id': 'keyword',
  'user.name': 'keyword',
  'user.domain': 'keyword',
  'launchbeat.program': 'keyword',
  'launchbeat.actor.id': 'keyword',
  'launchbeat.actor.name': 'keyword',
  'launchbeat.actor.domain': 'keyword',
  'launchbeat.flags': 'keyword',
  'launchbeat.alert.fate': 'keyword',
  'launchbeat.alert.severity': 'keyword',
  'launchbeat.alert.chat.id': 'keyword',
  'launchbeat.alert.chat.name': 'keyword',
  'launchbeat.alert.event_id': 'keyword',
  'launchbeat.alert.after_ms': 'long',
  'launchbeat.alert.count': 'long',
  'launchbeat.alert.key': 'keyword',
  'launchbeat.alert.labels': 'keyword',
  'launchbeat.alert.message_id': 'keyword',
  'launchbeat.alert.notice_id': 'keyword',
  'launchbeat.alert.attempts': 'long',
  'launchbeat.alert.acknowledged_by': 'keyword',
};
