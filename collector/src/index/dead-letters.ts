/**
 * Takes the dead letters out again: lists them, gives one to Elasticsearch once more, drops them.
 * Keeps: a letter leaves the table only when Elasticsearch has its document, or when a person drops it.
 */
import { namespaceSchema } from '@launchbeat/ecs-schemas';
import { type Log, SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import type { Sql } from '../commit/database.ts';
import { createBulkWindow } from './bulk-window.ts';
import type { DeadLetter } from './chunk-leases.ts';
import type { IndexLine } from './chunk-lines.ts';
import { createClusterMender } from './cluster-mender.ts';
import type { ElasticsearchConfig } from './elasticsearch-config.ts';
import { indexBatch } from './index-batch.ts';
import { openClient } from './open-client.ts';
import { createRetries } from './retries.ts';

export interface ListedDeadLetter {
  readonly id: string;
  readonly chunkId: string;
  /** From 1; 0 = the whole chunk, whose bytes are damaged. */
  readonly line: number;
  readonly eventId: string;
  /** HTTP status of the refusal; 0 = it was never sent. */
  readonly status: number;
  readonly reason: string;
  readonly createdAt: Date;
  /** When somebody tried it again last. */
  readonly triedAt: Date | null;
}

export interface WholeDeadLetter extends ListedDeadLetter {
  readonly document: Buffer;
}

const COLUMNS = [
  'id',
  'chunk_id',
  'line',
  'event_id',
  'status',
  'reason',
  'created_at',
  'tried_at',
] as const;

interface Row extends Readonly<Record<(typeof COLUMNS)[number], unknown>> {
  readonly document?: Buffer;
}

/** The newest first. */
export async function listDeadLetters(sql: Sql, limit: number): Promise<ListedDeadLetter[]> {
  const rows = await sql<Row[]>`
    select ${sql(COLUMNS)} from dead_letters order by id desc limit ${limit}`;
  return rows.map(listed);
}

/** How many there are. */
export async function countDeadLetters(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*)::int as count from dead_letters`;
  return row?.count ?? 0;
}

/** One with its document; undefined if there is none with this id. */
export async function readDeadLetter(sql: Sql, id: string): Promise<WholeDeadLetter | undefined> {
  const [row] = await sql<Row[]>`
    select ${sql([...COLUMNS, 'document'])} from dead_letters where id = ${id}`;
  return row === undefined ? undefined : whole(row);
}

/** Drops them, or all; gives the ids of those that were there. PostgreSQL keeps their events all the same. */
export async function dropDeadLetters(sql: Sql, ids: readonly string[] | 'all'): Promise<string[]> {
  const some = ids === 'all' ? sql`true` : sql`id = any(${[...ids]}::bigint[])`;
  const rows = await sql<{ id: string }[]>`delete from dead_letters where ${some} returning id`;
  return rows.map((row) => row.id);
}

export interface RetryOptions {
  readonly sql: Sql;
  readonly config: ElasticsearchConfig;
  readonly log?: Log;
  readonly signal: AbortSignal;
}

export interface Retried {
  /** Elasticsearch has them now. */
  readonly taken: readonly string[];
  /** It refuses them still; their reason is the new one. */
  readonly refused: readonly string[];
  /** Damaged chunks, and documents without a namespace of the config: they cannot be sent. */
  readonly unsendable: readonly string[];
}

const BATCH_ROWS = 500;

/** Gives letters to Elasticsearch once more. Waits while it is away; a stop leaves the rest as it is. */
export async function retryDeadLetters(
  options: RetryOptions,
  ids: readonly string[] | 'all',
): Promise<Retried> {
  const { sql } = options;
  const some = ids === 'all' ? sql`true` : sql`id = any(${[...ids]}::bigint[])`;
  const retried = { taken: [] as string[], refused: [] as string[], unsendable: [] as string[] };
  let after = '0';
  while (!options.signal.aborted) {
    const rows = await sql<Row[]>`
      select ${sql([...COLUMNS, 'document'])} from dead_letters
      where id > ${after} and ${some} order by id limit ${BATCH_ROWS}`;
    const letters = rows.map(whole);
    after = letters.at(-1)?.id ?? after;
    if (letters.length === 0) break;
    const byNamespace = Map.groupBy(letters, (letter) => namespaceOf(letter, options.config));
    for (const [namespace, group] of byNamespace) {
      if (namespace === undefined) retried.unsendable.push(...group.map((one) => one.id));
      else await sendGroup(options, namespace, group, retried);
    }
  }
  return retried;
}

/** Where the document wants to go, if agents may write there. */
function namespaceOf(letter: WholeDeadLetter, config: ElasticsearchConfig): string | undefined {
  if (letter.line === 0) return undefined;
  try {
    const document = JSON.parse(letter.document.toString('utf8')) as {
      data_stream?: { namespace?: unknown };
    };
    const { success, data } = namespaceSchema.safeParse(document.data_stream?.namespace);
    return success && config.namespaces.includes(data) ? data : undefined;
  } catch {
    return undefined;
  }
}

async function sendGroup(
  options: RetryOptions,
  namespace: string,
  letters: readonly WholeDeadLetter[],
  retried: { readonly taken: string[]; readonly refused: string[] },
): Promise<void> {
  const { sql, config, log = SILENT_LOG, signal } = options;
  const client = openClient(config);
  try {
    const done = await indexBatch(letters.map(lineOf), true, {
      ...{ client, namespace, signal, abandon: signal },
      window: createBulkWindow({ requestBytesMax: config.bulk.max_bytes, workers: 1 }),
      mender: createClusterMender({ client, config, log, maySetUp: false }),
      retries: createRetries({ backoff: config.backoff, log }),
      counts: { indexed: 0, duplicates: 0, deadLetters: 0, retries: 0 },
    });
    if (done.outcome === 'stopped') return;
    const again = new Map(done.deadLetters.map((dead) => [placeOf(dead), dead]));
    for (const letter of letters) {
      const dead = again.get(placeOf(letter));
      if (dead === undefined) retried.taken.push(letter.id);
      else {
        retried.refused.push(letter.id);
        await sql`
          update dead_letters set status = ${dead.status}, reason = ${dead.reason}, tried_at = now()
          where id = ${letter.id}`;
      }
    }
    await dropDeadLetters(
      sql,
      letters.filter((letter) => !again.has(placeOf(letter))).map((letter) => letter.id),
    );
  } finally {
    await client.close();
  }
}

const lineOf = ({ chunkId, line, eventId, document }: WholeDeadLetter): IndexLine => ({
  ...{ chunkId, line },
  id: eventId,
  bytes: document,
});

const placeOf = ({ chunkId, line }: Pick<DeadLetter, 'chunkId' | 'line'>): string =>
  `${chunkId}/${line}`;

function listed(row: Row): ListedDeadLetter {
  return {
    id: String(row.id),
    chunkId: String(row.chunk_id),
    line: Number(row.line),
    eventId: String(row.event_id),
    status: Number(row.status),
    reason: String(row.reason),
    createdAt: row.created_at as Date,
    triedAt: row.tried_at as Date | null,
  };
}

function whole(row: Row): WholeDeadLetter {
  return { ...listed(row), document: row.document ?? Buffer.alloc(0) };
}
