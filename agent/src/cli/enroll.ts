/**
 * `launchbeat enroll`: asks the collector for a key of this agent's own, for an enrolment token, and puts it into the keystore.
 * Keeps: the key is never printed and never in a config; a token that was used in vain (no answer came) can be used again.
 */
import { hostname, release, type } from 'node:os';
import {
  ENROLL_PATH,
  type EnrollAnswer,
  enrollAnswerSchema,
  problemSchema,
} from '@launchbeat/ecs-schemas';
import {
  type GlobalFlags,
  globalFlags,
  loadProgramConfig,
  programKeystore,
  readSecret,
} from '@launchbeat/ecs-schemas/beat';
import type { Command } from 'commander';
import { AGENT_HOME, agentVersion } from '../config.ts';
import { machineDigest } from '../machine.ts';
import { collectorOutput } from '../pipeline.ts';
import { agentIdentity } from '../spool/agent-identity.ts';
import { failoverExchange } from '../upload/failover-exchange.ts';
import { type Answer, openHttpExchange } from '../upload/http-exchange.ts';
import { screenLog } from './screen-log.ts';

interface EnrollOptions {
  readonly url: string;
  readonly token?: string;
  readonly force?: boolean;
}

/** The name under which launchbeat.yml as shipped looks for the key. */
const KEY_NAME = 'LAUNCHBEAT_API_KEY';
const TOKEN = /^[\w-]{1,64}:[\w-]{1,128}$/;

const HELP = `
A token comes from \`launchbeat-collector tokens add\`. Trust in the collector's certificate is that of the config
(output.collector.ssl), or given here:

  launchbeat enroll --url https://collector.example:8443 --token enroll-…:… \\
    -E output.collector.ssl.ca_trusted_fingerprint=…

Run it as the account that the agent runs as. An agent that runs already uses the new key after its next start.`;

/** Adds `enroll`. */
export function addEnrollCommand(program: Command): void {
  program
    .command('enroll')
    .requiredOption('--url <url>', 'the collector; several with commas')
    .option('--token <token>', 'enrolment token; without it, it is typed without echo or piped in')
    .option('--force', `replace ${KEY_NAME} in the keystore`)
    .description('get a key of its own for this agent, into the keystore')
    .addHelpText('after', HELP)
    .action(async (options: EnrollOptions, command: Command) =>
      enroll(options, globalFlags(command)),
    );
}

async function enroll(options: EnrollOptions, flags: GlobalFlags): Promise<void> {
  const keystore = programKeystore(AGENT_HOME, flags);
  const entries = new Map(keystore.read());
  if (entries.has(KEY_NAME) && options.force !== true) {
    throw new Error(`${keystore.file} has ${KEY_NAME} already. --force replaces it.`);
  }
  const { stdin, stderr } = process;
  const token =
    options.token ?? (await readSecret('Enrolment token (not shown): ', { stdin, stderr }));
  if (!TOKEN.test(token)) {
    throw new Error('Token is none: expected id:secret, as tokens add printed it.');
  }
  const { agentId, answer } = await ask(options.url, token, flags);
  keystore.write(entries.set(KEY_NAME, answer.api_key));
  console.log(`Agent ${agentId} is enrolled. Its key is in ${keystore.file} as ${KEY_NAME}.`);
  if (answer.tags.length > 0) console.log(`Tags: ${answer.tags.join(', ')}`);
  console.log(`launchbeat.yml needs these lines, beside those of ssl:

output:
  collector:
    url: ${options.url}
    api_key: \${${KEY_NAME}}`);
}

/** Throws with the mend where the collector gives no key. */
async function ask(
  url: string,
  token: string,
  flags: GlobalFlags,
): Promise<{ readonly agentId: string; readonly answer: EnrollAnswer }> {
  // The token stands where the key will: the config needs no key yet, and the request carries it as one.
  const way = [`output.collector.url=${url}`, `output.collector.api_key=${token}`];
  const { config, paths } = loadProgramConfig(AGENT_HOME, {
    ...flags,
    settings: [...flags.settings, ...way],
  });
  const log = screenLog();
  const agentId = agentIdentity(paths.data, log).id;
  const output = collectorOutput(config, paths);
  const collectors = output.url.map((one) => ({
    url: one,
    http: openHttpExchange(one, output, Date.now),
  }));
  const http = failoverExchange(collectors, log);
  const body = Buffer.from(
    JSON.stringify({
      ...{ agent_id: agentId, name: config.name, version: agentVersion() },
      host: {
        ...{ name: hostname(), os: `${type()} ${release()} ${process.arch}` },
        machine: machineDigest(),
      },
    }),
  );
  try {
    const headers = { 'Content-Type': 'application/json' };
    const answer = await http.exchange({ method: 'POST', path: ENROLL_PATH, headers, body });
    return { agentId, answer: keyIn(answer) };
  } finally {
    await http.close();
  }
}

function keyIn(answer: Answer): EnrollAnswer {
  if (answer.outcome === 'no_answer') {
    throw new Error(
      `Collector gave no answer: ${answer.reason}. The same token may be used again.`,
    );
  }
  const given = answer.status === 200 ? enrollAnswerSchema.safeParse(answer.body).data : undefined;
  if (given !== undefined) return given;
  const problem = problemSchema.safeParse(answer.body).data;
  const why =
    problem?.detail ?? problem?.title ?? (answer.text || 'it is no collector that enrols');
  throw new Error(`Collector gave no key (${answer.status}): ${why}`);
}
