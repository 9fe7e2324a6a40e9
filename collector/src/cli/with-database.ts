/**
 * Takes what a command wants of PostgreSQL, gives it a client on tables that are up to date, and says who asks.
 */
import { hostname, userInfo } from 'node:os';
import { globalFlags } from '@launchbeat/ecs-schemas/beat';
import type { Command } from 'commander';
import { openDatabase, type Sql } from '../commit/database.ts';
import { migrate } from '../commit/migrate.ts';
import { type CollectorConfig, loadCollector } from '../config.ts';

/** Runs `use` on the database of the config; the connection is closed behind it. */
export async function withDatabase(
  command: Command,
  use: (sql: Sql, config: CollectorConfig) => Promise<void>,
): Promise<void> {
  const { config } = loadCollector(globalFlags(command));
  const sql = openDatabase(config.postgresql);
  try {
    if (config.setup.enabled) await migrate(sql);
    await use(sql, config);
  } finally {
    await sql.end();
  }
}

/** Who stands in the audit log for what a command changed: `cli:<account>@<host>`. */
export function commandActor(): string {
  return `cli:${account()}@${hostname()}`;
}

/** An account that has no name (a bare uid in a container) is told by its number. */
function account(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
