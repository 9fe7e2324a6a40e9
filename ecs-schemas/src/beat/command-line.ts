/**
 * The command line that every Beat has: global flags, `run` as the default command, exit codes 0, 1 and 78.
 * Source: Beats' command reference (`-c`, `-e`, `-E`, `--path.*`).
 */
import { Command, CommanderError } from 'commander';
import { ConfigError, EXIT_CONFIG } from './config-problem.ts';
import type { PathConfig } from './paths.ts';

/** What the global flags said. */
export interface GlobalFlags {
  /** `-c FILE`; absent = the default file in path.config. */
  readonly configFile?: string;
  /** `-e`: log to stderr. */
  readonly logToStderr: boolean;
  /** `-E key=value`, in order. */
  readonly settings: readonly string[];
  /** `--path.*`. */
  readonly paths: PathConfig;
}

export interface BeatCommandOptions {
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly configFile: string;
}

const collect = (value: string, before: string[]): string[] => [...before, value];

/** A commander program with the global flags; sub-commands read them with `globalFlags()`. */
export function beatCommand(options: BeatCommandOptions): Command {
  return new Command(options.name)
    .description(options.description)
    .option('-c, --config <file>', `config file (default: ${options.configFile} in path.config)`)
    .option('-e, --stderr', 'log to stderr as well')
    .option('-E, --setting <key=value>', 'overwrite a config key; may be repeated', collect, [])
    .option('--path.home <folder>', 'folder of the program')
    .option('--path.config <folder>', 'folder of the config files')
    .option('--path.data <folder>', 'folder of state that must survive')
    .option('--path.logs <folder>', "folder of the program's own log")
    .configureHelp({ sortSubcommands: false, showGlobalOptions: true })
    .showHelpAfterError('(run with --help to see what there is)')
    .exitOverride();
}

/**
 * Adds the command that runs when none is named. A word that is no command would reach it as an argument: it is refused as what it is.
 * The action gets the (empty) rest first.
 */
export function defaultCommand(program: Command, name: string): Command {
  return program
    .command(name, { isDefault: true })
    .usage('[options]')
    .argument('[rest...]')
    .hook('preAction', (_program, command) => {
      const [word] = command.args;
      if (word === undefined) return;
      throw new Error(`"${word}" is no command. ${program.name()} --help lists them.`);
    });
}

/** Adds `version`. */
export function addVersionCommand(program: Command, version: string): void {
  program
    .command('version')
    .description('print the version')
    .action(() =>
      console.log(
        `${program.name()} version ${version} (${process.platform}/${process.arch}), Node.js ${process.version}`,
      ),
    );
}

/** Reads the global flags from any sub-command. */
export function globalFlags(command: Command): GlobalFlags {
  const flags = command.optsWithGlobals() as Record<string, unknown>;
  const text = (key: string): string | undefined => flags[key] as string | undefined;
  return {
    ...(text('config') === undefined ? {} : { configFile: String(text('config')) }),
    logToStderr: flags['stderr'] === true,
    settings: (flags['setting'] as string[] | undefined) ?? [],
    paths: {
      home: text('path.home'),
      config: text('path.config'),
      data: text('path.data'),
      logs: text('path.logs'),
    },
  };
}

/** Runs a program to its exit code: 0 done, 1 failed, 78 the config is wrong (every problem printed). */
export async function runBeat(program: Command, argv: readonly string[]): Promise<number> {
  try {
    await program.parseAsync(argv, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
    if (error instanceof ConfigError) {
      const count = error.problems.length;
      process.stderr.write(
        `${error.message}\n${count} problem${count === 1 ? '' : 's'} in ${error.file}; nothing was started.\n`,
      );
      return EXIT_CONFIG;
    }
    const text = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${program.name()}: ${text}\n`);
    return 1;
  }
}

/** Ends the process with a code once everything printed is with its reader: process.exit() alone cuts what a pipe has not taken. */
export async function endProcess(code: number): Promise<never> {
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((resolve) => {
      stream.once('error', () => resolve());
      stream.write('', () => resolve());
    });
  }
  process.exit(code);
}
