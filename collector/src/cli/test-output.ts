/**
 * `launchbeat-collector test output`: asks each store whether it can be used, and says so in one line each.
 */
import { type GlobalFlags, SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { openDatabase } from '../commit/database.ts';
import { loadCollector } from '../config.ts';
import { createIndexer } from '../index/create-indexer.ts';
import { createNotifier } from '../notify/create-notifier.ts';

interface Answer {
  readonly ok: boolean;
  readonly detail: string;
}

/** Prints what was found; sets exit code 1 where PostgreSQL, or a store that is switched on, cannot be used. */
export async function testOutput(flags: GlobalFlags): Promise<void> {
  const { config, alerts } = loadCollector(flags);
  const sql = openDatabase(config.postgresql);
  const log = SILENT_LOG;
  const indexer = createIndexer({ sql, config: config.elasticsearch, log });
  const notifier = createNotifier({ sql, config: config.telegram, alerts, log });
  try {
    await tell('PostgreSQL', async () => {
      const [row] = await sql<{ version: string }[]>`select version() as version`;
      return { ok: true, detail: row?.version ?? 'no version' };
    });
    await tell('Elasticsearch', async () => indexer.check());
    await tell('Telegram', async () => notifier.check());
  } finally {
    await indexer.close();
    await sql.end();
  }
}

async function tell(name: string, ask: () => Promise<Answer>): Promise<void> {
  const answer = await ask().catch((error: unknown) => ({
    ok: false,
    detail: error instanceof Error ? error.message || String(error) : String(error),
  }));
  console.log(`${name}... ${answer.ok ? 'OK' : 'ERROR'}: ${answer.detail}`);
  if (!answer.ok) process.exitCode = 1;
}
