/**
 * The commands of `launchbeat`, as a Beat has them: run (default), test, export, version.
 */
import { indexTemplate, type TemplateBuild } from '@launchbeat/ecs-schemas';
import {
  addKeystoreCommands,
  addVersionCommand,
  beatCommand,
  defaultCommand,
  exportConfig,
  globalFlags,
  loadProgramConfig,
} from '@launchbeat/ecs-schemas/beat';
import { type Command, Option } from 'commander';
import { AGENT_HOME, agentVersion } from '../config.ts';
import { doctor } from './doctor.ts';
import { addEnrollCommand } from './enroll.ts';
import { run } from './run.ts';
import { addShipCommand } from './ship.ts';
import { addSpoolCommands } from './spool.ts';
import { status } from './status.ts';
import { testOutput } from './test-output.ts';
import { testSelection } from './test-selection.ts';

/** Builds the program; parse it with runBeat(). */
export function agentProgram(): Command {
  const program = beatCommand({
    name: 'launchbeat',
    description: 'Reads process-creation events (Security 4688) and ships them to a collector.',
    version: agentVersion(),
    configFile: AGENT_HOME.configFile,
  });

  defaultCommand(program, 'run')
    .description('read, spool and ship events until asked to stop (default)')
    .addOption(new Option('--stop-on-stdin-end').hideHelp())
    .action(async (_rest, options: { stopOnStdinEnd?: boolean }, command: Command) =>
      run(globalFlags(command), options),
    );

  const test = program.command('test').description('test the config or the way to the collector');
  test
    .command('config')
    .description('read the config and say whether it is right')
    .action((_options, command: Command) => {
      const { file } = loadProgramConfig(AGENT_HOME, globalFlags(command));
      console.log(`${file}: Config OK`);
    });
  test
    .command('output')
    .description('ask the collector whether it is there and knows the key')
    .action(async (_options, command: Command) => testOutput(globalFlags(command)));
  test
    .command('selection')
    .argument('<file>', 'events as XML, one a line, or a saved log (.evtx); - reads standard input')
    .option('--json', 'print one JSON object a line, the summary last')
    .description('say for each event of a file whether it would be shipped, and why not')
    .action(async (file: string, options: { json?: boolean }, command: Command) =>
      testSelection(file, { flags: globalFlags(command), isJson: options.json === true }),
    );

  const exports = program.command('export').description('print the config or the index template');
  exports
    .command('config')
    .description('print the config in force, without secrets')
    .action((_options, command: Command) =>
      console.log(exportConfig(AGENT_HOME, globalFlags(command)).trimEnd()),
    );
  exports
    .command('template')
    .description('print the index template of Elasticsearch')
    .addOption(new Option('--build <build>', 'field types').choices(['ecs', 'core']).default('ecs'))
    .action((options: { build: TemplateBuild }) =>
      console.log(JSON.stringify(indexTemplate({ build: options.build }), null, 2)),
    );

  program
    .command('doctor')
    .description('check everything that the agent needs; each failing row has its mend')
    .action(async (_options, command: Command) => doctor(globalFlags(command)));
  program
    .command('status')
    .option('--json', 'print all statistics as JSON')
    .description('say whether the agent runs, and what it counted')
    .action(async (options: { json?: boolean }, command: Command) =>
      status(globalFlags(command), options.json === true),
    );
  addEnrollCommand(program);
  addKeystoreCommands(program, AGENT_HOME);
  addSpoolCommands(program);
  addShipCommand(program);
  addVersionCommand(program, agentVersion());
  return program;
}
