/**
 * Quiet that people asked for in a chat: of one rule, or of one pair of programs. Table mutes.
 * Keeps: what is muted is counted, and told when the mute is over; what waits to be sent is muted as well.
 */
import type { Sql, TransactionSql } from '../commit/database.ts';
import type { TriageAlert } from './notice-desk.ts';

export interface Mute {
  readonly id: string;
  /** Address of the chat that is to be left alone. */
  readonly chatId: string;
  readonly ruleId: string;
  /** Only this pair; absent = the whole rule. */
  readonly pair: string | undefined;
  /** Unix milliseconds. */
  readonly untilMs: number;
}

/** What started what, as one text: file names in lower case. */
export const pairOf = (fields: Readonly<Record<string, string>>): string =>
  `${fields['parent'] ?? ''} > ${fields['process'] ?? ''}`.toLowerCase();

/** The mute that an alert falls under. */
export const muteOf = (mutes: readonly Mute[], alert: TriageAlert): Mute | undefined =>
  mutes.find(
    ({ chatId, ruleId, pair }) =>
      chatId === alert.chatId &&
      ruleId === alert.ruleId &&
      (pair === undefined || pair === pairOf(alert.fields)),
  );

/** Those in force. */
export async function readMutes(sql: Sql | TransactionSql, nowMs: number): Promise<Mute[]> {
  const rows = await sql<
    { id: string; chat_id: string; rule_id: string; pair: string | null; until_ms: number }[]
  >`
    select id, chat_id, rule_id, pair, (extract(epoch from until) * 1000)::float8 as until_ms
    from mutes where until > ${new Date(nowMs).toISOString()} order by created_at, id`;
  return rows.map((row) => ({
    id: row.id,
    chatId: row.chat_id,
    ruleId: row.rule_id,
    pair: row.pair ?? undefined,
    untilMs: row.until_ms,
  }));
}

/** Begins quiet; a mute of the same thing in the chat is prolonged instead. */
export async function addMute(
  sql: TransactionSql,
  mute: Mute,
  about: { readonly by: string; readonly nowMs: number },
): Promise<void> {
  const { id, chatId, ruleId, pair = null } = mute;
  const now = new Date(about.nowMs).toISOString();
  const until = new Date(mute.untilMs).toISOString();
  const prolonged = await sql`
    update mutes set until = greatest(until, ${until})
    where chat_id = ${chatId} and rule_id = ${ruleId} and pair is not distinct from ${pair} and until > ${now}
    returning id`;
  if (prolonged.length > 0) return;
  await sql`
    insert into mutes (id, chat_id, rule_id, pair, until, created_by)
    values (${id}, ${chatId}, ${ruleId}, ${pair}, ${until}, ${about.by})`;
  await reconsider(sql, mute);
}

/** What passed and is not on its way yet is decided about anew: who mutes in the middle of a flood is to be spared the rest of it. */
async function reconsider(sql: TransactionSql, { chatId, ruleId, pair }: Mute): Promise<void> {
  const rows = await sql<{ id: string; parent: string | null; process: string | null }[]>`
    select id::text as id, fields->>'parent' as parent, fields->>'process' as process from alerts
    where state = 'pending' and triaged_at is not null and sending_at is null
      and chat_id = ${chatId} and rule_id = ${ruleId}`;
  const ids = rows
    .filter(({ parent, process }) => {
      return (
        pair === undefined || pair === pairOf({ parent: parent ?? '', process: process ?? '' })
      );
    })
    .map((row) => row.id);
  if (ids.length === 0) return;
  await sql`
    update alerts set triaged_at = null
    where id = any(${ids}::bigint[]) and state = 'pending' and sending_at is null`;
}

/** Ends the mutes of a rule in a chat, of all rules without one; gives how many. */
export async function endMutes(
  sql: TransactionSql,
  chatId: string,
  ruleId: string | undefined,
  nowMs: number,
): Promise<number> {
  const now = new Date(nowMs).toISOString();
  const ended = await sql`
    update mutes set until = ${now}
    where chat_id = ${chatId} and (${ruleId ?? null}::text is null or rule_id = ${ruleId ?? null}) and until > ${now}`;
  return ended.count;
}
