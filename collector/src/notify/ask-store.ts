/**
 * Takes what people ask in the chat, reads the tables, gives texts.
 * Keeps: reads only, for a bounded time; a chat hears of its own alerts; names show themselves as they are.
 */
import { createWriteTime } from '../assess/alert-fields.ts';
import { explainRules } from '../assess/why-not.ts';
import type { Sql } from '../commit/database.ts';
import { countAgents, listAgents } from '../fleet/agent-list.ts';
import type { Asker, Asking } from './answer-update.ts';
import { readInTime, shown } from './ask-about-event.ts';
import { readMutes } from './mutes.ts';

const ROWS_MAX = 10;
const AGENTS_MAX = 30;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const sayIn =
  ({ voice }: Asking) =>
  (en: string, ru: string): string =>
    voice.alerts.language === 'ru' ? ru : en;

/** How it goes: agents, what came, what waits. */
export async function statusText(sql: Sql, asker: Asker, asking: Asking): Promise<string> {
  const say = sayIn(asking);
  const { nowMs, offlineAfterMs } = asking;
  const hourAgo = new Date(nowMs - HOUR_MS).toISOString();
  const row = await readInTime(sql, async (transaction) => {
    const [one] = await transaction<
      {
        events: number;
        launches: number;
        chunks: number;
        pending: number;
        kept: number;
        last: Date | null;
      }[]
    >`
      select
        (select count(*) from events where "timestamp" > ${hourAgo})::int as events,
        (select count(*) from events where "timestamp" > ${hourAgo} and launch)::int as launches,
        (select count(*) from chunks where indexed_at is null)::int as chunks,
        (select count(*) from alerts where state = 'pending')::int as pending,
        (select coalesce(sum(count), 0) from notices where state = 'open' and chat_id = ${asker.chatId})::int as kept,
        (select max(received_at) from chunks) as last`;
    return one;
  });
  const agents = await countAgents(sql, offlineAfterMs, nowMs);
  const mutes = await mutesHere(sql, asker, nowMs);
  const writeTime = createWriteTime(asking.voice.alerts.time_zone);
  const last = row?.last === null || row === undefined ? '–' : writeTime(row.last.getTime());
  return [
    `${say('PCs', 'ПК')}: ${agents.healthy} ${say('well', 'в порядке')}, ${agents.degraded} ${say('degraded', 'с проблемой')}, ${agents.offline} ${say('offline', 'не на связи')}`,
    `${say('Within an hour', 'За час')}: ${row?.events ?? 0} ${say('events', 'событий')}, ${row?.launches ?? 0} ${say('launches', 'запусков')}`,
    `${say('Last chunk', 'Последние данные')}: ${last}`,
    `${say('Waiting for Elasticsearch', 'Ждут Elasticsearch')}: ${row?.chunks ?? 0} ${say('chunks', 'порций')}`,
    `${say('Waiting to be sent', 'Ждут отправки')}: ${row?.pending ?? 0}; ${say('kept back here', 'отложено здесь')}: ${row?.kept ?? 0}`,
    `${say('Muted', 'Выключено')}: ${mutes.map(({ ruleId, pair }) => (pair === undefined ? ruleId : `${ruleId} (${shown(pair)})`)).join(', ') || '–'}`,
  ].join('\n');
}

const mutesHere = async (sql: Sql, asker: Asker, nowMs: number) =>
  (await readMutes(sql, nowMs)).filter(({ chatId }) => chatId === asker.chatId);

/** The last launches, of a person or a PC where one is named. */
export async function lastText(sql: Sql, query: string, asking: Asking): Promise<string> {
  const say = sayIn(asking);
  const name = query.toLowerCase();
  const since = new Date(asking.nowMs - 31 * DAY_MS).toISOString();
  const rows = await readInTime(
    sql,
    async (transaction) =>
      await transaction<{ at: Date; user: string | null; process: string | null; host: string }[]>`
      select "timestamp" as at, username as user, coalesce(program, process_name) as process, host_name as host
      from events
      where "timestamp" > ${since} and launch and (${name} = '' or lower(username) = ${name}
        or lower(coalesce(user_domain, '') || '\\' || username) = ${name}
        or lower(host_name) = ${name} or split_part(lower(host_name), '.', 1) = ${name})
      order by "timestamp" desc limit ${ROWS_MAX}`,
  );
  const writeTime = createWriteTime(asking.voice.alerts.time_zone);
  const lines = rows.map(
    ({ at, user, process, host }) =>
      `${writeTime(at.getTime())} ${shown(user)} ${shown(process)} · ${shown(host)}`,
  );
  const none = say('No launches within 31 days.', 'Запусков за 31 день нет.');
  return lines.length === 0 ? none : lines.join('\n');
}

