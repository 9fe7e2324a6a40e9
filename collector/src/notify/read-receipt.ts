/**
 * Takes a day and the agents that it is about, gives what happened in it: who reported, what was started, and whether everything
 * that came is in both stores.
 * Keeps: reads only. What Elasticsearch has is told by the ledger: a chunk is done when every line has its verdict.
 */
import type { Sql, SqlFragment } from '../commit/database.ts';

export interface Counted {
  readonly name: string;
  readonly count: number;
}

export interface Receipt {
  /** Agents that have a valid key or enrolled. */
  readonly known: number;
  /** Those that sent or checked in. */
  readonly reporting: number;
  readonly events: number;
  readonly launches: number;
  readonly programs: readonly Counted[];
  readonly people: readonly Counted[];
  /** Agents that lost something, and how much. */
  readonly gaps: readonly Counted[];
  /** PCs on which Windows does not audit starts. */
  readonly auditingOff: readonly string[];
  /** Lines of chunks that came. */
  readonly received: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly rejected: number;
  /** Of the stored ones: in Elasticsearch, waiting for it, refused by it. */
  readonly indexed: number;
  readonly waiting: number;
  readonly dead: number;
}

export interface ReceiptAsk {
  /** Unix milliseconds. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Ids of the agents; undefined = all. */
  readonly agentIds: readonly string[] | undefined;
}

const TOP = 5;
const NAMES_MAX = 20;
/** Kinds of facts that mean that something is gone. */
const LOSSES = ['gap', 'log_recreated', 'spool_lost', 'quarantine', 'torn_line'];

/** Reads it. Rejects when PostgreSQL cannot be used. */
export async function readReceipt(sql: Sql, ask: ReceiptAsk): Promise<Receipt> {
  const from = new Date(ask.fromMs).toISOString();
  const to = new Date(ask.toMs).toISOString();
  const mine = (column: string): SqlFragment =>
    ask.agentIds === undefined
      ? sql`true`
      : sql`${sql(column)} = any(${[...ask.agentIds]}::uuid[])`;
  const span = { from, to, mine };
  return {
    ...(await readAgents(sql, span)),
    ...(await readStarts(sql, span)),
    ...(await readStores(sql, span)),
  };
}

interface Span {
  readonly from: string;
  readonly to: string;
  readonly mine: (column: string) => SqlFragment;
}

async function readAgents(sql: Sql, { from, to, mine }: Span) {
  const [row] = await sql<{ known: number; reporting: number }[]>`
    with known as (
      select id from agents where revoked_at is null and ${mine('id')}
      union
      select agent_id from agent_keys where agent_id is not null and revoked_at is null and ${mine('agent_id')}
    ), reporting as (
      select id from agents where last_seen_at >= ${from} and ${mine('id')}
      union
      select agent_id from chunks where received_at >= ${from} and received_at < ${to} and ${mine('agent_id')}
    )
    select (select count(*) from known)::int as known,
      (select count(*) from known where id in (select id from reporting))::int as reporting`;
  const gaps = await sql<Counted[]>`
    select coalesce(nullif(max(host), ''), agent_facts.agent_id::text) as name, sum(count)::float8 as count
    from agent_facts left join agents on agents.id = agent_facts.agent_id
    where received_at >= ${from} and received_at < ${to} and level = 'error' and kind = any(${LOSSES}::text[])
      and ${mine('agent_id')}
    group by agent_facts.agent_id order by 2 desc, 1 limit ${NAMES_MAX}`;
  const off = await sql<{ host: string }[]>`
    select coalesce(nullif(host, ''), name) as host from agents
    where revoked_at is null and check_in->'auditing'->>'process_creation' = 'false' and ${mine('id')}
    order by 1 limit ${NAMES_MAX}`;
  return {
    known: row?.known ?? 0,
    reporting: row?.reporting ?? 0,
    gaps,
    auditingOff: off.map((one) => one.host),
  };
}

async function readStarts(sql: Sql, { from, to, mine }: Span) {
  const [row] = await sql<{ events: number; launches: number }[]>`
    select count(*)::float8 as events, (count(*) filter (where launch))::float8 as launches
    from events where "timestamp" >= ${from} and "timestamp" < ${to} and ${mine('agent_id')}`;
  const programs = await sql<Counted[]>`
    select coalesce(program, process_name, '') as name, count(*)::float8 as count from events
    where "timestamp" >= ${from} and "timestamp" < ${to} and launch and ${mine('agent_id')}
    group by 1 order by 2 desc, 1 limit ${TOP}`;
  const people = await sql<Counted[]>`
    select coalesce(username, '') as name, count(*)::float8 as count from events
    where "timestamp" >= ${from} and "timestamp" < ${to} and launch and ${mine('agent_id')}
    group by 1 order by 2 desc, 1 limit ${TOP}`;
  return { events: row?.events ?? 0, launches: row?.launches ?? 0, programs, people };
}

async function readStores(sql: Sql, { from, to, mine }: Span) {
  const [row] = await sql<
    {
      received: number;
      accepted: number;
      duplicates: number;
      rejected: number;
      waiting: number;
      dead: number;
      first: string | null;
      last: string | null;
    }[]
  >`
    with came as (
      select id, lines, indexed_at, coalesce((receipt->>'accepted')::int, 0) as accepted,
        coalesce((receipt->>'duplicates')::int, 0) as duplicates,
        coalesce(jsonb_array_length(receipt->'rejected'), 0) as rejected
      from chunks where received_at >= ${from} and received_at < ${to} and ${mine('agent_id')}
    )
    select coalesce(sum(lines), 0)::float8 as received, coalesce(sum(accepted), 0)::float8 as accepted,
      coalesce(sum(duplicates), 0)::float8 as duplicates, coalesce(sum(rejected), 0)::float8 as rejected,
      coalesce(sum(accepted) filter (where indexed_at is null), 0)::float8 as waiting,
      (select count(*) from dead_letters where chunk_id in (select id from came))::float8 as dead,
      min(id)::text as first, max(id)::text as last
    from came`;
  if (row === undefined) throw new Error('A sum without a row.');
  const { first, last, accepted, ...sums } = row;
  const stored = first === null || last === null ? 0 : await countStored(sql, first, last, mine);
  return { ...sums, stored, indexed: Math.max(accepted - sums.waiting - sums.dead, 0) };
}

/** Rows of the chunks of a day; ids of chunks rise with time. */
async function countStored(
  sql: Sql,
  first: string,
  last: string,
  mine: Span['mine'],
): Promise<number> {
  const [row] = await sql<{ stored: number }[]>`
    select count(*)::float8 as stored from events
    where chunk_id between ${first} and ${last} and ${mine('agent_id')}`;
  return row?.stored ?? 0;
}
