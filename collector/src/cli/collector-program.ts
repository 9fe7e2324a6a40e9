/**
 * The commands of `launchbeat-collector`: run (default), setup, test, export, keystore, agents, tokens, audit, certs, rules, reindex,
 * dead-letters, doctor, version.
 */
import { indexTemplate, type TemplateBuild } from '@launchbeat/ecs-schemas';
import {
  addKeystoreCommands,
  addVersionCommand,
  beatCommand,
  defaultCommand,
  exportConfig,
  globalFlags,
} from '@launchbeat/ecs-schemas/beat';
import { bundleText, type Language, rulesText } from '@launchbeat/kibana-saved-objects';
import { type Command, Option } from 'commander';
import { COLLECTOR_HOME, collectorVersion, loadCollector } from '../config.ts';
import { addAgentCommands } from './agents.ts';
import { addAuditCommand } from './audit.ts';
import { addCertificateCommands } from './certs.ts';
import { addDeadLetterCommands } from './dead-letters.ts';
import { doctor } from './doctor.ts';
import { addReindexCommand } from './reindex.ts';
import { addRuleCommands } from './rules.ts';
import { run } from './run.ts';
import { type SetupOptions, setup } from './setup.ts';
import { testOutput } from './test-output.ts';
import { addTokenCommands } from './tokens.ts';

/** Builds the program; parse it with runBeat(). */
export function collectorProgram(): Command {
  const program = beatCommand({
    name: 'launchbeat-collector',
    description: 'Takes chunks from the agents; feeds PostgreSQL, Elasticsearch and Telegram.',
    version: collectorVersion(),
    configFile: COLLECTOR_HOME.configFile,
  });

  defaultCommand(program, 'run')
    .description('take chunks until asked to stop (default)')
    .action(async (_rest, _options, command: Command) => run(globalFlags(command)));
  program
    .command('setup')
    .description('make or update the tables of PostgreSQL and the template of Elasticsearch')
    .option(
      '--roles',
      'make the roles of least privilege too: owner, writer and reader of the database',
    )
    .option('--dashboards', 'import the dashboards into Kibana too')
    .option('--no-overwrite', 'with --dashboards: leave alone what is there already, and name it')
    .action(async (options: SetupOptions, command: Command) =>
      setup(globalFlags(command), options),
    );

  program
    .command('doctor')
    .description('check everything that a collector needs; each row that is not well says its mend')
    .action(async (_options, command: Command) => doctor(globalFlags(command)));

  const test = program.command('test').description('test the config or the stores');
  test
    .command('config')
    .description('read both config files and say whether they are right')
    .action((_options, command: Command) => {
      const { file, alertsFile } = loadCollector(globalFlags(command));
      console.log(`${file}: Config OK\n${alertsFile}: Config OK`);
    });
  test
    .command('output')
    .description('ask PostgreSQL, Elasticsearch and Telegram whether they can be used')
    .action(async (_options, command: Command) => testOutput(globalFlags(command)));

  const exports = program.command('export').description('print the config or the index template');
  exports
    .command('config')
    .description('print the config in force, without secrets')
    .action((_options, command: Command) =>
      console.log(exportConfig(COLLECTOR_HOME, globalFlags(command)).trimEnd()),
    );
  exports
    .command('template')
    .description('print the index template of Elasticsearch')
    .addOption(new Option('--build <build>', 'field types').choices(['ecs', 'core']).default('ecs'))
    .option('--retention <time>', 'retention of the data stream, e.g. 90d')
    .action((options: { build: TemplateBuild; retention?: string }) =>
      console.log(JSON.stringify(indexTemplate(options), null, 2)),
    );

  addKibanaExports(exports);

  addKeystoreCommands(program, COLLECTOR_HOME);
  addAgentCommands(program);
  addTokenCommands(program);
  addAuditCommand(program);
  addCertificateCommands(program);
  addRuleCommands(program);
  addReindexCommand(program);
  addDeadLetterCommands(program);
  addVersionCommand(program, collectorVersion());
  return program;
}

/** What Kibana imports by hand. */
function addKibanaExports(exports: Command): void {
  exports
    .command('dashboard')
    .description('print the dashboards as Kibana imports them, NDJSON')
    .addOption(new Option('--language <language>').choices(['en', 'ru']).default('en'))
    .action((options: { language: Language }) => {
      process.stdout.write(bundleText(options.language));
    });
  exports
    .command('detection-rules')
    .description('print the rules for Elastic Security as Kibana imports them, NDJSON')
    .action(() => {
      process.stdout.write(rulesText());
    });
}
