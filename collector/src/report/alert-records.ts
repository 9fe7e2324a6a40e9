/**
 * Takes rows of alerts, gives the documents of the stream of alerts: one for each thing that happened to an alert. Pure.
 * Keeps: an alert has an id for each of its fates, which follows from what it is about, so that writing it again changes nothing.
 */
import { type AlertParts, type AlertRecord, writeAlertRecord } from '@launchbeat/ecs-schemas';
import { z } from 'zod';
import { type AlertsConfig, allRules } from '../assess/alerts-config.ts';

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
  return writeAlertRecord({
    ...{ action, at, namespace, host },
    raisedAt: row.created_at,
    startedAt: row.event_timestamp,
    eventId: row.event_id,
    rule: { id: row.rule_id, name: names.rules.get(row.rule_id) ?? row.rule_id },
    chat: { id: row.chat_id, name: names.chats.get(row.chat_id) ?? row.chat_id },
    severity: fields['severity'] || 'medium',
    agent: { id: row.agent_id, name: fields['agent'] || host },
    actor: present({ id: fields['user_id'], name: fields['user'], domain: fields['domain'] }),
    process: processOf(fields),
    program: fields['program'],
    flags: textsOf(fields['flags']),
    mitre: textsOf(fields['mitre']),
    reason: action === 'failed' ? row.last_error : undefined,
    more: moreOf(row, action),
  });
}

/** What is known of it beside what it is about. */
function moreOf(row: AlertRow, action: string): NonNullable<AlertParts['more']> {
  const { fields, message_id: messageId, notice_id: noticeId, attempts = 0 } = row;
  const by = row.acked_by;
  const labels = textsOf(fields['labels']);
  return {
    ...(/^\d{1,15}$/.test(fields['count'] ?? '') ? { count: Number(fields['count']) } : {}),
    ...present({ key: fields['key'] }),
    ...(labels.length === 0 ? {} : { labels }),
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

/** The texts of a list that a message shows. */
const textsOf = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');

/** Without the entries that say nothing. */
function present<Key extends string>(
  entries: Readonly<Record<Key, string | undefined>>,
): { [K in Key]?: string } {
  const said = Object.entries(entries).filter(([, text]) => text !== undefined && text !== '');
  return Object.fromEntries(said) as { [K in Key]?: string };
}
