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

/** Looks now; the caller waits until nothing is missing any more or gives up. */
export async function judge(given: readonly Given[], stores: Stores): Promise<Verdict> {
  const kept = [await rowsOf(stores.postgresUrl)];
  if (stores.elasticsearchUrl !== undefined) {
    kept.push(await documentsOf(stores.elasticsearchUrl, stores.namespace));
  }
  const found = kept.map((commandLines) => compare(given, commandLines));
  // What a fault may lose cannot be told either.
  const lost = new Set(found.flatMap((one) => one.lost));
  const alerts = given.filter((one) => one.alert && !lost.has(one.mark)).length;
  const messages = stores.telegram.messages().length;
  return {
    given: given.length,
    lost: [...lost],
    doubled: [...new Set(found.flatMap((one) => one.doubled))],
    changed: found.flatMap((one) => one.changed),
    silent: Math.max(0, alerts - messages),
    repeated: Math.max(0, messages - alerts),
  };
}

/** How many rows there are. */
export async function countRows(url: string): Promise<number> {
  return (await rowsOf(url)).length;
}

async function rowsOf(url: string): Promise<string[]> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    const rows = await sql<{ command_line: string }[]>`select command_line from events`;
    return rows.map((row) => row.command_line);
  } finally {
    await sql.end();
  }
}

async function documentsOf(url: string, namespace: string): Promise<string[]> {
  const hits = await search(url, namespace, { size: 10_000, _source: ['process.command_line'] });
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
