/**
 * The collector's part of the bench: a PostgreSQL and an Elasticsearch of its own, all rows one after the other.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { startElasticsearch } from '../../tests/support/elasticsearch.ts';
import { startPostgres } from '../../tests/support/postgres.ts';
import { writeLines } from '../event-lines.ts';
import { profileOf } from '../profile-shares.ts';
import type { Part, PartOptions } from '../results.ts';
import { medianOfRounds } from '../rounds.ts';
import { measureBothStores } from './both-stores.ts';
import { measureCatchUp } from './catch-up.ts';
import type { DocumentForm } from './chunks.ts';
import { measureCommitRate } from './commit-rate.ts';
import { measureLoader } from './loader-rate.ts';

const AGENT_ID = '6f1c1f5e-7d9d-4f3e-9d39-4c8f5a0d2b11';
const HEAP_MB = 1024;

/** Measures it; gives figures under their keys and details beside. */
export async function benchCollector(options: PartOptions): Promise<Part<'collector'>> {
  const { settings, say } = options;
  say('starting PostgreSQL');
  const postgres = await startPostgres();
  try {
    const commitOf = (form: DocumentForm) => () =>
      measureCommitRate(options.folder, postgres.url, settings.collectorEvents, form);
    say('commit, documents of 1 kB');
    const commitOf1kB = await medianOfRounds(settings.rounds, commitOf('few_fields'));
    say('commit, documents as the agent writes them');
    const commit = await medianOfRounds(settings.rounds, commitOf('whole'));
    say('commit, profile');
    const profile = await profileOf(
      'collector',
      join(options.folder, 'profile'),
      commitOf('whole'),
    );
    const both = settings.elasticsearch ? await benchStores(options, postgres.url) : undefined;
    const catchUp =
      both?.catchUp ??
      (await measureCatchUp({
        folder: options.folder,
        postgresUrl: postgres.url,
        ...settings.catchUp,
      }));
    return {
      figures: {
        commit: {
          eventsPerSecond: commitOf1kB.eventsPerSecond,
          wholeDocumentsPerSecond: commit.eventsPerSecond,
        },
        bothStores: {
          eventsPerSecond: both?.stores['ownEventsPerSecond'] ?? null,
          loaderEventsPerSecond: both?.stores['loaderEventsPerSecond'] ?? null,
        },
        catchUp1000Agents: { seconds: catchUp.seconds, peakRssMiB: catchUp.peakRssMiB },
      },
      detail: {
        commit,
        commitOf1kB,
        commitProfile: profile,
        bothStores: both?.stores ?? null,
        catchUp,
        events: settings.collectorEvents,
      },
    };
  } finally {
    await postgres.stop();
  }
}

/** What needs Elasticsearch. The first pass of each warms it up and does not count. */
async function benchStores({ folder, settings, say }: PartOptions, postgresUrl: string) {
  say('starting Elasticsearch');
  const elasticsearch = await startElasticsearch({
    private: true,
    fullSpeed: true,
    heapMb: HEAP_MB,
  });
  const elasticsearchUrl = elasticsearch.url;
  const events = settings.bothStoresEvents;
  const file = join(folder, 'to-ship.ndjson');
  const once = async (round: number) => {
    const own = await measureBothStores({ folder, postgresUrl, elasticsearchUrl, events });
    const namespace = `loader_${process.pid}_${round}`;
    writeLines(file, events, { namespace, agentId: AGENT_ID });
    const loader = await measureLoader(elasticsearchUrl, namespace, file, events);
    rmSync(file);
    return {
      ownEventsPerSecond: own.eventsPerSecond,
      ownCollectorMicrosPerEvent: own.collectorMicrosPerEvent,
      ownAgentMicrosPerEvent: own.agentMicrosPerEvent,
      ownPostgresMicrosPerEvent: own.postgresMicrosPerEvent,
      ownElasticsearchMicrosPerEvent: own.elasticsearchMicrosPerEvent,
      ownCollectorPeakRssMiB: own.collectorPeakRssMiB,
      loaderEventsPerSecond: loader.eventsPerSecond,
      loaderMicrosPerEvent: loader.loaderMicrosPerEvent,
      loaderElasticsearchMicrosPerEvent: loader.elasticsearchMicrosPerEvent,
      ratio: own.eventsPerSecond / loader.eventsPerSecond,
    };
  };
  try {
    say('both stores, and the loader: warming Elasticsearch up');
    await once(0);
    say('both stores, and the loader');
    const stores = await medianOfRounds(settings.rounds, (round) => once(round + 1));
    say(`${settings.catchUp.agents} agents catch up`);
    const catchUp = await measureCatchUp({
      ...{ folder, postgresUrl, elasticsearchUrl },
      ...settings.catchUp,
    });
    return { stores, catchUp };
  } finally {
    await elasticsearch.stop();
  }
}
