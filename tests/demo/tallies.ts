/**
 * Counts of every stage, asked of the stage itself: the agent's log, `select count(*)`, `_count`, the chat.
 */
import { dataStreamName } from '@launchbeat/ecs-schemas';
import postgres from 'postgres';
import type { Installation } from '../support/launchbeat.ts';
import type { Stores } from './start-stores.ts';

export interface Tally {
  readonly read: number;
  readonly leftOut: number;
  readonly leftOutBy: Readonly<Record<string, number>>;
  readonly shipped: number;
  readonly rows: number;
  /** Absent: there is no Elasticsearch. */
  readonly documents: number | undefined;
  readonly alerts: number;
  readonly sent: number;
  /** Messages that the stand-in has accepted; absent with the real Telegram. */
  readonly inChat: number | undefined;
}

export interface Tallies {
  read(): Promise<Tally>;
  /** Texts of the messages sent since the last call. */
  newMessages(): Promise<string[]>;
  /** Milliseconds from event to chat, sorted. */
  latenciesMs(): Promise<number[]>;
  close(): Promise<void>;
}

const LEFT_OUT = 'map.left_out.';

interface SentRow {
  readonly id: string;
  readonly fields: { readonly time: string; readonly user: string; readonly process: string };
}

/** Opens the counting. */
export async function openTallies(options: {
  readonly installation: Installation;
  readonly stores: Stores;
}): Promise<Tallies> {
  const { installation, stores } = options;
  const sql = postgres(stores.postgresUrl, { max: 1, onnotice: () => undefined });
  const shown = new Set<string>();
  let shownInChat = 0;

  return {
    async read() {
      const counters = installation.agentCounters();
      const leftOutBy = Object.fromEntries(
        Object.entries(counters)
          .filter(([name]) => name.startsWith(LEFT_OUT))
          .map(([name, value]) => [name.slice(LEFT_OUT.length), value]),
      );
      const [row] = await sql<{ rows: number; alerts: number; sent: number }[]>`
        select (select count(*)::int from events) as rows,
               (select count(*)::int from alerts) as alerts,
               (select count(*)::int from alerts where state = 'sent') as sent`;
      return {
        read: counters['capture.read'] ?? 0,
        leftOut: Object.values(leftOutBy).reduce((sum, value) => sum + value, 0),
        leftOutBy,
        shipped: counters['upload.lines'] ?? 0,
        rows: row?.rows ?? 0,
        alerts: row?.alerts ?? 0,
        sent: row?.sent ?? 0,
        documents: await countDocuments(stores),
        inChat: stores.telegram.standIn?.messages().length,
      };
    },
    async newMessages() {
      const { standIn } = stores.telegram;
      if (standIn !== undefined) {
        const all = standIn.messages();
        const fresh = all.slice(shownInChat).map((message) => message.text);
        shownInChat = all.length;
        return fresh;
      }
      const rows = await sql<SentRow[]>`
        select id::text as id, fields from alerts where state = 'sent' order by sent_at, id`;
      const fresh = rows.filter((row) => !shown.has(row.id));
      for (const row of fresh) shown.add(row.id);
      return fresh.map(
        ({ fields }) => `${fields.time} Пользователь ${fields.user} запустил ${fields.process}`,
      );
    },
    async latenciesMs() {
      const rows = await sql<{ ms: number }[]>`
        select (extract(epoch from sent_at - event_timestamp) * 1000)::float8 as ms
        from alerts where state = 'sent' order by ms`;
      return rows.map((row) => row.ms);
    },
    close: () => sql.end(),
  };
}

async function countDocuments(stores: Stores): Promise<number | undefined> {
  if (stores.elasticsearchUrl === undefined) return undefined;
  const stream = `${stores.elasticsearchUrl}/${dataStreamName(stores.namespace)}`;
  await fetch(`${stream}/_refresh`, { method: 'POST' });
  const answer = await fetch(`${stream}/_count`);
  if (!answer.ok) return 0;
  return ((await answer.json()) as { count: number }).count;
}
