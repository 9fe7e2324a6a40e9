/**
 * Takes rows of alerts, gives the documents of the stream of alerts: one for each thing that happened to an alert. Pure.
 * Keeps: an alert has an id for each of its fates, which follows from what it is about, so that writing it again changes nothing.
 */
import {
  ALERTS_DATASET,
  type AlertRecord,
  DATA_STREAM_TYPE,
  ECS_VERSION,
  timedId,
} from '@launchbeat/ecs-schemas';
import { z } from 'zod';
import { type AlertsConfig, allRules } from '../assess/alerts-config.ts';
import { SEVERITIES } from '../assess/rule-config.ts';

const when = z
  .string()
  .transform((text) => new Date(text))
  .pipe(z.date());

/** A row of alerts as the outbox holds it. */
const alertRow = z.looseObject({
  rule_id: z.string(),
  event_id: z.string(),
  event_timestamp: when,
  agent_id: z.uuid(),
  chat_id: z.string(),
  fields: z.record(z.string(), z.string()),
  created_at: when,
  attempts: z.number().optional(),
  message_id: z.number().nullish(),
  notice_id: z.string().nullish(),
  last_error: z.string().nullish(),
  acked_by: z.string().nullish(),
});
type AlertRow = z.infer<typeof alertRow>;

/** What rules and chats are called. */
export interface AlertNames {
  readonly rules: ReadonlyMap<string, string>;
  readonly chats: ReadonlyMap<string, string>;
}

/** Names from alerts.yml: the description of a rule, the name of a chat. */
export function alertNames(alerts: AlertsConfig): AlertNames {
  return {
    rules: new Map(allRules(alerts.rules).map(({ id, description }) => [id, description ?? id])),
    chats: new Map(Object.entries(alerts.chats).map(([name, { id }]) => [id, name])),
  };
}

/** Elastic's default risk scores of low, medium, high and critical (Elastic Security, "Create a detection rule"). */
const SCORES: Readonly<Record<string, number>> = Object.fromEntries(
  SEVERITIES.map((severity, index) => [severity, [21, 47, 73, 99][index] ?? 0]),
);

export interface AlertAbout {
  /** `raised`, a fate, or `acknowledged`. */
  readonly action: string;
  readonly at: Date;
  readonly namespace: string;
  readonly names: AlertNames;
}

/** What happened to an alert. Throws a ZodError for what is no row of alerts. */
export function alertRecord(source: unknown, about: AlertAbout): AlertRecord {
  const row = alertRow.parse(source);
  const { action, at, namespace, names } = about;
  const { fields } = row;
  const host = fields['host'] || row.agent_id;
  const user = fields['user'] ? [fields['user']] : [];
  const chat = { id: row.chat_id, name: names.chats.get(row.chat_id) ?? row.chat_id };
  const account = present({
    id: fields['user_id'],
    name: fields['user'],
    domain: fields['domain'],
  });
  return {
    '@timestamp': at.toISOString(),
    'ecs.version': ECS_VERSION,
    message: `${row.rule_id}: ${fields['user'] || '?'} started ${fields['process'] || '?'} on ${host}; ${action} for ${chat.name}`,
    agent: { id: row.agent_id, name: fields['agent'] || host, type: 'launchbeat' },
    data_stream: { type: DATA_STREAM_TYPE, dataset: ALERTS_DATASET, namespace },
    event: eventOf(row, action),
    host: { name: host, os: { type: 'windows' } },
    process: processOf(fields),
    related: { hosts: [host], ...(user.length === 0 ? {} : { user }) },
    rule: { id: row.rule_id, name: names.rules.get(row.rule_id) ?? row.rule_id },
    ...threatOf(fields['mitre']),
    user: account,
    launchbeat: {
      alert: {
        ...alertOf(row, action),
        chat,
        after_ms: at.getTime() - row.event_timestamp.getTime(),
      },
      actor: account,
      ...present({ program: fields['program'] }),
      ...list('flags', fields['flags']),
    },
  };
}

