/**
 * Takes a batch, gives it to Elasticsearch until each of its lines has a final verdict.
 * Keeps: what is in Elasticsearch is never sent as new again: an outcome that is not known is looked up first; nothing is given
 * up but lines that Elasticsearch says it will never take, and those go to the dead letters.
 */
import type { Client } from '@elastic/elasticsearch';
import { type StreamKey, streamName } from '@launchbeat/ecs-schemas';
import type { BulkWindow } from './bulk-window.ts';
import type { DeadLetter } from './chunk-leases.ts';
import type { IndexLine } from './chunk-lines.ts';
import type { ClusterMender } from './cluster-mender.ts';
import { lookUp } from './look-up.ts';
import type { Failure } from './request-outcome.ts';
import type { Retries } from './retries.ts';
import { type BulkOutcome, bulkBytes, sendBulk, type Verdict } from './send-bulk.ts';

export interface IndexBatchContext {
  readonly client: Client;
  readonly namespace: string;
  /** Which data stream of the namespace; default: the process starts. */
  readonly stream?: StreamKey;
  /** Says how large a request may be; a line that is larger goes alone. */
  readonly window: BulkWindow;
  readonly mender: ClusterMender;
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
  for (let attempt = 0; left.length > 0; ) {
    if (context.signal.aborted) return { outcome: 'stopped' };
    const step = askFirst ? await dropThoseThere(left, context) : await sendSome(left, context);
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
    attempt += 1;
    await beforeAgain(step.failure, attempt, context);
  }
  return { outcome: 'done', deadLetters };
}

/** Waits, unless what was wrong is right now. */
async function beforeAgain(
  failure: Failure,
  attempt: number,
  context: IndexBatchContext,
): Promise<void> {
  if (failure.kind === 'too_large') return;
  if (isOfSetUp(failure) && (await context.mender.mend(context.namespace))) return;
  await context.retries.wait(failure, attempt, context.signal);
}

/** Whether setting up the template could help: it, or the stream, is not there or not as it should be. */
const isOfSetUp = ({ kind, status }: Failure): boolean =>
  kind === 'needs_person' && (status === 404 || status === 0);

interface Step {
  /** Lines without a final verdict. */
  readonly left: IndexLine[];
  readonly deadLetters: readonly DeadLetter[];
  /** Why it must wait before it goes on. */
  readonly failure?: Failure;
}

async function dropThoseThere(left: IndexLine[], context: IndexBatchContext): Promise<Step> {
  const answer = await lookUp(
    context.client,
    streamName(context.stream ?? 'starts', context.namespace),
    left.map((line) => line.id),
  );
  if (answer.outcome === 'failed') {
    // It stays unknown, whatever the reason.
    const { kind } = answer.failure;
    return {
      deadLetters: [],
      left,
      failure: { ...answer.failure, kind: kind === 'needs_person' ? kind : 'unknown' },
    };
  }
  const missing = left.filter((line) => !answer.found.has(line.id));
  context.counts.duplicates += left.length - missing.length;
  return { deadLetters: [], left: missing };
}

async function sendSome(left: IndexLine[], context: IndexBatchContext): Promise<Step> {
  const room = await context.window.enter(context.signal);
  const { count, bytes } = firstOf(left, room.bytes);
  const request = left.slice(0, count);
  const rest = left.slice(count);
  const stream = streamName(context.stream ?? 'starts', context.namespace);
  let answer: BulkOutcome | undefined;
  try {
    answer = await sendBulk(context.client, stream, request, context.abandon);
  } finally {
    room.leave(answer === undefined ? 'other' : outcomeFor(answer));
  }
  if (answer.outcome === 'done') {
    return await settleItems(request, rest, answer.verdicts, context);
  }
  const { failure } = answer;
  const [line] = request;
  if (failure.kind === 'too_large' && count === 1 && line !== undefined) {
    const dead = deadLetter(line, failure.status, failure.reason, context.counts);
    return { left: rest, deadLetters: [dead] };
  }
  if (failure.kind === 'too_large') context.window.tooLarge(bytes);
  return { left, deadLetters: [], failure };
}

const THROTTLED = 429;

function outcomeFor(answer: BulkOutcome): 'taken' | 'throttled' | 'other' {
  if (answer.outcome === 'failed')
    return answer.failure.status === THROTTLED ? 'throttled' : 'other';
  const left = answer.verdicts.flatMap((one) =>
    one.verdict === 'again' || one.verdict === 'held' ? [one] : [],
  );
  if (left.length === 0) return 'taken';
  const isThrottled = left.some((one) => one.verdict === 'again' && one.status === THROTTLED);
  return isThrottled ? 'throttled' : 'other';
}

/** Counts what is settled, keeps what is to be tried again. */
async function settleItems(
  request: readonly IndexLine[],
  rest: readonly IndexLine[],
  verdicts: readonly Verdict[],
  context: IndexBatchContext,
): Promise<Step> {
  const isAnyRefused = verdicts.some((one) => one.verdict === 'refused');
  const blame = isAnyRefused ? await context.mender.whyRefused(context.namespace) : undefined;
  const deadLetters: DeadLetter[] = [];
  const again: IndexLine[] = [];
  let failure: Failure | undefined;
  for (const [at, line] of request.entries()) {
    const verdict = verdicts[at] ?? NO_VERDICT;
    switch (verdict.verdict) {
      case 'created':
        context.counts.indexed += 1;
        break;
      case 'there':
        context.counts.duplicates += 1;
        break;
      case 'refused':
        if (blame === undefined) {
          deadLetters.push(deadLetter(line, verdict.status, verdict.reason, context.counts));
        } else {
          again.push(line);
          failure = blame;
        }
        break;
      case 'again':
      case 'held':
        again.push(line);
        failure = failureOf(verdict);
    }
  }
  const step = { left: [...again, ...rest], deadLetters };
  return failure === undefined ? step : { ...step, failure };
}

const NO_VERDICT: Verdict = { verdict: 'again', status: 0, reason: 'no verdict' };

/** An item that failed inside of the cluster may have been written all the same. */
function failureOf(verdict: Extract<Verdict, { status: number }>): Failure {
  const { status } = verdict;
  const isUnknown = status === 0 || status >= 500;
  const again = isUnknown ? 'unknown' : 'not_applied';
  return {
    kind: verdict.verdict === 'held' ? 'needs_person' : again,
    status,
    reason: `item ${status}: ${verdict.reason}`,
  };
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
