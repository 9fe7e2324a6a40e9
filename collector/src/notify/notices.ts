/**
 * The notices in PostgreSQL as messages: which are to be sent or edited, what they tell, and what became of them.
 * Keeps: the triage writes what joins a notice while it is open; this writes what the chat has seen of it.
 */
import type { Sql } from '../commit/database.ts';
import type { NoticeKind } from './notice-desk.ts';
import type { Group } from './write-notice.ts';

export interface NoticeRow {
  readonly id: string;
  readonly chatId: string;
  readonly kind: NoticeKind;
  readonly state: 'open' | 'pending';
  readonly count: number;
  readonly windowMs: number;
  /** Oldest and newest event, Unix milliseconds. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** The alert that joined last. */
  readonly last: { readonly ruleId: string; readonly fields: Readonly<Record<string, string>> };
  /** Absent: the chat has not seen it. */
  readonly messageId: number | undefined;
  /** The count that the chat has seen. */
  readonly toldCount: number;
  /** The list has been sent up to this alert. */
  readonly listedTo: string;
}

/** A storm's message is edited so often at most. */
const EDIT_MS = 10_000;
const NOTICES_MAX = 100;

/** What is to be sent or edited, oldest first: closed notices, and storms that grew. */
export async function readNotices(
  sql: Sql,
  busy: readonly string[],
  nowMs: number,
): Promise<ReadonlyMap<string, NoticeRow[]>> {
  const rows = await sql<
    {
      id: string;
      chat_id: string;
      kind: NoticeKind;
      state: 'open' | 'pending';
      count: number;
      window_ms: number;
      first_ms: number;
      last_ms: number;
      last_rule_id: string;
      last_fields: Record<string, string>;
      message_id: string | null;
      told_count: number;
      listed_to: string;
    }[]
  >`
    select id, chat_id, kind, state, count, window_ms, last_rule_id, last_fields, message_id, told_count, listed_to,
      (extract(epoch from first_at) * 1000)::float8 as first_ms,
      (extract(epoch from last_at) * 1000)::float8 as last_ms
    from notices
    where chat_id <> all(${[...busy]}::text[]) and count > 0 and (
      state = 'pending'
      or (state = 'open' and kind = 'storm' and (
        message_id is null
        or (count > told_count and told_at <= ${new Date(nowMs - EDIT_MS).toISOString()}))))
    order by seq limit ${NOTICES_MAX}`;
  const chats = new Map<string, NoticeRow[]>();
  for (const row of rows) {
    const one: NoticeRow = {
      id: row.id,
      chatId: row.chat_id,
      kind: row.kind,
      state: row.state,
      count: row.count,
      windowMs: row.window_ms,
      firstMs: row.first_ms,
      lastMs: row.last_ms,
      last: { ruleId: row.last_rule_id, fields: row.last_fields },
      messageId: row.message_id === null ? undefined : Number(row.message_id),
      toldCount: row.told_count,
      listedTo: row.listed_to,
    };
    chats.set(row.chat_id, [...(chats.get(row.chat_id) ?? []), one]);
  }
  return chats;
}

/** Who starts what where most often in a notice, the most frequent first. */
export async function readGroups(sql: Sql, noticeId: string, groupsMax: number): Promise<Group[]> {
  return await sql<Group[]>`
    select fields->>'user' as user, fields->>'process' as process, fields->>'host' as host, count(*)::int as count
    from alerts where notice_id = ${noticeId}
    group by 1, 2, 3 order by 4 desc, 1, 2, 3 limit ${groupsMax}`;
}

export interface ListedAlert {
  readonly id: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** The alerts of a notice after one of them, in order. */
export async function readListed(
  sql: Sql,
  noticeId: string,
  after: string,
  rowsMax: number,
): Promise<readonly ListedAlert[]> {
  return await sql<ListedAlert[]>`
    select id::text as id, fields from alerts where notice_id = ${noticeId} and id > ${after}
    order by alerts.id limit ${rowsMax}`;
}

/** The chat has seen so much of it. */
export async function markTold(
  sql: Sql,
  notice: Pick<NoticeRow, 'id' | 'count'>,
  messageId: number,
  nowMs: number,
): Promise<void> {
  await sql`
    update notices set message_id = ${messageId}, told_count = ${notice.count}, attempts = attempts + 1, last_error = null,
      told_at = ${new Date(nowMs).toISOString()}
    where id = ${notice.id}`;
}

/** The chat has the list up to this alert. */
export async function markListed(sql: Sql, id: string, upTo: string): Promise<void> {
  await sql`update notices set listed_to = ${upTo} where id = ${id}`;
}

/** The chat has all of it, or will never have it (`reason`). */
export async function markNoticeDone(sql: Sql, id: string, reason?: string): Promise<void> {
  await sql`
    update notices set state = ${reason === undefined ? 'sent' : 'failed'}, last_error = ${reason ?? null}
    where id = ${id} and state = 'pending'`;
}

/** It was tried and will be tried again. */
export async function markNoticeTried(sql: Sql, id: string, reason: string): Promise<void> {
  await sql`update notices set attempts = attempts + 1, last_error = ${reason} where id = ${id}`;
}
