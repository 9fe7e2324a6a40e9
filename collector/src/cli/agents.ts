/**
 * `launchbeat-collector agents`: keys of the agents, and how the agents do. A key is printed once and stored as a digest only.
 */
import type { Command } from 'commander';
import { addKey, bindHosts, revokeAgent, revokeKey } from '../fleet/agent-changes.ts';
import { createKeyStore } from '../fleet/keys.ts';
import { askForRotation } from '../fleet/rotate-key.ts';
import { printAgent, printAgents } from './print-agents.ts';
import { commandActor, withDatabase } from './with-database.ts';

const AGENT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Adds `agents`. */
export function addAgentCommands(program: Command): void {
  const agents = program.command('agents').description('keys of the agents, and how they do');
  addKeyCommands(agents);
  addRotateCommand(agents);
  agents
    .command('status')
    .description('list the agents: state, last check-in, version, why they are not healthy')
    .action(async (_options, command: Command) => withDatabase(command, printAgents));
  agents
    .command('show')
    .argument('<agent>', 'id of the agent, from `agents status`')
    .description('say all that is known of one agent, with its last health facts')
    .action(async (id: string, _options, command: Command) =>
      withDatabase(command, (sql, config) => printAgent(sql, config, agentId(id))),
    );
  agents
    .command('hosts')
    .argument('<agent>', 'id of the agent')
    .argument('[host...]', 'computers whose events its keys may send')
    .option('--any', 'any computer')
    .description('bind the keys of an agent to computers; in force within seconds')
    .action(async (id: string, hosts: string[], options: { any?: boolean }, command: Command) => {
      if (hosts.length > 0 === (options.any === true)) {
        throw new Error('Name computers, or give --any.');
      }
      await withDatabase(command, async (sql) => {
        const names = options.any === true ? undefined : hosts;
        if (!(await bindHosts(sql, agentId(id), names, commandActor()))) {
          throw new Error(`Agent ${id} has no valid key; see agents ls.`);
        }
        console.log(
          `Keys of agent ${id} are for events of ${names?.join(', ') ?? 'any computer'}.`,
        );
      });
    });
}

function addRotateCommand(agents: Command): void {
  agents
    .command('rotate')
    .argument('[agent]', 'id of the agent')
    .option('--all', 'every agent that has a valid key')
    .description('have an agent take a new key; the one before is good until the new one is used')
    .action(async (id: string | undefined, options: { all?: boolean }, command: Command) => {
      if ((id === undefined) !== (options.all === true)) {
        throw new Error('Name one agent, or give --all.');
      }
      const which = id === undefined ? 'all' : { agentId: agentId(id) };
      await withDatabase(command, async (sql) => {
        const asked = await askForRotation(sql, which, commandActor());
        if (asked.length === 0) {
          throw new Error('No such agent has a valid key; see agents status and agents ls.');
        }
        console.log(
          `${asked.length} ${asked.length === 1 ? 'agent takes' : 'agents take'} a new key with the next check-in; see agents show.`,
        );
      });
    });
}

function addKeyCommands(agents: Command): void {
  agents
    .command('add')
    .argument('[name]', 'what to call the PC in lists', '')
    .option('--host <host>', 'computer whose events it may send; may be repeated', append, [])
    .description('make a key and print it once; without --host it is for events of any computer')
    .action(async (name: string, options: { host: readonly string[] }, command: Command) =>
      withDatabase(command, async (sql) => {
        const hosts = options.host.length === 0 ? {} : { hosts: options.host };
        const key = await addKey(sql, { name, ...hosts }, commandActor());
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
      withDatabase(command, async (sql) => {
        console.log(['ID', 'STATE', 'LAST USED', 'AGENT', 'NAME'].join('\t'));
        for (const key of await createKeyStore(sql).list()) {
          const state = key.revokedAt === undefined ? 'valid' : 'revoked';
          const used = key.lastUsedAt?.toISOString() ?? 'never';
          console.log([key.id, state, used, key.agentId ?? '-', key.name].join('\t'));
        }
      }),
    );
  agents
    .command('revoke')
    .argument('<id>', 'id of a key, from `agents ls`, or of an agent: all its keys')
    .description('refuse a key, or an agent, from now on')
    .action(async (id: string, _options, command: Command) =>
      withDatabase(command, async (sql) => {
        if (AGENT_ID.test(id)) {
          const keys = await revokeAgent(sql, agentId(id), commandActor());
          if (keys === undefined) throw new Error(`No agent has the id ${id}; see agents status.`);
          console.log(`Agent ${id} is revoked, with ${keys} ${keys === 1 ? 'key' : 'keys'}.`);
          return;
        }
        if (!(await revokeKey(sql, id, commandActor()))) {
          throw new Error(`No key has the id ${id}; see agents ls.`);
        }
        console.log(`Key ${id} is revoked.`);
      }),
    );
}

const append = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** Throws where it is no agent's id: PostgreSQL would only say that it is no UUID. */
function agentId(text: string): string {
  if (AGENT_ID.test(text)) return text.toLowerCase();
  throw new Error(`${text} is no id of an agent (a UUID); see agents status.`);
}
