/**
 * Takes the rows of the outbox that nobody has looked at, decides their fates and writes them down with the notices that tell of them.
 * Keeps: one transaction a batch under a lock, so fates and counts agree whatever dies when; rows of a chat are taken in the order in
 * which they were raised, and the chats take turns: the storm of one keeps no other waiting.
 */
import { randomUUID } from 'node:crypto';
import type { Sql, TransactionSql } from '../commit/database.ts';
import { readMutes } from './mutes.ts';
import type { Fate, TriageAlert } from './notice-desk.ts';
import type { QuietPolicies } from './quiet-policies.ts';
import { decideFate, keyOfAlert, tickNotices } from './triage.ts';
import { millis, moment, readDesk, writeDesk } from './triage-desk.ts';

export interface TriageOutbox {
  /** Looks at the rows that are there, and at the time, for a while. */
  run(nowMs: number, signal: AbortSignal): Promise<Triaged>;
}

export interface Triaged {
  /** How many got which fate. */
  readonly fates: Readonly<Record<Fate, number>>;
  /** There are more rows: what passed is to be sent, then it is to be run again. */
  readonly isMore: boolean;
}

const LOCK = 'launchbeat.triage';
const BATCH_ROWS = 500;
/** After so long what passed is sent before it goes on. */
const TURN_MS = 400;

interface Row extends TriageAlert {
  readonly id: string;
}

/** Makes the triage of the outbox. */
export function createTriageOutbox(sql: Sql, policiesNow: () => QuietPolicies): TriageOutbox {
  /** Policies that are off, and notices from the time when others were on have been let out. */
  let idle: QuietPolicies | undefined;

  /** Decides about the next rows; gives how many there were. */
  async function batch(
    policies: QuietPolicies,
    nowMs: number,
    total: Record<Fate, number>,
  ): Promise<number> {
    return await sql.begin(async (transaction) => {
      await transaction`select pg_advisory_xact_lock(hashtextextended(${LOCK}, 0))`;
      const rows = policies.isOn ? await readRows(transaction) : [];
      const keys = rows.flatMap((row) => keyOfAlert(row, policies) ?? []);
      const { budgeted } = policies;
      const desk = await readDesk(transaction, { nowMs, keys: [...new Set(keys)], budgeted });
      const mutes = await readMutes(transaction, nowMs);
      const round = { desk, policies, nowMs, mutes, newId: randomUUID };
      const fates = rows.map((row) => {
        const { fate, notice } = decideFate(round, row);
        total[fate] += 1;
        return { id: row.id, fate, noticeId: notice?.id ?? null };
      });
      tickNotices(round);
      await writeFates(transaction, fates, nowMs);
      await writeDesk(transaction, desk);
      return rows.length;
    });
  }

  return {
    async run(nowMs, signal) {
      const total = { pending: 0, folded: 0, suppressed: 0, held: 0, stormed: 0, muted: 0 };
      const policies = policiesNow();
      if (!policies.isOn && idle !== policies && !(await hasOpenNotices(sql))) idle = policies;
      if (idle === policies) return { fates: total, isMore: false };
      const endMs = performance.now() + TURN_MS;
      while (!signal.aborted) {
        if ((await batch(policies, nowMs, total)) < BATCH_ROWS) break;
        if (performance.now() >= endMs) return { fates: total, isMore: true };
      }
      return { fates: total, isMore: false };
    },
  };
}

async function hasOpenNotices(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ open: boolean }[]>`
    select exists (select from notices where state = 'open') as open`;
  return row?.open === true;
}

/** The first rows of each chat, then the second ones … as many as a batch has, oldest first. */
async function readRows(sql: TransactionSql): Promise<Row[]> {
  const rows = await sql<
    {
      id: string;
      rule_id: string;
      chat_id: string;
      fields: Record<string, string>;
      event_ms: number;
      created_ms: number;
    }[]
  >`
    with recursive chats (chat_id) as (
      -- Each chat that has rows, without looking at all of them.
      select min(chat_id) from alerts where state = 'pending' and triaged_at is null
      union all
      select (select min(chat_id) from alerts
        where state = 'pending' and triaged_at is null and chat_id > chats.chat_id)
      from chats where chat_id is not null
    ), picked as (
      select id from chats cross join lateral (
        select id, row_number() over (order by id) as place from (
          select id from alerts
          where state = 'pending' and triaged_at is null and chat_id = chats.chat_id
          order by id limit ${BATCH_ROWS}
        ) as oldest
      ) as placed
      order by place, id limit ${BATCH_ROWS}
    )
    select id, rule_id, chat_id, fields, ${millis(sql, 'event_timestamp')} as event_ms,
      floor(${millis(sql, 'created_at')}) as created_ms
    from alerts where id in (select id from picked)
    order by id for update`;
  return rows.map((row) => ({
    id: row.id,
    ruleId: row.rule_id,
    chatId: row.chat_id,
    fields: row.fields,
    eventMs: row.event_ms,
    createdMs: row.created_ms,
  }));
}

interface Decided {
  readonly id: string;
  readonly fate: Fate;
  readonly noticeId: string | null;
}

async function writeFates(
  sql: TransactionSql,
  fates: readonly Decided[],
  nowMs: number,
): Promise<void> {
  if (fates.length === 0) return;
  await sql`
    update alerts set state = fate, notice_id = given.notice::uuid, triaged_at = ${moment(nowMs)}
    from unnest(
      ${fates.map((one) => one.id)}::bigint[], ${fates.map((one) => one.fate)}::text[],
      ${fates.map((one) => one.noticeId)}::text[]
    ) as given (id, fate, notice)
    where alerts.id = given.id`;
}
