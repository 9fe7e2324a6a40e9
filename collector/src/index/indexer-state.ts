/**
 * What the parts of index share: one client, one queue, one set of counters.
 */
import type { Client } from '@elastic/elasticsearch';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import type { Sql } from '../commit/database.ts';
import type { BulkWindow } from './bulk-window.ts';
import type { HeldChunk } from './chunk-leases.ts';
import type { ChunkQueue } from './chunk-queue.ts';
import type { ClusterMender } from './cluster-mender.ts';
import type { ElasticsearchConfig } from './elasticsearch-config.ts';
import type { IndexCounters } from './index-batch.ts';
import type { Retries } from './retries.ts';

/** Made by createIndexer(), handed to its workers and its sweep. */
export interface IndexerState {
  readonly sql: Sql;
  readonly config: ElasticsearchConfig;
  readonly log: Log;
  readonly queue: ChunkQueue;
  /** Chunks that a worker has in its hands, by id. */
  readonly sending: Map<string, HeldChunk>;
  readonly counts: IndexCounters;
  readonly retries: Retries;
  readonly window: BulkWindow;
  readonly mender: ClusterMender;
  readonly client: Client;
}
