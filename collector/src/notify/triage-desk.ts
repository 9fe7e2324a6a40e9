/**
 * Reads the open notices from PostgreSQL onto a table, and writes back what the triage changed.
 * Keeps: called inside one transaction that holds the lock of the triage, so what is read is what is written over.
 */
import type { TransactionSql } from '../commit/database.ts';
import { createDesk, type Desk, MINUTE_MS, type Notice, placeOf } from './notice-desk.ts';

interface NoticeColumns {
  id: string;
  chat_id: string;
  kind: Notice['kind'];
  rule_id: string;
  key: string;
  count: number;
  window_ms: number;
  opened_ms: number;
  due_ms: number;
  minute_ms: number;
  minute_count: number;
  first_ms: number | null;
  last_ms: number | null;
  last_rule_id: string | null;
  last_fields: Record<string, string> | null;
  passed_ms: number | null;
}

/** Windows of suppression that are closed in one go. */
const DUE_MAX = 500;

export interface DeskNeeds {
  readonly nowMs: number;
  /** Keys of suppression that the alerts at hand have. */
  readonly keys: readonly string[];
  /** Chats that have a budget. */
  readonly budgeted: readonly string[];
}

/** What is open: everything of chats, and of suppression what is due or asked for by key. */
export async function readDesk(sql: TransactionSql, needs: DeskNeeds): Promise<Desk> {
  const desk = createDesk();
  const { nowMs, keys, budgeted } = needs;
  const columns = sql`
    id, chat_id, kind, rule_id, key, count, window_ms, ${millis(sql, 'opened_at')} as opened_ms,
    ${millis(sql, 'due_at')} as due_ms, ${millis(sql, 'minute_at')} as minute_ms, minute_count,
    ${millis(sql, 'first_at')} as first_ms, ${millis(sql, 'last_at')} as last_ms, last_rule_id, last_fields,
    ${millis(sql, 'passed_at')} as passed_ms`;
  const rows = await sql<NoticeColumns[]>`
    select ${columns} from notices where state = 'open' and kind <> 'suppressed'
    union all
    (select ${columns} from notices where state = 'open' and kind = 'suppressed' and key = any(${[...keys]}::text[]))
    union all
    (select ${columns} from notices where state = 'open' and kind = 'suppressed'
      and due_at <= ${moment(nowMs)} and key <> all(${[...keys]}::text[]) order by due_at limit ${DUE_MAX})`;
  for (const row of rows) {
    const notice = noticeOf(row);
    desk.open.set(placeOf(notice), notice);
  }
  if (budgeted.length > 0) await readPassed(sql, desk, needs);
  return desk;
}

async function readPassed(sql: TransactionSql, desk: Desk, needs: DeskNeeds): Promise<void> {
  const since = moment(needs.nowMs - MINUTE_MS);
  const chats = [...needs.budgeted];
  const rows = await sql<{ chat_id: string; ms: number }[]>`
    select chat_id, ${millis(sql, 'triaged_at')} as ms from alerts
    where triaged_at > ${since} and notice_id is null and chat_id = any(${chats}::text[])
    union all
    select chat_id, ${millis(sql, 'passed_at')} from notices
    where passed_at > ${since} and chat_id = any(${chats}::text[])
    order by ms`;
  for (const { chat_id: chatId, ms } of rows) {
    desk.passed.set(chatId, [...(desk.passed.get(chatId) ?? []), ms]);
  }
}

function noticeOf(row: NoticeColumns): Notice {
  const { last_rule_id: ruleId, last_fields: fields } = row;
  return {
    id: row.id,
    chatId: row.chat_id,
    kind: row.kind,
    ruleId: row.rule_id,
    key: row.key,
    state: 'open',
    count: row.count,
    windowMs: row.window_ms,
    openedMs: row.opened_ms,
    dueMs: row.due_ms,
    minuteMs: row.minute_ms,
    minuteCount: row.minute_count,
    firstMs: row.first_ms ?? undefined,
    lastMs: row.last_ms ?? undefined,
    last: ruleId === null || fields === null ? undefined : { ruleId, fields },
    passedMs: row.passed_ms ?? undefined,
  };
}

/** Writes back: what was given up goes first and what is closed second, since a place has room for one open notice. */
export async function writeDesk(sql: TransactionSql, desk: Desk): Promise<void> {
  for (const { from, into } of desk.merged) {
    await sql`update alerts set notice_id = ${into.id} where notice_id = ${from.id}`;
  }
  const removed = [...desk.removed].map((one) => one.id);
  if (removed.length > 0) await sql`delete from notices where id = any(${removed}::uuid[])`;
  const kept = [...desk.changed].filter((one) => !desk.removed.has(one));
  await writeNotices(
    sql,
    kept.filter((one) => one.state === 'pending'),
  );
  await writeNotices(
    sql,
    kept.filter((one) => one.state === 'open'),
  );
}

async function writeNotices(sql: TransactionSql, notices: readonly Notice[]): Promise<void> {
  if (notices.length === 0) return;
  const rows = notices.map((one) => ({
    id: one.id,
    chat_id: one.chatId,
    kind: one.kind,
    rule_id: one.ruleId,
    key: one.key,
    state: one.state,
    count: one.count,
    window_ms: one.windowMs,
    opened_at: moment(one.openedMs),
    due_at: moment(one.dueMs),
    minute_at: moment(one.minuteMs),
    minute_count: one.minuteCount,
    first_at: one.firstMs === undefined ? null : moment(one.firstMs),
    last_at: one.lastMs === undefined ? null : moment(one.lastMs),
    last_rule_id: one.last?.ruleId ?? null,
    last_fields: one.last?.fields ?? null,
    passed_at: one.passedMs === undefined ? null : moment(one.passedMs),
  }));
  await sql`
    insert into notices (
      id, chat_id, kind, rule_id, key, state, count, window_ms, opened_at, due_at, minute_at, minute_count,
      first_at, last_at, last_rule_id, last_fields, passed_at)
    select id, chat_id, kind, rule_id, key, state, count, window_ms, opened_at, due_at, minute_at, minute_count,
      first_at, last_at, last_rule_id, last_fields, passed_at
    from jsonb_to_recordset(${sql.json(rows)}) as given (
      id uuid, chat_id text, kind text, rule_id text, key text, state text, count integer, window_ms double precision,
      opened_at timestamptz, due_at timestamptz, minute_at timestamptz, minute_count integer, first_at timestamptz,
      last_at timestamptz, last_rule_id text, last_fields jsonb, passed_at timestamptz)
    on conflict (id) do update set
      state = excluded.state, count = excluded.count, due_at = excluded.due_at, minute_at = excluded.minute_at,
      minute_count = excluded.minute_count, first_at = excluded.first_at, last_at = excluded.last_at,
      last_rule_id = excluded.last_rule_id, last_fields = excluded.last_fields, passed_at = excluded.passed_at`;
}

/** Unix milliseconds of a column. */
export function millis(sql: TransactionSql, column: string) {
  return sql`(extract(epoch from ${sql(column)}) * 1000)::float8`;
}

/** Unix milliseconds as PostgreSQL reads a moment. */
export const moment = (ms: number): string => new Date(ms).toISOString();
