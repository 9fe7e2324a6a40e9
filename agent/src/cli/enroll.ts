/**
 * `launchbeat enroll`: asks the collector for a key of this agent's own, for an enrolment token, and puts it into the keystore.
 * Keeps: the key is never printed and never in a config; a token that was used in vain (no answer came) can be used again.
 */
import type { EnrollAnswer } from '@launchbeat/ecs-schemas';
import {
  type GlobalFlags,
  globalFlags,
  loadProgramConfig,
  programKeystore,
  readSecret,
} from '@launchbeat/ecs-schemas/beat';
import type { Command } from 'commander';
import { KEY_NAME, requestKey } from '../checkin/request-key.ts';
import { AGENT_HOME, agentVersion } from '../config.ts';
import { machineDigest } from '../machine.ts';
import { collectorOutput } from '../pipeline.ts';
import { agentIdentity } from '../spool/agent-identity.ts';
import { failoverExchange } from '../upload/failover-exchange.ts';
import { openHttpExchange } from '../upload/http-exchange.ts';
import { screenLog } from './screen-log.ts';

interface EnrollOptions {
  readonly url: string;
  readonly token?: string;
  readonly force?: boolean;
}

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
  const applicant = {
    ...{ agentId, name: config.name, version: agentVersion() },
    machine: machineDigest(),
  };
  try {
    const key = await requestKey(http, token, applicant);
    if (key.outcome === 'done') return { agentId, answer: key.answer };
    throw new Error(
      key.outcome === 'refused'
        ? `Collector gave no key (${key.status}): ${key.reason}`
        : `Collector gave no answer: ${key.reason}. The same token may be used again.`,
    );
  } finally {
    await http.close();
  }
}
