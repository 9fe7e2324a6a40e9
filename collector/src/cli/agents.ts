/**
 * `launchbeat-collector agents`: keys of the agents. A key is printed once and stored as a digest only.
 */
import { globalFlags } from '@launchbeat/ecs-schemas/beat';
import type { Command } from 'commander';
import { openDatabase } from '../commit/database.ts';
import { migrate } from '../commit/migrate.ts';
import { loadCollector } from '../config.ts';
import { createKeyStore, type KeyStore } from '../fleet/keys.ts';

/** Adds `agents`. */
export function addAgentCommands(program: Command): void {
  const agents = program.command('agents').description('keys of the agents');
  agents
    .command('add')
    .argument('[name]', 'what to call the PC in lists', '')
    .description('make a key and print it once')
    .action(async (name: string, _options, command: Command) =>
      withKeys(command, async (keys) => {
        const key = await keys.create({ name });
        console.log(`${key.encoded}\n`);
        console.error(
          `Put it into the agent's launchbeat.yml as output.collector.api_key. It is not shown again; its id is ${key.id}.`,
        );
      }),
    );
  agents
    .command('ls')
    .description('list the keys, without secrets')
    .action(async (_options, command: Command) =>
      withKeys(command, async (keys) => {
        console.log(['ID', 'STATE', 'LAST USED', 'AGENT', 'NAME'].join('\t'));
        for (const key of await keys.list()) {
          const state = key.revokedAt === undefined ? 'valid' : 'revoked';
          const used = key.lastUsedAt?.toISOString() ?? 'never';
          console.log([key.id, state, used, key.agentId ?? '-', key.name].join('\t'));
        }
      }),
    );
  agents
    .command('revoke')
    .argument('<id>', 'id of the key, from `agents ls`')
    .description('refuse a key from now on')
    .action(async (id: string, _options, command: Command) =>
      withKeys(command, async (keys) => {
        if (!(await keys.revoke(id))) throw new Error(`No key has the id ${id}; see agents ls.`);
        console.log(`Key ${id} is revoked.`);
      }),
    );
}

async function withKeys(command: Command, use: (keys: KeyStore) => Promise<void>): Promise<void> {
  const { config } = loadCollector(globalFlags(command));
  const sql = openDatabase(config.postgresql);
  try {
    if (config.setup.enabled) await migrate(sql);
    await use(createKeyStore(sql));
  } finally {
    await sql.end();
  }
}
