/**
 * Takes the global flags of a command, gives the program's config, its folders and the file that it came from.
 * Keeps: both programs find, read and show their config in the same way; `${KEY}` is looked up in the keystore, then in the
 * environment.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import type { GlobalFlags } from './command-line.ts';
import { ConfigError } from './config-problem.ts';
import { type Environment, processEnvironment } from './environment.ts';
import { type Keystore, openKeystore } from './keystore.ts';
import { loadConfig, readConfigValues } from './load-config.ts';
import {
  type PathConfig,
  type Paths,
  pathConfigSchema,
  resolveFile,
  settlePaths,
} from './paths.ts';

/** What a program says of itself. */
export interface ProgramHome<Schema extends z.ZodType<{ path: PathConfig }>> {
  /** Name of the program; its keystore is `<name>.keystore`. */
  readonly name: string;
  /** Folder that holds the shipped config; the default of path.home. */
  readonly folder: string;
  /** Name of the shipped config, e.g. `launchbeat.yml`. */
  readonly configFile: string;
  readonly schema: Schema;
  /** Top-level keys that a command does without; what is wrong there does not stop it. Not in the schema then. */
  readonly unread?: readonly string[];
}

export interface LoadedConfig<Config> {
  readonly config: Config;
  readonly paths: Paths;
  /** Absolute path of the file. */
  readonly file: string;
  /** What `${KEY}` stands for: the keystore over the environment. */
  readonly environment: Environment;
}

/** Version of a program, `major.minor.patch`, from the package.json beside its shipped config. */
export function programVersion(folder: string): string {
  const manifest = readFileSync(join(folder, 'package.json'), 'utf8');
  return z.object({ version: z.string() }).parse(JSON.parse(manifest)).version;
}

/** Any program. */
export type AnyHome = ProgramHome<z.ZodType<{ path: PathConfig }>>;

function configFileOf(home: AnyHome, flags: GlobalFlags): string {
  const folder = settlePaths(home.folder, flags.paths).config;
  return flags.configFile === undefined
    ? join(folder, home.configFile)
    : resolveFile(folder, flags.configFile);
}

/**
 * The keystore of a program. Its place follows from `path` alone, which may name environment variables but no keys of the
 * keystore; a config that is wrong elsewhere does not matter.
 */
export function programKeystore(home: AnyHome, flags: GlobalFlags): Keystore {
  const data = settlePaths(home.folder, flags.paths, pathsInConfig(home, flags)).data;
  return openKeystore(data, home.name);
}

function pathsInConfig(home: AnyHome, flags: GlobalFlags): PathConfig {
  try {
    const { values } = readConfigValues({
      file: configFileOf(home, flags),
      settings: flags.settings,
      environment: processEnvironment(),
    });
    return pathConfigSchema.safeParse(values['path'] ?? {}).data ?? {};
  } catch (error) {
    if (error instanceof ConfigError) return {};
    throw error;
  }
}

/** The secrets of the keystore; a keystore that cannot be read is a problem of the config. */
function secretsOf(home: AnyHome, flags: GlobalFlags): ReadonlyMap<string, string> {
  const keystore = programKeystore(home, flags);
  try {
    return keystore.read();
  } catch (error) {
    throw new ConfigError(keystore.file, [{ path: '', message: (error as Error).message }]);
  }
}

/** Loads a program's config. Throws ConfigError with every problem. */
export function loadProgramConfig<Schema extends z.ZodType<{ path: PathConfig }>>(
  home: ProgramHome<Schema>,
  flags: GlobalFlags,
): LoadedConfig<z.infer<Schema>> {
  const file = configFileOf(home, flags);
  const environment = { ...processEnvironment(), ...Object.fromEntries(secretsOf(home, flags)) };
  const config = loadConfig({
    file,
    schema: home.schema,
    settings: flags.settings,
    environment,
    unread: home.unread ?? [],
  });
  const paths = settlePaths(home.folder, flags.paths, config.path);
  return { config, paths, file, environment };
}

const SECRET_KEY = /(^|_)(api_key|token|password|secret|passphrase)$/;

/** A value tree with every secret replaced: by the name of its key, by what the keystore holds, passwords inside URLs too. */
function redacted(value: unknown, stored: readonly string[], key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => redacted(item, stored, key));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, redacted(inner, stored, name)]),
    );
  }
  if (value === undefined || value === null) return value;
  const text = String(value);
  if (SECRET_KEY.test(key) || stored.some((secret) => text.includes(secret))) return '[redacted]';
  return typeof value === 'string'
    ? value.replace(/(\/\/[^/:@\s]*:)[^/@\s]*@/g, '$1[redacted]@')
    : value;
}

/** The config as it is in force (variables and `-E` applied, defaults left out), as YAML without secrets. */
export function exportConfig(home: AnyHome, flags: GlobalFlags): string {
  const { file, environment } = loadProgramConfig(home, flags);
  const { values } = readConfigValues({ file, settings: flags.settings, environment });
  return stringify(redacted(values, [...secretsOf(home, flags).values()]));
}