/** Who started a program within 24 hours. */
export async function whoText(sql: Sql, query: string, asking: Asking): Promise<string> {
  const say = sayIn(asking);
  const name = query.toLowerCase();
  const since = new Date(asking.nowMs - DAY_MS).toISOString();
  const rows = await readInTime(
    sql,
    async (transaction) =>
      await transaction<{ user: string | null; host: string; count: number; last: Date }[]>`
      select username as user, host_name as host, count(*)::int as count, max("timestamp") as last
      from events
      where "timestamp" > ${since} and (lower(process_name) in (${name}, ${`${name}.exe`}) or lower(program) = ${name})
      group by 1, 2 order by 4 desc, 1, 2 limit ${ROWS_MAX}`,
  );
  const writeTime = createWriteTime(asking.voice.alerts.time_zone);
  const head = `${shown(query)}: ${say('within 24 h', 'за 24 ч')}`;
  const lines = rows.map(
    ({ user, host, count, last }) =>
      `• ${shown(user)} · ${shown(host)} × ${count}, ${writeTime(last.getTime())}`,
  );
  return [head, ...(lines.length === 0 ? [say('nobody', 'никто')] : lines)].join('\n');
}

/** The rules that this chat hears, with their alerts of 24 hours. */
export async function rulesText(sql: Sql, asker: Asker, asking: Asking): Promise<string> {
  const { nowMs, voice } = asking;
  const since = new Date(nowMs - DAY_MS).toISOString();
  const counts = await readInTime(
    sql,
    async (transaction) =>
      await transaction<{ rule_id: string; count: number }[]>`
      select rule_id, count(*)::int as count from alerts
      where created_at > ${since} and chat_id = ${asker.chatId} group by 1`,
  );
  const countOf = new Map(counts.map((row) => [row.rule_id, row.count]));
  const muted = new Set(
    (await mutesHere(sql, asker, nowMs))
      .filter(({ pair }) => pair === undefined)
      .map(({ ruleId }) => ruleId),
  );
  const mark = (isOn: boolean, id: string): string => {
    if (muted.has(id)) return '🔇';
    return isOn ? '●' : '○';
  };
  return (
    explainRules(voice.alerts)
      .filter(({ chatIds }) => chatIds.includes(asker.chatId))
      .map(
        ({ rule }) =>
          `${mark(rule.enabled, rule.id)} ${rule.id} (${rule.severity}) ${countOf.get(rule.id) ?? 0}${rule.description === undefined ? '' : ` – ${rule.description}`}`,
      )
      .join('\n') || sayIn(asking)('No rule comes here.', 'Сюда не идёт ни одно правило.')
  );
}

/** Agents that need a person. */
export async function agentsText(sql: Sql, asking: Asking): Promise<string> {
  const say = sayIn(asking);
  const { offlineAfterMs, nowMs, voice } = asking;
  const agents = await listAgents(sql, { offlineAfterMs, nowMs });
  const writeTime = createWriteTime(voice.alerts.time_zone);
  const active = agents.filter(({ state }) => state !== 'revoked');
  const ill = active.filter(({ state }) => state !== 'healthy');
  const lines = ill.slice(0, AGENTS_MAX).map(({ host, name, state, reasons, lastSeenAt }) => {
    const seen = lastSeenAt === null ? '–' : writeTime(lastSeenAt.getTime());
    const why = state === 'offline' ? `${say('last seen', 'был')} ${seen}` : reasons.join('; ');
    return `• ${shown(host === '' ? name : host)} ${say(state, STATES_RU[state])}: ${why}`;
  });
  const rest = ill.length - lines.length;
  return [
    `${say('PCs', 'ПК')}: ${active.length}, ${say('well', 'в порядке')} ${active.length - ill.length}`,
    ...lines,
    ...(rest > 0 ? [`… ${say('and', 'и ещё')} ${rest}`] : []),
  ].join('\n');
}

const STATES_RU = {
  healthy: 'в порядке',
  degraded: 'с проблемой',
  offline: 'не на связи',
  revoked: 'отозван',
} as const;

/** What this chat was told within 24 hours, by rule and fate, and what is kept back now. */
export async function digestText(sql: Sql, asker: Asker, asking: Asking): Promise<string> {
  const say = sayIn(asking);
  const since = new Date(asking.nowMs - DAY_MS).toISOString();
  const rows = await readInTime(
    sql,
    async (transaction) =>
      await transaction<
        { rule_id: string; count: number; told: number; acked: number; top: string | null }[]
      >`
      select rule_id, count(*)::int as count, (count(*) filter (where state = 'sent'))::int as told,
        (count(*) filter (where acked_at is not null))::int as acked,
        mode() within group (order by fields->>'user') as top
      from alerts where created_at > ${since} and chat_id = ${asker.chatId}
      group by 1 order by 2 desc, 1 limit ${ROWS_MAX}`,
  );
  const kept = await sql<{ kind: string; count: number }[]>`
    select kind, sum(count)::int as count from notices
    where state = 'open' and count > 0 and chat_id = ${asker.chatId} group by 1 order by 1`;
  const lines = rows.map(
    ({ rule_id: id, count, told, acked, top }) =>
      `• ${id}: ${count} (${say('by themselves', 'отдельно')} ${told}, ${say('acknowledged', 'принято')} ${acked}; ${say('mostly', 'чаще')} ${shown(top)})`,
  );
  return [
    say('The last 24 h of this chat:', 'Последние 24 ч этого чата:'),
    ...(lines.length === 0 ? [say('nothing', 'ничего')] : lines),
    ...(kept.length === 0
      ? []
      : [
          `${say('Kept back now', 'Сейчас отложено')}: ${kept.map(({ kind, count }) => `${kind} ${count}`).join(', ')}`,
        ]),
  ].join('\n');
}
