/**
 * Takes lines, gives Elasticsearch's verdict on each: one `_bulk` request of `create` actions.
 * Keeps: the request names one data stream in its path, so that no document can pick another index; a line's bytes go out as
 * they came. Verdicts: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
 */
import type { Client } from '@elastic/elasticsearch';
import type { IndexLine } from './chunk-lines.ts';
import { explainFailure, type Failure, shorten } from './request-outcome.ts';

/**
 * What Elasticsearch said of one line: `created`; `there` (409: the id is in the backing index already); `again` (try again
 * later); `held` (a person must mend the cluster first); `refused` (it will never take this line).
 */
export type Verdict =
  | { readonly verdict: 'created' | 'there' }
  | {
      readonly verdict: 'again' | 'held' | 'refused';
      readonly status: number;
      readonly reason: string;
    };

export type BulkOutcome =
  | {
      readonly outcome: 'done' /** In the order of the lines. */;
      readonly verdicts: readonly Verdict[];
    }
  | { readonly outcome: 'failed'; readonly failure: Failure };

interface BulkAnswer {
  readonly items?: readonly { readonly create?: BulkItem }[];
}
interface BulkItem {
  readonly status?: number;
  readonly error?: {
    readonly type?: string;
    readonly reason?: string;
    readonly caused_by?: { reason?: string };
  };
}

/** Positions stay as they are: each item has a status. Without it the answer is half as long as the request. */
const FILTER = 'errors,items.create.status,items.create.error';
const LF = 0x0a;

/** Bytes that a line takes in the body of a request. */
export function bulkBytes(line: IndexLine): number {
  return ACTION_START.length + line.id.length + ACTION_END.length + line.bytes.length + 1;
}

/** Sends the lines to the data stream, which must exist or have a template that makes it one. */
export async function sendBulk(
  client: Client,
  stream: string,
  lines: readonly IndexLine[],
  signal?: AbortSignal,
): Promise<BulkOutcome> {
  let answer: BulkAnswer;
  try {
    answer = await client.transport.request<BulkAnswer>(
      {
        method: 'POST',
        path: `/${encodeURIComponent(stream)}/_bulk`,
        bulkBody: bulkBody(lines) as unknown as string,
        querystring: { require_data_stream: true, filter_path: FILTER },
      },
      signal === undefined ? {} : { signal },
    );
  } catch (error) {
    return { outcome: 'failed', failure: explainFailure(error) };
  }
  const items = answer?.items;
  if (!Array.isArray(items) || items.length !== lines.length) {
    const reason = `answer has ${items?.length ?? 'no'} items for ${lines.length} lines`;
    return { outcome: 'failed', failure: { kind: 'unknown', status: 200, reason } };
  }
  return { outcome: 'done', verdicts: items.map((item) => verdictOf(item.create)) };
}

const ACTION_START = '{"create":{"_id":"';
const ACTION_END = '"}}\n';

function bulkBody(lines: readonly IndexLine[]): Buffer {
  const body = Buffer.allocUnsafe(lines.reduce((sum, line) => sum + bulkBytes(line), 0));
  let at = 0;
  for (const line of lines) {
    // Ids are base64url: nothing in them needs escaping.
    at += body.write(`${ACTION_START}${line.id}${ACTION_END}`, at, 'latin1');
    at += line.bytes.copy(body, at);
    body[at] = LF;
    at += 1;
  }
  return body;
}

/** Types of item errors that speak of the cluster, not of the line. Their status is 400, 403 or 404. */
const CLUSTER_ERRORS = new Set([
  'cluster_block_exception',
  'index_closed_exception',
  'index_not_found_exception',
  'security_exception',
  'unavailable_shards_exception',
  // Too many shards, a bad name: nothing about the document.
  'validation_exception',
]);
/** `illegal_argument_exception` is used for documents and for the cluster; these words tell the latter. */
const CLUSTER_WORDS = /\b(pipeline|data stream \[|write index|require_data_stream|alias)\b/i;

const READ_ONLY = /read-only-allow-delete|\/12\//;
const FLOOD_MEND =
  "Elasticsearch's disk is nearly full (flood stage): make room there; it goes on by itself then";

function verdictOf(item: BulkItem | undefined): Verdict {
  const status = item?.status ?? 0;
  if (status >= 200 && status < 300) return { verdict: 'created' };
  const type = item?.error?.type ?? 'error';
  // Flood stage, with 429 since 8.x and 403 before: the cluster lifts it by itself, once somebody has made room.
  if (type === 'cluster_block_exception' && READ_ONLY.test(item?.error?.reason ?? '')) {
    const reason = shorten(item?.error?.reason ?? '');
    return { verdict: 'held', status, reason: `${reason}; ${FLOOD_MEND}` };
  }
  if (status === 409 && type === 'version_conflict_engine_exception') return { verdict: 'there' };
  const cause = item?.error?.caused_by?.reason;
  const reason = shorten(
    `${type}: ${item?.error?.reason ?? 'no reason given'}${cause === undefined ? '' : ` (${cause})`}`,
  );
  if (status === 429 || status === 409 || status >= 500 || status === 0) {
    return { verdict: 'again', status, reason };
  }
  const ofCluster = isOfCluster(status, type, reason);
  return { verdict: ofCluster ? 'held' : 'refused', status, reason };
}

/** Whether the refusal speaks of the cluster, and not of the line. */
function isOfCluster(status: number, type: string, reason: string): boolean {
  if (status === 401 || status === 403 || status === 404 || CLUSTER_ERRORS.has(type)) return true;
  return type === 'illegal_argument_exception' && CLUSTER_WORDS.test(reason);
}
