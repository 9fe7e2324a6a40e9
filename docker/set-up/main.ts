/**
 * The set-up of docker/compose.yaml: takes the secrets of the environment, gives stores that know the collector, its
 * certificates, its tables and its index template.
 * Keeps: running it again changes nothing that is right, and takes over a password that was changed in .env; each step says
 * what it did in one line; a step that fails ends it with exit code 1 and the mend.
 */
import { collectorProgram } from '../../collector/src/cli/collector-program.ts';
import { runBeat } from '../../ecs-schemas/src/beat/command-line.ts';
import { processEnvironment } from '../../ecs-schemas/src/beat/environment.ts';
import { ensureCertificates } from './certificates.ts';
import { ensureElasticsearchUsers } from './elasticsearch.ts';
import { ensureDatabase } from './postgresql.ts';
import { readSettings, type Settings } from './settings.ts';

/**
 * `launchbeat-collector setup` as the superuser of Elasticsearch: the collector's own user may read the template, not put it.
 * The password is expanded from the environment inside this process; no command line has it.
 */
const SETUP = [
  ...['--path.config', '/etc/launchbeat'],
  ...['-E', 'elasticsearch.username=elastic'],
  ...['-E', `elasticsearch.password="\${ELASTIC_PASSWORD}"`],
  'setup',
];

async function prepare(settings: Settings): Promise<void> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(`Certificates: ${await ensureCertificates(settings.certificates, new Date())}`);
  say(`PostgreSQL: ${await ensureDatabase(settings.postgresql)}`);
  say(`Elasticsearch: ${await ensureElasticsearchUsers(settings.elasticsearch)}`);
}

async function main(): Promise<number> {
  try {
    await prepare(readSettings(processEnvironment()));
  } catch (error) {
    process.stderr.write(`set-up: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
  return await runBeat(collectorProgram(), SETUP);
}

process.exitCode = await main();
