/**
 * index: takes committed chunks, gives them to Elasticsearch. Fresh ones come in memory, left-over ones from the table.
 * Keeps: `indexed_at` is written only when each line has a final verdict; memory is bounded, and what is over waits in the
 * table; several collectors share the work by leases.
 */
import { STREAM_KEYS } from '@launchbeat/ecs-schemas';
import { type Log, pause } from '@launchbeat/ecs-schemas/beat';
import { type CommittedChunk, INDEX_LEASE_MS } from '../commit/commit.ts';
import type { Sql } from '../commit/database.ts';
import { createBulkWindow } from './bulk-window.ts';
import { leaseEnd, releaseLeases } from './chunk-leases.ts';
import { createChunkQueue } from './chunk-queue.ts';
import { createClusterMender } from './cluster-mender.ts';
import type { ElasticsearchConfig } from './elasticsearch-config.ts';
import type { IndexCounters } from './index-batch.ts';
import type { IndexerState } from './indexer-state.ts';
import { openClient } from './open-client.ts';
import { explainFailure } from './request-outcome.ts';
import { createRetries } from './retries.ts';
import { runWorker } from './run-worker.ts';
import {
  checkTemplate,
  describeCluster,
  makeStreams,
  setUpTemplate,
  type TemplateAction,
  type TemplateState,
} from './set-up-template.ts';
import { sweepLeases } from './sweep-leases.ts';

export interface IndexerOptions {
  readonly sql: Sql;
  readonly config: ElasticsearchConfig;
  readonly log: Log;
  /** Whether a template that is gone or changed while it runs may be set up again. Default no. */
  readonly maySetUp?: boolean;
}

export interface SetupResult {
  /** Of the template of the process starts; `off`: nothing to do by the config. */
  readonly action: TemplateAction | 'off';
  /** A sentence for people. */
  readonly detail: string;
}

export interface CheckResult {
  readonly ok: boolean;
  readonly detail: string;
}

export interface IndexCounts extends Readonly<IndexCounters> {
  /** Chunks in memory: waiting, and being sent. */
  readonly queuedChunks: number;
  readonly queuedBytes: number;
  readonly sendingChunks: number;
  /** Fresh chunks that memory had no room for; the table has them. */
  readonly deferredChunks: number;
  /** Bytes that may be on their way at once; less than full while the cluster is overloaded. */
  readonly windowBytes: number;
}

export interface Indexer {
  /** Takes a fresh chunk, whose row has a lease of this process. Never throws, never waits. */
  offer(chunk: CommittedChunk): void;
  /** Works until aborted; then gives back what is not settled. */
  run(signal: AbortSignal): Promise<void>;
  /** Makes or updates the index templates of all streams, and the streams. Throws an Error that says what to do where the cluster refuses or cannot be reached. */
  setup(): Promise<SetupResult>;
  /** Whether the cluster answers and has the template. Never throws. */
  check(): Promise<CheckResult>;
  counts(): IndexCounts;
  close(): Promise<void>;
}

