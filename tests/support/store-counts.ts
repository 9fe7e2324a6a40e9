/**
 * Asks both stores what they hold, as a person would by hand: `select count(*)` and `_count`.
 */
import { dataStreamName } from '@launchbeat/ecs-schemas';
import postgres from 'postgres';

export interface StoreCounts {
  /** Rows of `events`. */
  readonly rows: number;
  /** Documents in the namespace's data stream. */
  readonly documents: number;
  /** Different `_id`s among them: fewer than documents means that one is there twice. */
  readonly ids: number;
  /** Chunks that Elasticsearch does not have yet. */
  readonly waiting: number;
}

/** What both stores say when they have so many events, each once. */
export const allThere = (count: number): StoreCounts => ({
  rows: count,
  documents: count,
  ids: count,
  waiting: 0,
});

/** Counts rows and documents now; refreshes the index first. */
export async function storeCounts(
  postgresUrl: string,
  elasticsearchUrl: string,
  namespace: string,
): Promise<StoreCounts> {
  const sql = postgres(postgresUrl, { max: 1, onnotice: () => undefined });
  try {
    const [row] = await sql<{ rows: number; waiting: number }[]>`
      select (select count(*)::int from events) as rows,
             (select count(*)::int from chunks where indexed_at is null) as waiting`;
    const ids = await documentIds(elasticsearchUrl, namespace);
    return {
      rows: row?.rows ?? 0,
      waiting: row?.waiting ?? 0,
      documents: ids.length,
      ids: new Set(ids).size,
    };
  } finally {
    await sql.end();
  }
}

/** `_id` of every document of a namespace, at most 10,000; none where there is no data stream yet. */
export async function documentIds(elasticsearchUrl: string, namespace: string): Promise<string[]> {
  const found = await search(elasticsearchUrl, namespace, { size: 10_000, _source: false });
  return found.map((hit) => hit._id);
}

export interface Hit {
  readonly _id: string;
  readonly _source?: Record<string, unknown>;
}

/** Searches a namespace's data stream after a refresh. */
export async function search(
  elasticsearchUrl: string,
  namespace: string,
  body: Readonly<Record<string, unknown>>,
): Promise<Hit[]> {
  const stream = `${elasticsearchUrl}/${dataStreamName(namespace)}`;
  await fetch(`${stream}/_refresh`, { method: 'POST' });
  const answer = await fetch(`${stream}/_search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (answer.status === 404) return [];
  const found = (await answer.json()) as { hits: { hits: Hit[] } };
  if (!answer.ok) throw new Error(JSON.stringify(found));
  return found.hits.hits;
}