function eventOf(row: AlertRow, action: string): AlertRecord['event'] {
  const { event_id: eventId, rule_id: ruleId, chat_id: chatId, created_at: createdAt } = row;
  const outcome = action === 'sent' ? 'success' : action === 'failed' ? 'failure' : undefined;
  return {
    // The same alert has the same time of its making, whatever happens to it later.
    id: timedId(createdAt.getTime(), ['alert', eventId, ruleId, chatId, action]),
    kind: action === 'raised' ? 'alert' : 'event',
    module: 'launchbeat',
    dataset: ALERTS_DATASET,
    action: `alert-${action}`,
    category: ['process'],
    type: ['info'],
    ...(outcome === undefined ? {} : { outcome }),
    start: row.event_timestamp.toISOString(),
    created: createdAt.toISOString(),
    severity: SCORES[row.fields['severity'] ?? ''] ?? 0,
    ...(action === 'failed' && row.last_error ? { reason: row.last_error } : {}),
  };
}

function alertOf(row: AlertRow, action: string) {
  const { fields, message_id: messageId, notice_id: noticeId, attempts = 0 } = row;
  const by = row.acked_by;
  return {
    fate: action,
    severity: fields['severity'] || 'medium',
    event_id: row.event_id,
    ...(/^\d{1,15}$/.test(fields['count'] ?? '') ? { count: Number(fields['count']) } : {}),
    ...present({ key: fields['key'] }),
    ...list('labels', fields['labels']),
    ...(messageId == null ? {} : { message_id: String(messageId) }),
    ...(noticeId == null ? {} : { notice_id: noticeId }),
    ...(attempts === 0 ? {} : { attempts }),
    ...(action === 'acknowledged' && by != null ? { acknowledged_by: by } : {}),
  };
}

function processOf(fields: AlertRow['fields']): AlertRecord['process'] {
  const parent = present({ name: fields['parent'], executable: fields['parent_executable'] });
  const pid = fields['pid'] ?? '';
  return {
    ...present({
      name: fields['process'],
      executable: fields['executable'],
      command_line: fields['command_line'],
    }),
    ...(/^\d{1,15}$/.test(pid) ? { pid: Number(pid) } : {}),
    ...(Object.keys(parent).length === 0 ? {} : { parent }),
  };
}

/** `T1059.001, TA0002` as ECS divides them: tactics, techniques, sub-techniques. */
function threatOf(text: string | undefined): Pick<AlertRecord, 'threat'> {
  const ids = textsOf(text);
  if (ids.length === 0) return {};
  const tactics = ids.filter((id) => id.startsWith('TA'));
  const techniques = ids.filter((id) => !id.startsWith('TA'));
  const subs = techniques.filter((id) => id.includes('.'));
  const whole = [...new Set(techniques.map((id) => id.split('.')[0] ?? id))];
  return {
    threat: {
      framework: 'MITRE ATT&CK',
      ...(tactics.length === 0 ? {} : { tactic: { id: tactics } }),
      ...(whole.length === 0
        ? {}
        : {
            technique: {
              id: whole,
              ...(subs.length === 0 ? {} : { subtechnique: { id: subs } }),
            },
          }),
    },
  };
}

/** The texts of a list that a message shows. */
const textsOf = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');

function list<Key extends string>(
  key: Key,
  text: string | undefined,
): { [K in Key]?: string[] } | Record<never, never> {
  const texts = textsOf(text);
  return texts.length === 0 ? {} : { [key]: texts };
}

/** Without the entries that say nothing. */
function present<Key extends string>(
  entries: Readonly<Record<Key, string | undefined>>,
): { [K in Key]?: string } {
  const said = Object.entries(entries).filter(([, text]) => text !== undefined && text !== '');
  return Object.fromEntries(said) as { [K in Key]?: string };
}
