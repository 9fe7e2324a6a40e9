/**
 * Takes the oldest rows of the outbox, gives their documents to Elasticsearch and settles the rows.
 * Keeps: a row goes only when Elasticsearch has its document or will never take it, which is said in the log and kept in the row.
 */
import { type Log, pause } from '@launchbeat/ecs-schemas/beat';
import type { BulkWindow } from '../index/bulk-window.ts';
import type { ClusterMender } from '../index/cluster-mender.ts';
import { type IndexBatchContext, type IndexCounters, indexBatch } from '../index/index-batch.ts';
import type { Retries } from '../index/retries.ts';
import { claimReports, type RefusedRow, releaseReports, settleReports } from './report-rows.ts';
import { type Report, type WriteContext, writeReports } from './write-reports.ts';

export interface SendContext extends WriteContext {
  readonly client: IndexBatchContext['client'];
  readonly window: BulkWindow;
  readonly menders: Readonly<Record<Report['stream'], ClusterMender>>;
  readonly retries: Retries;
  readonly counters: IndexCounters;
  readonly log: Log;
  /** Ends the waiting between requests. */
  readonly signal: AbortSignal;
  /** Ends a request in flight. */
  readonly abandon: AbortSignal;
}

export interface Sent {
  /** There may be more rows. */
  readonly more: boolean;
  /** Rows that will never be in Elasticsearch. */
  readonly refused: number;
}

const ROWS_MAX = 500;
const AGAIN_MS = 1_000;

/** Sends one batch. Rejects when PostgreSQL cannot be asked; what was taken then waits until its lease is over. */
export async function sendReports(context: SendContext): Promise<Sent> {
  const { sql, log, signal } = context;
  const rows = await claimReports(sql, ROWS_MAX);
  if (rows.length === 0) return { more: false, refused: 0 };
  const written = await writeReports(rows, context);
  const touched = new Set(rows.filter(({ attempts }) => attempts > 1).map(({ id }) => id));
  let refused = written.refused.length;
  await settle(context, [], written.refused);
  for (const [{ stream, namespace }, reports] of groupByStream(written.reports)) {
    const isSuspicious = reports.some(({ rowId }) => touched.has(rowId));
    const done = await indexBatch(reports.map(lineOf), isSuspicious, {
      ...{ stream, namespace, client: context.client, retries: context.retries },
      ...{ counts: context.counters, window: context.window, mender: context.menders[stream] },
      ...{ signal, abandon: context.abandon },
    });
    if (done.outcome === 'stopped') {
      const ids = rows.map(({ id }) => id);
      await releaseReports(sql, ids).catch((err: unknown) =>
        log.warn({ err }, 'Leases of reports end by themselves in two minutes.'),
      );
      return { more: false, refused };
    }
    const dead = done.deadLetters.map(({ chunkId, reason }) => ({ id: chunkId, reason }));
    refused += dead.length;
    await settle(context, reports, dead);
  }
  return { more: rows.length === ROWS_MAX, refused };
}

async function settle(
  { sql, log, signal }: SendContext,
  reports: readonly Report[],
  refused: readonly RefusedRow[],
): Promise<void> {
  const [worst] = refused;
  if (worst !== undefined) {
    log.error(
      { 'error.message': worst.reason },
      `Elasticsearch will not take ${refused.length} report(s), the first is row ${worst.id}; the table report_outbox keeps them.`,
    );
  }
  const never = new Set(refused.map(({ id }) => id));
  const taken = reports.map(({ rowId }) => rowId).filter((id) => !never.has(id));
  await insist(async () => settleReports(sql, taken, refused), log, signal);
}

/** Repeats until PostgreSQL has done it, or `signal` is aborted. */
export async function insist(
  work: () => Promise<unknown>,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  for (let said = false; ; said = true) {
    try {
      await work();
      return;
    } catch (err) {
      if (!said) log.warn({ err }, 'PostgreSQL cannot be asked about reports; it is tried again.');
      if (signal.aborted) return;
      await pause(AGAIN_MS, signal);
    }
  }
}

type Destination = Pick<Report, 'stream' | 'namespace'>;

function groupByStream(
  reports: readonly Report[],
): readonly (readonly [Destination, readonly Report[]])[] {
  const groups = new Map<string, [Destination, Report[]]>();
  for (const report of reports) {
    const key = `${report.stream} ${report.namespace}`;
    const there = groups.get(key);
    if (there === undefined) groups.set(key, [report, [report]]);
    else there[1].push(report);
  }
  return [...groups.values()];
}

/** As index sends lines; the row takes the chunk's place. */
function lineOf({ rowId, record }: Report) {
  const bytes = Buffer.from(JSON.stringify(record));
  return { chunkId: rowId, line: 0, id: record.event.id, bytes };
}
