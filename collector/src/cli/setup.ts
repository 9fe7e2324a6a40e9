/**
 * `launchbeat-collector setup`: tables of PostgreSQL and template of Elasticsearch. Running it again changes nothing.
 */
import type { GlobalFlags } from '@launchbeat/ecs-schemas/beat';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { openDatabase, type Sql } from '../commit/database.ts';
import { migrate } from '../commit/migrate.ts';
import { type CollectorConfig, loadCollector } from '../config.ts';
import { createIndexer } from '../index/create-indexer.ts';
import { importDashboards } from './import-dashboards.ts';

export interface SetupOptions {
  /** Import the dashboards too. */
  readonly dashboards?: boolean;
}

/** Sets up both stores and says what was done; throws where one of them refuses. */
export async function setup(flags: GlobalFlags, options: SetupOptions): Promise<void> {
  const { config, paths } = loadCollector(flags);
  const sql = openDatabase(config.postgresql);
  try {
    const applied = await migrate(sql);
    console.log(
      applied.length === 0
        ? 'PostgreSQL: tables are up to date.'
        : `PostgreSQL: applied ${applied.join(', ')}.`,
    );
    console.log(`Elasticsearch: ${await setUpElasticsearch(sql, config)}`);
    if (options.dashboards === true) {
      console.log(`Kibana: ${await importDashboards(config.kibana, paths)}`);
    }
  } finally {
    await sql.end();
  }
}

async function setUpElasticsearch(sql: Sql, config: CollectorConfig): Promise<string> {
  if (!config.elasticsearch.enabled) return 'switched off in the config.';
  const indexer = createIndexer({ sql, config: config.elasticsearch, log: SILENT_LOG });
  try {
    return (await indexer.setup()).detail;
  } finally {
    await indexer.close();
  }
}
