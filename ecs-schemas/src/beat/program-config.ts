/**
 * Takes the global flags of a command, gives the program's config, its folders and the file that it came from.
 * Keeps: both programs find, read and show their config in the same way.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { z } from 'zod';
import type { GlobalFlags } from './command-line.ts';
import { processEnvironment } from './environment.ts';
import { loadConfig, readConfigValues } from './load-config.ts';
import { type PathConfig, type Paths, resolveFile, settlePaths } from './paths.ts';

/** What a program says of itself. */
export interface ProgramHome<Schema extends z.ZodType<{ path: PathConfig }>> {
  /** Folder that holds the shipped config; the default of path.home. */
  readonly folder: string;
  /** Name of the shipped config, e.g. `launchbeat.yml`. */
  readonly configFile: string;
  readonly schema: Schema;
}

export interface LoadedConfig<Config> {
  readonly config: Config;
  readonly paths: Paths;
  /** Absolute path of the file. */
  readonly file: string;
}

function configFileOf(
  home: ProgramHome<z.ZodType<{ path: PathConfig }>>,
  flags: GlobalFlags,
): string {
  const folder = settlePaths(home.folder, flags.paths).config;
  return flags.configFile === undefined
    ? join(folder, home.configFile)
    : resolveFile(folder, flags.configFile, existsSync);
}

/** Loads a program's config. Throws ConfigError with every problem. */
export function loadProgramConfig<Schema extends z.ZodType<{ path: PathConfig }>>(
  home: ProgramHome<Schema>,
  flags: GlobalFlags,
): LoadedConfig<z.infer<Schema>> {
  const file = configFileOf(home, flags);
  const config = loadConfig({
    file,
    schema: home.schema,
    settings: flags.settings,
    environment: processEnvironment(),
  });
  return { config, paths: settlePaths(home.folder, flags.paths, config.path), file };
}

const SECRET_KEY = /(^|_)(api_key|token|password|secret|passphrase)$/;

/** A value tree with every secret replaced, by the name of its key; passwords inside URLs too. */
function redacted(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => redacted(item, key));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, redacted(inner, name)]),
    );
  }
  if (value !== undefined && value !== null && SECRET_KEY.test(key)) return '[redacted]';
  return typeof value === 'string'
    ? value.replace(/(\/\/[^/:@\s]*:)[^/@\s]*@/g, '$1[redacted]@')
    : value;
}

/** The config as it is in force (variables and `-E` applied, defaults left out), as YAML without secrets. */
export function exportConfig(
  home: ProgramHome<z.ZodType<{ path: PathConfig }>>,
  flags: GlobalFlags,
): string {
  const file = configFileOf(home, flags);
  loadProgramConfig(home, flags);
  return stringify(
    redacted(
      readConfigValues({ file, settings: flags.settings, environment: processEnvironment() })
        .values,
    ),
  );
}
