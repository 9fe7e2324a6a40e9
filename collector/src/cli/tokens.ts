/**
 * `launchbeat-collector tokens`: enrolment tokens, for which agents get keys of their own. A token is printed once and stored as a
 * digest only.
 */
import { duration } from '@launchbeat/ecs-schemas/beat';
import type { Command } from 'commander';
import { addToken, listTokens, revokeToken, type TokenPolicy } from '../fleet/tokens.ts';
import { commandActor, withDatabase } from './with-database.ts';

interface AddOptions {
  readonly uses: string;
  readonly expires: string;
  readonly tag: readonly string[];
  readonly forwarder?: boolean;
  readonly knownAgents?: boolean;
}

const TAG_CHARACTERS_MAX = 100;

/** Adds `tokens`. */
export function addTokenCommands(program: Command): void {
  const tokens = program.command('tokens').description('tokens for which agents enrol');
  tokens
    .command('add')
    .argument('[name]', 'what to call it in lists', '')
    .option('--uses <number>', 'agents that may enrol with it; 0 = any number', '1')
    .option(
      '--expires <duration>',
      'how long it can be used, such as 24h or 7d; 0 = for ever',
      '7d',
    )
    .option('--tag <tag>', 'tag that agents get which enrol with it; may be repeated', append, [])
    .option(
      '--forwarder',
      'keys are for events of any computer; without it, of the one that enrols and no other',
    )
    .option('--known-agents', 'also for agents that have a key: the new one ends the old one')
    .description('make a token and print it once')
    .action(async (name: string, options: AddOptions, command: Command) => {
      const policy = policyOf(name, options);
      await withDatabase(command, async (sql) => {
        const token = await addToken(sql, policy, commandActor());
        console.log(`${token.encoded}\n`);
        console.error(
          `On the PC: launchbeat enroll --url <this collector> --token <the token>. It is not shown again; its id is ${token.id}.`,
        );
      });
    });
  tokens
    .command('ls')
    .description('list the tokens, without secrets')
    .action(async (_options, command: Command) =>
      withDatabase(command, async (sql) => {
        console.log(['ID', 'STATE', 'USES', 'EXPIRES', 'TAGS', 'NAME'].join('\t'));
        for (const token of await listTokens(sql)) {
          const uses = `${token.uses}/${token.usesMax ?? 'any'}`;
          const expires = token.expiresAt?.toISOString() ?? 'never';
          const tags = token.tags.join(',') || '-';
          console.log([token.id, token.state, uses, expires, tags, token.name].join('\t'));
        }
      }),
    );
  tokens
    .command('revoke')
    .argument('<id>', 'id of the token, from `tokens ls`')
    .description('refuse a token from now on; keys that it gave stay valid')
    .action(async (id: string, _options, command: Command) =>
      withDatabase(command, async (sql) => {
        if (!(await revokeToken(sql, id, commandActor()))) {
          throw new Error(`No token has the id ${id}; see tokens ls.`);
        }
        console.log(`Token ${id} is revoked.`);
      }),
    );
}

const append = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** Throws with the mend where an option is none. */
function policyOf(name: string, options: AddOptions): TokenPolicy {
  if (!/^\d{1,9}$/.test(options.uses)) {
    throw new Error(`--uses ${options.uses}: expected a number of agents, or 0 for any number.`);
  }
  const expires = duration('7d').safeParse(options.expires);
  if (!expires.success) {
    throw new Error(`--expires ${options.expires}: ${expires.error.issues[0]?.message}.`);
  }
  const wrong = options.tag.find((tag) => tag === '' || tag.length > TAG_CHARACTERS_MAX);
  if (wrong !== undefined) {
    throw new Error(`--tag: expected 1 to ${TAG_CHARACTERS_MAX} characters.`);
  }
  const usesMax = Number(options.uses);
  return {
    name,
    tags: options.tag,
    forwarder: options.forwarder === true,
    knownAgents: options.knownAgents === true,
    ...(usesMax === 0 ? {} : { usesMax }),
    ...(expires.data === 0 ? {} : { expiresAt: new Date(Date.now() + expires.data) }),
  };
}
