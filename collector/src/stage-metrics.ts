/**
 * Names what admit and commit count, for the metrics.
 */
import type { Admit } from './admit/create-admit.ts';
import type { Commit, CommitCounts } from './commit/commit.ts';
import type { Watched } from './metrics.ts';

const COMMIT_HELP: Readonly<Record<keyof CommitCounts, readonly [name: string, help: string]>> = {
  chunks: ['chunks_total', 'Chunks committed, without those seen before.'],
  chunksSeen: ['chunks_seen_total', 'Chunks that came again and got their receipt again.'],
  conflicts: ['chunk_conflicts_total', 'Chunks refused because their key stood for other events.'],
  accepted: ['events_accepted_total', 'Events that were new.'],
  duplicates: ['events_duplicate_total', 'Lines whose event was there already.'],
  rejected: ['lines_rejected_total', 'Lines that will never be stored.'],
  alerts: ['alerts_total', 'Alerts put into the outbox.'],
  late: ['alerts_late_events_total', 'Events that came too late for a rule that counts.'],
  retries: ['commit_retries_total', 'Commits answered with 503.'],
  transactions: [
    'commit_transactions_total',
    'Transactions that committed chunks; small chunks that come together share one.',
  ],
};

/** The numbers of both stages. */
export function stageMetrics(admit: Admit<unknown>, commit: Commit): readonly Watched[] {
  const names = Object.keys(COMMIT_HELP) as (keyof CommitCounts)[];
  return [
    ...names.map((key): Watched => {
      const [name, help] = COMMIT_HELP[key];
      return { name, help, kind: 'counter', read: () => commit.counts()[key] };
    }),
    {
      name: 'in_flight_bytes',
      help: 'Memory counted for chunks being worked on.',
      kind: 'gauge',
      read: () => admit.inFlight.bytes(),
    },
    {
      name: 'in_flight_requests',
      help: 'Chunks being worked on.',
      kind: 'gauge',
      read: () => admit.inFlight.requests(),
    },
    {
      name: 'waiting_requests',
      help: 'Chunks that have come in whole and wait for their turn.',
      kind: 'gauge',
      read: () => admit.waiting(),
    },
    {
      name: 'index_queue_chunks',
      help: 'Chunks in PostgreSQL that Elasticsearch does not have yet, as of some seconds ago.',
      kind: 'gauge',
      read: () => commit.queue().chunks,
    },
    {
      name: 'index_queue_bytes',
      help: 'Compressed bytes of these chunks.',
      kind: 'gauge',
      read: () => commit.queue().bytes,
    },
    {
      name: 'index_queue_lines',
      help: 'Lines of these chunks.',
      kind: 'gauge',
      read: () => commit.queue().lines,
    },
    {
      name: 'index_lag_seconds',
      help: 'For how long the oldest of these chunks has waited; 0 = none waits.',
      kind: 'gauge',
      read: () => commit.queue().lagSeconds,
    },
  ];
}
