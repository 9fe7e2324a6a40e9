/**
 * The outbox in PostgreSQL: what is to be sent, and what became of it.
 * Keeps: rows of a chat come in the order in which they were raised.
 */
import type { Sql } from '../commit/database.ts';

export interface OutboxRow {
  readonly id: string;
  readonly ruleId: string;
  readonly eventId: string;
  readonly chatId: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly agentId: string;
  /** Time of the event, Unix milliseconds. */
  readonly eventAtMs: number;
  /** How long it must still wait, from an attempt before. */
  readonly waitMs: number;
  /** An attempt was begun whose end nobody wrote down: its collector died. */
  readonly wasSending: boolean;
  /** The triage had let it pass when it was read. */
  readonly isTriaged: boolean;
}

/** So many rows of a chat are read at once. */
const ROWS_OF_CHAT_MAX = 50;

export interface PendingOptions {
  /** Chats that are left out. */
  readonly busy: readonly string[];
  readonly chatsMax: number;
  /** Only rows that the triage has let pass. */
  readonly triaged: boolean;
}

/** The oldest pending rows of some chats. */
export async function readPending(
  sql: Sql,
  { busy, chatsMax, triaged }: PendingOptions,
): Promise<ReadonlyMap<string, OutboxRow[]>> {
  const seen = triaged ? sql`and triaged_at is not null` : sql``;
  const rows = await sql<
    {
      id: string;
      rule_id: string;
      event_id: string;
      chat_id: string;
      agent_id: string;
      event_at_ms: number;
      fields: Record<string, string>;
      wait_ms: number;
      was_sending: boolean;
      is_triaged: boolean;
    }[]
  >`
    select waiting.* from (
      select chat_id from alerts
      where state = 'pending' and chat_id <> all(${[...busy]}::text[]) ${seen}
      group by chat_id order by min(id) limit ${chatsMax}
    ) as chats
    cross join lateral (
      select id, rule_id, event_id, chat_id, agent_id, fields,
        (extract(epoch from event_timestamp) * 1000)::float8 as event_at_ms,
        sending_at is not null as was_sending, triaged_at is not null as is_triaged,
        greatest(extract(epoch from next_attempt_at - now()) * 1000, 0)::float8 as wait_ms
      from alerts
      where state = 'pending' and chat_id = chats.chat_id ${seen}
      order by id limit ${ROWS_OF_CHAT_MAX}
    ) as waiting
    order by waiting.id`;
  const chats = new Map<string, OutboxRow[]>();
  for (const row of rows) {
    const one = {
      id: row.id,
      ruleId: row.rule_id,
      eventId: row.event_id,
      chatId: row.chat_id,
      agentId: row.agent_id,
      eventAtMs: row.event_at_ms,
      fields: row.fields,
      waitMs: row.wait_ms,
      wasSending: row.was_sending,
      isTriaged: row.is_triaged,
    };
    chats.set(row.chat_id, [...(chats.get(row.chat_id) ?? []), one]);
  }
  return chats;
}

/** How many rows wait. */
export async function countPending(sql: Sql): Promise<number> {
  const [row] = await sql<{ pending: number }[]>`
    select count(*)::int as pending from alerts where state = 'pending'`;
  return row?.pending ?? 0;
}

/**
 * An attempt begins. Whoever finds this after a crash knows that the chat may have the message. Gives false where the row has another
 * fate by now, or waits for one: somebody muted it.
 */
export async function markSending(
  sql: Sql,
  { id, wasSending, isTriaged }: Pick<OutboxRow, 'id' | 'wasSending' | 'isTriaged'>,
): Promise<boolean> {
  const rows = await sql`
    update alerts set sending_at = now(), maybe_twice = maybe_twice or ${wasSending}
    where id = ${id} and state = 'pending' and (triaged_at is not null) = ${isTriaged}
    returning id`;
  return rows.length > 0;
}

/** The chat has the message. */
export async function markSent(sql: Sql, id: string, messageId: number): Promise<void> {
  await sql`
    update alerts set state = 'sent', message_id = ${messageId}, sent_at = now(), attempts = attempts + 1,
      last_error = null, sending_at = null
    where id = ${id} and state = 'pending'`;
}

/** The chat will never have it; the chat `elsewhere` gets it instead, where one is given. */
export async function markFailed(
  sql: Sql,
  id: string,
  reason: string,
  elsewhere?: string,
): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction`
      update alerts set state = 'failed', attempts = attempts + 1, last_error = ${reason}, sending_at = null
      where id = ${id} and state = 'pending'`;
    if (elsewhere === undefined) return;
    await transaction`
      insert into alerts (rule_id, event_id, event_timestamp, agent_id, chat_id, fields)
      select rule_id, event_id, event_timestamp, agent_id, ${elsewhere}, fields from alerts where id = ${id}
      on conflict do nothing`;
  });
}

/** It was tried and will be tried again, not before `delayMs`. `isUnknown`: the chat may have it; gives whether that is new. */
export async function markTried(
  sql: Sql,
  id: string,
  tried: { readonly reason: string; readonly delayMs: number; readonly isUnknown: boolean },
): Promise<boolean> {
  const { reason, delayMs, isUnknown } = tried;
  const [row] = await sql<{ is_new: boolean }[]>`
    update alerts set attempts = alerts.attempts + 1, last_error = ${reason}, sending_at = null,
      maybe_twice = alerts.maybe_twice or ${isUnknown},
      next_attempt_at = now() + ${Math.round(delayMs)} * interval '1 ms'
    from (select id, maybe_twice from alerts where id = ${id} for update) as before
    where alerts.id = before.id and alerts.state = 'pending'
    returning ${isUnknown} and not before.maybe_twice as is_new`;
  return row?.is_new === true;
}
