/**
 * `launchbeat-collector setup`: tables of PostgreSQL and template of Elasticsearch. Running it again changes nothing.
 */
import type { GlobalFlags } from '@launchbeat/ecs-schemas/beat';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { openDatabase } from '../commit/database.ts';
import { migrate } from '../commit/migrate.ts';
import { loadCollector } from '../config.ts';
import { createIndexer } from '../index/create-indexer.ts';

/** Sets up both stores and says what was done; throws where one of them refuses. */
export async function setup(flags: GlobalFlags): Promise<void> {
  const { config } = loadCollector(flags);
  const sql = openDatabase(config.postgresql);
  try {
    const applied = await migrate(sql);
    console.log(
      applied.length === 0
        ? 'PostgreSQL: tables are up to date.'
        : `PostgreSQL: applied ${applied.join(', ')}.`,
    );
    if (!config.elasticsearch.enabled) {
      console.log('Elasticsearch: switched off in the config.');
      return;
    }
    const indexer = createIndexer({ sql, config: config.elasticsearch, log: SILENT_LOG });
    try {
      console.log(`Elasticsearch: ${(await indexer.setup()).detail}`);
    } finally {
      await indexer.close();
    }
  } finally {
    await sql.end();
  }
}