/** Makes the indexer; nothing is opened or sent before run(), setup() or check(). */
export function createIndexer(options: IndexerOptions): Indexer {
  const { sql, config, log } = options;
  const client = openClient(config);
  const { max_bytes: requestBytesMax, workers: workersMax } = config.bulk;
  const state: IndexerState = {
    ...options,
    client,
    window: createBulkWindow({ requestBytesMax, workers: workersMax }),
    mender: createClusterMender({ client, config, log, maySetUp: options.maySetUp === true }),
    queue: createChunkQueue({
      bytesMax: config.queue.max_bytes,
      batchBytes: requestBytesMax,
      lingerMs: config.bulk.linger,
    }),
    sending: new Map(),
    counts: { indexed: 0, duplicates: 0, deadLetters: 0, retries: 0 },
    retries: createRetries({ backoff: config.backoff, log }),
  };
  let deferredChunks = 0;

  return {
    offer(chunk) {
      if (!config.enabled) return;
      const held = {
        id: String(chunk.id),
        chunk,
        suspicious: chunk.attempts > 0,
        attempts: chunk.attempts,
        leaseEndsMs: leaseEnd(performance.now()) - COMMIT_MARGIN_MS,
      };
      if (state.queue.push(held)) return;
      deferredChunks += 1;
      // Should this fail, the lease ends by itself.
      releaseLeases(sql, [held], false).catch(() => undefined);
    },
    async run(signal) {
      if (!config.enabled) return;
      await waitForTemplate(state, signal);
      const workers = Array.from({ length: workersMax }, () => runWorker(state, signal));
      await Promise.all([sweepLeases(state, signal), ...workers]);
      await releaseLeases(sql, state.queue.drain(), false).catch((error: unknown) =>
        log.warn(
          { err: error },
          `Leases of waiting chunks end by themselves in ${INDEX_LEASE_MS / 1000} s.`,
        ),
      );
    },
    setup: async () => setup(state),
    check: async () => check(state),
    counts: () => ({
      ...state.counts,
      queuedChunks: state.queue.waiting.length,
      queuedBytes: state.queue.bytes,
      sendingChunks: state.sending.size,
      deferredChunks,
      windowBytes: state.window.bytes(),
    }),
    close: async () => state.client.close(),
  };
}

/** The lease began at the commit, a little before the offer. */
const COMMIT_MARGIN_MS = 5_000;

/** Without the template the first document would make a stream with guessed field types, for good. */
async function waitForTemplate(state: IndexerState, signal: AbortSignal): Promise<void> {
  const { config, log, client, retries } = state;
  if (!config.template.enabled) return;
  let said = false;
  for (let attempt = 1; !signal.aborted; attempt += 1) {
    const found = await checkTemplate(client, config.namespaces);
    if (found.outcome === 'done') {
      retries.recovered();
      if (said) log.info({}, 'Index template is there; indexing begins.');
      return;
    }
    if (found.outcome === 'retry') {
      await retries.wait(found.failure, attempt, signal);
      continue;
    }
    if (!said)
      log.error(
        { 'error.message': found.reason },
        'Nothing is indexed until the index template is right.',
      );
    said = true;
    await pause(Math.min(TEMPLATE_POLL_MS, config.backoff.max), signal);
  }
}

const TEMPLATE_POLL_MS = 5_000;

async function setup({ client, config, log }: IndexerState): Promise<SetupResult> {
  if (!config.enabled) return { action: 'off', detail: 'switched off in the config.' };
  if (!config.template.enabled) {
    return { action: 'off', detail: 'template.enabled is false; the template is left as it is.' };
  }
  const states: Extract<TemplateState, { outcome: 'done' }>[] = [];
  for (const stream of STREAM_KEYS) {
    const state = await setUpTemplate(client, config, log, stream);
    if (state.outcome === 'retry') throw new Error(`Elasticsearch: ${state.failure.reason}.`);
    if (state.outcome === 'refused') throw new Error(`Elasticsearch: ${state.reason}.`);
    states.push(state);
  }
  await makeStreams(client, config);
  const detail = states.map((state) => state.detail).join(' ');
  return { action: states[0]?.action ?? 'kept', detail };
}

async function check({ client, config }: IndexerState): Promise<CheckResult> {
  if (!config.enabled) return { ok: true, detail: 'switched off in the config' };
  try {
    const cluster = await describeCluster(client);
    if (!config.template.enabled) return { ok: true, detail: cluster };
    const template = await checkTemplate(client, config.namespaces);
    if (template.outcome === 'done') return { ok: true, detail: `${cluster}; ${template.detail}` };
    const reason = template.outcome === 'retry' ? template.failure.reason : template.reason;
    return { ok: false, detail: `${cluster}; ${reason}` };
  } catch (error) {
    return { ok: false, detail: explainFailure(error).reason };
  }
}
