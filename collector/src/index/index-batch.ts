/**
 * Takes a batch, gives it to Elasticsearch until each of its lines has a final verdict.
 * Keeps: what is in Elasticsearch is never sent as new again: an outcome that is not known is looked up first; nothing is given
 * up but lines that Elasticsearch says it will never take, and those go to the dead letters.
 */
import type { Client } from '@elastic/elasticsearch';
import type { DeadLetter } from './chunk-leases.ts';
import type { IndexLine } from './chunk-lines.ts';
import { lookUp } from './look-up.ts';
import type { Failure } from './request-outcome.ts';
import type { Retries } from './retries.ts';
import { bulkBytes, sendBulk } from './send-bulk.ts';

export interface IndexBatchContext {
  readonly client: Client;
  /** Name of the data stream. */
  readonly stream: string;
  /** Size of a request at most; a line that is larger goes alone. */
  readonly requestBytesMax: number;
  readonly retries: Retries;
  /** Ends the waiting between requests. */
  readonly signal: AbortSignal;
  /** Ends a request in flight. */
  readonly abandon: AbortSignal;
  readonly counts: IndexCounters;
}

/** Counters that only rise. */
export interface IndexCounters {
  /** Lines that were created. */
  indexed: number;
  /** Lines that Elasticsearch had already. */
  duplicates: number;
  /** Lines that it will never take. */
  deadLetters: number;
  /** Requests that had to be repeated, in whole or in part. */
  retries: number;
}

export type IndexBatchOutcome =
  | { readonly outcome: 'done'; readonly deadLetters: readonly DeadLetter[] }
  /** Asked to stop; some of the lines may be in Elasticsearch. */
  | { readonly outcome: 'stopped' };

/** Sends lines until all are settled or `signal` is aborted. `suspicious`: some may be there already. */
export async function indexBatch(
  lines: readonly IndexLine[],
  suspicious: boolean,
  context: IndexBatchContext,
): Promise<IndexBatchOutcome> {
  const deadLetters: DeadLetter[] = [];
  let left = [...lines];
  let askFirst = suspicious;
  let requestBytes = context.requestBytesMax;
  for (let attempt = 0; left.length > 0; ) {
    if (context.signal.aborted) return { outcome: 'stopped' };
    const step = askFirst
      ? await dropThoseThere(left, context)
      : await sendSome(left, requestBytes, context);
    left = step.left;
    deadLetters.push(...step.deadLetters);
    if (step.failure === undefined) {
      if (!askFirst) {
        attempt = 0;
        context.retries.recovered();
      }
      askFirst = false;
      continue;
    }
    context.counts.retries += 1;
    if (step.failure.kind === 'unknown') askFirst = true;
    if (step.failure.kind === 'too_large' && step.sent > 1) {
      requestBytes = Math.ceil(step.sentBytes / 2);
      continue;
    }
    attempt += 1;
    await context.retries.wait(step.failure, attempt, context.signal);
  }
  return { outcome: 'done', deadLetters };
}

interface Step {
  /** Lines without a final verdict. */
  readonly left: IndexLine[];
  readonly deadLetters: readonly DeadLetter[];
  /** Why it must wait before it goes on. */
  readonly failure?: Failure;
  /** Lines and bytes of the request. */
  readonly sent: number;
  readonly sentBytes: number;
}

async function dropThoseThere(left: IndexLine[], context: IndexBatchContext): Promise<Step> {
  const answer = await lookUp(
    context.client,
    context.stream,
    left.map((line) => line.id),
  );
  const nothingSent = { deadLetters: [], sent: 0, sentBytes: 0 };
  if (answer.outcome === 'failed') {
    // It stays unknown, whatever the reason.
    const { kind } = answer.failure;
    return {
      ...nothingSent,
      left,
      failure: { ...answer.failure, kind: kind === 'needs_person' ? kind : 'unknown' },
    };
  }
  const missing = left.filter((line) => !answer.found.has(line.id));
  context.counts.duplicates += left.length - missing.length;
  return { ...nothingSent, left: missing };
}

async function sendSome(
  left: IndexLine[],
  requestBytes: number,
  context: IndexBatchContext,
): Promise<Step> {
  const { count, bytes } = firstOf(left, requestBytes);
  const request = left.slice(0, count);
  const rest = left.slice(count);
  const size = { sent: count, sentBytes: bytes };
  const answer = await sendBulk(context.client, context.stream, request, context.abandon);
  if (answer.outcome === 'failed') {
    const line = request[0];
    if (answer.failure.kind === 'too_large' && count === 1 && line !== undefined) {
      const dead = deadLetter(line, answer.failure.status, answer.failure.reason, context.counts);
      return { ...size, left: rest, deadLetters: [dead] };
    }
    return { ...size, left, deadLetters: [], failure: answer.failure };
  }
  const deadLetters: DeadLetter[] = [];
  const again: IndexLine[] = [];
  let failure: Failure | undefined;
  for (const [at, line] of request.entries()) {
    const verdict = answer.verdicts[at] ?? { verdict: 'again', status: 0, reason: 'no verdict' };
    switch (verdict.verdict) {
      case 'created':
        context.counts.indexed += 1;
        break;
      case 'there':
        context.counts.duplicates += 1;
        break;
      case 'refused':
        deadLetters.push(deadLetter(line, verdict.status, verdict.reason, context.counts));
        break;
      case 'again':
      case 'held':
        again.push(line);
        failure = {
          kind: verdict.verdict === 'held' ? 'needs_person' : 'not_applied',
          status: verdict.status,
          reason: `item ${verdict.status}: ${verdict.reason}`,
        };
    }
  }
  const step = { ...size, left: [...again, ...rest], deadLetters };
  return failure === undefined ? step : { ...step, failure };
}

function firstOf(lines: readonly IndexLine[], bytesMax: number): { count: number; bytes: number } {
  let bytes = 0;
  let count = 0;
  for (const line of lines) {
    const more = bulkBytes(line);
    if (count > 0 && bytes + more > bytesMax) break;
    bytes += more;
    count += 1;
  }
  return { count, bytes };
}

function deadLetter(
  line: IndexLine,
  status: number,
  reason: string,
  counts: IndexCounters,
): DeadLetter {
  counts.deadLetters += 1;
  return {
    chunkId: line.chunkId,
    line: line.line,
    eventId: line.id,
    document: line.bytes,
    status,
    reason,
  };
}
