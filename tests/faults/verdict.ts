/**
 * The oracle's verdict: holds what was given against what both stores and the chat have. Knows events by their marks alone.
 */
import postgres from 'postgres';
import { search } from '../support/store-counts.ts';
import type { TelegramStandIn } from '../support/telegram.ts';
import type { Given } from './given-events.ts';

export interface Verdict {
  readonly given: number;
  /** Given events that a store does not have. */
  readonly lost: readonly string[];
  /** Events that a store has more than once, or that nobody gave. */
  readonly doubled: readonly string[];
  /** Events whose command line came out changed. */
  readonly changed: readonly string[];
  /** Alerts that the chat did not get. */
  readonly silent: number;
  /** Messages over one per alert. */
  readonly repeated: number;
}

export interface Stores {
  readonly postgresUrl: string;
  /** Absent: the index is off. */
  readonly elasticsearchUrl: string | undefined;
  readonly namespace: string;
  readonly telegram: TelegramStandIn;
}

/** What of the stores is looked at; default all. */
export interface Window {
  /** Unix milliseconds of the events. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Messages that the chat had before. */
  readonly messagesBefore: number;
}

const ALL: Window = { fromMs: 0, toMs: Date.UTC(9999), messagesBefore: 0 };

/** Looks now; the caller waits until nothing is missing any more or gives up. */
export async function judge(
  given: readonly Given[],
  stores: Stores,
  window = ALL,
): Promise<Verdict> {
  const kept = [await rowsOf(stores.postgresUrl, window)];
  if (stores.elasticsearchUrl !== undefined) {
    kept.push(await documentsOf(stores.elasticsearchUrl, stores.namespace, window));
  }
  const found = kept.map((commandLines) => compare(given, commandLines));
  // What a fault may lose cannot be told either.
  const lost = new Set(found.flatMap((one) => one.lost));
  const alerts = given.filter((one) => one.alert && !lost.has(one.mark)).map(timeInMessage);
  const messages = stores.telegram.messages().slice(window.messagesBefore);
  const heard = new Set(messages.map(({ text }) => TIME.exec(text ?? '')?.[0]));
  return {
    given: given.length,
    lost: [...lost],
    doubled: [...new Set(found.flatMap((one) => one.doubled))],
    changed: found.flatMap((one) => one.changed),
    silent: alerts.filter((time) => !heard.has(time)).length,
    repeated: messages.length - heard.size,
  };
}

const TIME = /\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d/;

/** An event's time as its message has it: no two of them are of one second. The site's messages are in UTC. */
function timeInMessage({ xml }: Given): string {
  const [, year, month, day, time] =
    /SystemTime='(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d:\d\d)/.exec(xml) ?? [];
  return `${day}.${month}.${year} ${time}`;
}

/** How many rows there are. */
export async function countRows(url: string): Promise<number> {
  const [row] = await inPostgres(
    url,
    (sql) => sql<{ rows: number }[]>`select count(*)::int as rows from events`,
  );
  return row?.rows ?? 0;
}

async function rowsOf(url: string, { fromMs, toMs }: Window): Promise<string[]> {
  const rows = await inPostgres(
    url,
    (sql) => sql<{ command_line: string }[]>`
      select command_line from events
      where "timestamp" >= ${new Date(fromMs)} and "timestamp" < ${new Date(toMs)}`,
  );
  return rows.map((row) => row.command_line);
}

async function inPostgres<T>(url: string, ask: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    return await ask(sql);
  } finally {
    await sql.end();
  }
}

async function documentsOf(
  url: string,
  namespace: string,
  { fromMs, toMs }: Window,
): Promise<string[]> {
  const hits = await search(url, namespace, {
    size: 10_000,
    _source: ['process.command_line'],
    query: {
      range: { '@timestamp': { gte: fromMs, lt: toMs, format: 'epoch_millis' } },
    },
  });
  return hits.map(
    ({ _source }) => (_source as { process: { command_line: string } }).process.command_line,
  );
}

function compare(
  given: readonly Given[],
  commandLines: readonly string[],
): Pick<Verdict, 'lost' | 'doubled' | 'changed'> {
  const byMark = new Map<string, string[]>();
  for (const text of commandLines) {
    const mark = /--given=([mc]\w{5})/.exec(text)?.[1] ?? '?';
    byMark.set(mark, [...(byMark.get(mark) ?? []), text]);
  }
  const marks = new Set(given.map((one) => one.mark));
  return {
    lost: given.filter((one) => !byMark.has(one.mark)).map((one) => one.mark),
    doubled: [...byMark]
      .filter(([mark, texts]) => texts.length > 1 || !marks.has(mark))
      .map(([mark]) => mark),
    changed: given
      .filter((one) => {
        const texts = byMark.get(one.mark);
        return texts !== undefined && texts[0] !== one.commandLine;
      })
      .map((one) => one.mark),
  };
}
