/**
 * Puts alerts into the outbox, in the transaction of what they come of.
 * Keeps: an alert of the same event, rule and chat is there once.
 */
import type { Alert } from '../assess/assess.ts';
import type { TransactionSql } from './database.ts';
import { storableText } from './storable-text.ts';

/** How many were put into the outbox; one that is there from before is not sent twice. */
export async function insertAlerts(sql: TransactionSql, alerts: readonly Alert[]): Promise<number> {
  if (alerts.length === 0) return 0;
  const inserted = await sql`
    insert into alerts (rule_id, event_id, event_timestamp, agent_id, chat_id, fields)
    select rule_id, event_id, at::timestamptz, agent_id::uuid, chat_id, fields::jsonb
    from unnest(
      ${alerts.map((one) => one.ruleId)}::text[], ${alerts.map((one) => one.eventId)}::text[],
      ${alerts.map((one) => one.eventTimestamp)}::text[], ${alerts.map((one) => one.agentId)}::text[],
      ${alerts.map((one) => one.chatId)}::text[], ${alerts.map((one) => fieldsJson(one))}::text[]
    ) as given (rule_id, event_id, at, agent_id, chat_id, fields)
    on conflict do nothing`;
  return inserted.count;
}

function fieldsJson(alert: Alert): string {
  const fields = Object.entries(alert.fields).map(([name, text]) => [name, storableText(text)]);
  return JSON.stringify(Object.fromEntries(fields));
}
