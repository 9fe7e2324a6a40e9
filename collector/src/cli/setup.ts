/**
 * `launchbeat-collector setup`: tables and roles of PostgreSQL, template of Elasticsearch. Running it again changes nothing.
 */
import type { GlobalFlags } from '@launchbeat/ecs-schemas/beat';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { openDatabase, type Sql } from '../commit/database.ts';
import { migrate } from '../commit/migrate.ts';
import type { PostgresqlConfig } from '../commit/postgresql-config.ts';
import { ensureRoles, grantRights, ownerRole } from '../commit/roles.ts';
import { type CollectorConfig, loadCollector } from '../config.ts';
import { createIndexer } from '../index/create-indexer.ts';
import { importDashboards } from './import-dashboards.ts';

export interface SetupOptions {
  /** Import the dashboards too. */
  readonly dashboards?: boolean;
  /** Replace dashboards of ours that are there already; so unless told otherwise. */
  readonly overwrite?: boolean;
  /** Make the roles of least privilege. */
  readonly roles?: boolean;
}

/** Sets up both stores and says what was done; throws where one of them refuses. */
export async function setup(flags: GlobalFlags, options: SetupOptions): Promise<void> {
  const { config, paths } = loadCollector(flags);
  await withClient({ url: urlOf(config.postgresql) }, async (sql) => {
    if (options.roles === true) await makeRoles(sql);
    const role = await ownerRole(sql);
    // What is made belongs to the owner role where there is one, whoever signs in.
    await withClient({ url: urlOf(config.postgresql), role }, async (asOwner) => {
      console.log(`PostgreSQL: ${await makeTables(asOwner)}`);
      if (role !== undefined) await grantRights(asOwner);
    });
    console.log(`Elasticsearch: ${await setUpElasticsearch(sql, config)}`);
  });
  if (options.dashboards === true) {
    console.log(
      `Kibana: ${await importDashboards(config.kibana, paths, options.overwrite !== false)}`,
    );
  }
}

const urlOf = (config: PostgresqlConfig): string => config.setup_url ?? config.url;

async function withClient(
  options: Parameters<typeof openDatabase>[0],
  use: (sql: Sql) => Promise<void>,
): Promise<void> {
  const sql = openDatabase({ ...options, connections_max: 2 });
  try {
    await use(sql);
  } finally {
    await sql.end();
  }
}

async function makeRoles(sql: Sql): Promise<void> {
  const { owner, writer, reader } = await ensureRoles(sql);
  console.log(`PostgreSQL: roles ${owner}, ${writer} and ${reader}. They cannot sign in; logins are made so:
  create role collector login password '...' in role "${writer}";
  create role analyst login password '...' in role "${reader}";`);
}

async function makeTables(sql: Sql): Promise<string> {
  const applied = await migrate(sql);
  return applied.length === 0 ? 'tables are up to date.' : `applied ${applied.join(', ')}.`;
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
