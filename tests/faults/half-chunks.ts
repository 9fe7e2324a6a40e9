/**
 * Looks for chunks that are there in part: what the ledger says of a chunk, held against the events that name it.
 */
import postgres from 'postgres';

/** Chunks whose receipt counts other events than there are, and events of chunks that the ledger does not have; none is expected. */
export async function halfChunks(url: string): Promise<string[]> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    const rows = await sql<{ what: string }[]>`
      with found as (select chunk_id, count(*) as events from events group by chunk_id)
      select 'chunk ' || coalesce(chunks.id, found.chunk_id) || ': receipt ' || coalesce(receipt->>'accepted', 'none')
        || ', events ' || coalesce(found.events, 0) as what
      from chunks full join found on found.chunk_id = chunks.id
      where coalesce((receipt->>'accepted')::bigint, -1) <> coalesce(found.events, 0)`;
    return rows.map((row) => row.what);
  } finally {
    await sql.end();
  }
}
