/**
 * Names what index, notify and report count, for the metrics.
 */
import type { IndexCounts, Indexer } from './index/create-indexer.ts';
import type { Watched } from './metrics.ts';
import type { Notifier, NotifyCounts } from './notify/create-notifier.ts';
import type { ReportCounts, Reporter } from './report/create-reporter.ts';

type Help = readonly [name: string, kind: Watched['kind'], help: string];

const INDEX_HELP: Readonly<Record<keyof IndexCounts, Help>> = {
  indexed: ['index_documents_total', 'counter', 'Documents that Elasticsearch took.'],
  duplicates: ['index_duplicates_total', 'counter', 'Documents that Elasticsearch had already.'],
  deadLetters: [
    'index_dead_letters_total',
    'counter',
    'Documents that Elasticsearch will never take.',
  ],
  retries: ['index_retries_total', 'counter', 'Requests and items that were repeated.'],
  queuedChunks: ['index_memory_chunks', 'gauge', 'Chunks in memory that wait for Elasticsearch.'],
  queuedBytes: ['index_memory_bytes', 'gauge', 'Compressed bytes of these chunks.'],
  sendingChunks: ['index_sending_chunks', 'gauge', 'Chunks that are being sent to Elasticsearch.'],
  deferredChunks: [
    'index_deferred_chunks_total',
    'counter',
    'Chunks left to the table because memory was full.',
  ],
  windowBytes: [
    'index_window_bytes',
    'gauge',
    'Bytes that may be on their way to Elasticsearch at once; less while it is overloaded.',
  ],
};

const NOTIFY_HELP: Readonly<Record<keyof NotifyCounts, Help>> = {
  sent: ['messages_sent_total', 'counter', 'Messages that Telegram took.'],
  failed: ['messages_failed_total', 'counter', 'Messages that Telegram refused for good.'],
  retries: ['messages_retries_total', 'counter', 'Attempts that are repeated.'],
  pending: ['messages_pending', 'gauge', 'Messages that wait, as the leader last saw it.'],
  folded: ['alerts_folded_total', 'counter', 'Alerts that came too late, told as a number.'],
  suppressed: [
    'alerts_suppressed_total',
    'counter',
    'Alerts like one just told, told as a number.',
  ],
  held: ['alerts_held_total', 'counter', 'Alerts of quiet hours, told in one message afterwards.'],
  stormed: ['alerts_stormed_total', 'counter', "Alerts past a chat's budget, told as a list."],
  muted: ['alerts_muted_total', 'counter', 'Alerts that somebody had muted, told as a number.'],
  maybeTwice: [
    'messages_maybe_twice_total',
    'counter',
    'Messages that may be in the chat twice: what became of an attempt is unknown.',
  ],
  asked: ['chat_commands_total', 'counter', 'Commands and buttons of people who may.'],
  strangers: ['chat_strangers_total', 'counter', 'Commands and buttons of people who may not.'],
  leader: ['messages_leader', 'gauge', '1 = this collector sends the messages.'],
};

const REPORT_HELP: Readonly<Record<keyof ReportCounts, Help>> = {
  indexed: ['reports_total', 'counter', 'Documents on health and alerts that Elasticsearch took.'],
  duplicates: ['reports_duplicates_total', 'counter', 'Those that Elasticsearch had already.'],
  refused: ['reports_refused_total', 'counter', 'Those that Elasticsearch will never take.'],
  retries: ['reports_retries_total', 'counter', 'Requests and items of these that were repeated.'],
  statesSkipped: [
    'reports_states_skipped_total',
    'counter',
    "Moments whose agents' states were left out since too much waited.",
  ],
  waiting: ['reports_waiting', 'gauge', 'Documents on health and alerts that wait.'],
};

/** The numbers of these stages. */
export function storeMetrics(
  indexer: Pick<Indexer, 'counts'>,
  notifier: Pick<Notifier, 'counts'>,
  reporter: Pick<Reporter, 'counts'>,
): readonly Watched[] {
  return [
    ...watched(REPORT_HELP, () => reporter.counts()),
    ...watched(INDEX_HELP, () => indexer.counts()),
    ...watched(NOTIFY_HELP, () => notifier.counts()),
  ];
}

function watched<Counts extends object>(
  help: Readonly<Record<keyof Counts & string, Help>>,
  read: () => Counts,
): Watched[] {
  return (Object.keys(help) as (keyof Counts & string)[]).map((key) => {
    const [name, kind, words] = help[key];
    return { name, kind, help: words, read: () => Number(read()[key]) };
  });
}
