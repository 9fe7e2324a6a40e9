/**
 * The four folders of a Beat (directory-layout.md of Beats): home, config, data, logs.
 * Keeps: what the command line says beats the config; relative config files are looked up in path.config.
 */
import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';

/** `path:` of a config. All optional: empty means the default beside the program. */
export const pathConfigSchema = z
  .strictObject({
    /** Folder of the program. */
    home: z.string().optional(),
    /** Folder of the config files. Default: path.home. */
    config: z.string().optional(),
    /** Folder of state that must survive (spool, position, keys). Default: path.home/data. */
    data: z.string().optional(),
    /** Folder of the program's own log. Default: path.home/logs. */
    logs: z.string().optional(),
  })
  .prefault({});

export type PathConfig = z.infer<typeof pathConfigSchema>;

export interface Paths {
  readonly home: string;
  readonly config: string;
  readonly data: string;
  readonly logs: string;
}

/** Settles the folders; `programFolder` is where the program's shipped config lies. All come back absolute. */
export function settlePaths(programFolder: string, ...settings: readonly PathConfig[]): Paths {
  const pick = (key: keyof PathConfig): string | undefined =>
    settings.map((one) => one[key]).find((value) => value !== undefined && value !== '');
  const home = resolve(pick('home') ?? programFolder);
  const below = (value: string | undefined, folder: string): string =>
    value === undefined ? join(home, folder) : resolve(value);
  return {
    home,
    config: resolve(pick('config') ?? home),
    data: below(pick('data'), 'data'),
    logs: below(pick('logs'), 'logs'),
  };
}

/** A file named in a config or with `-c`: absolute as it is; relative to the working folder if it exists there, else to `folder`. */
export function resolveFile(folder: string, file: string): string {
  if (isAbsolute(file)) return file;
  const here = resolve(file);
  return existsSync(here) ? here : join(folder, file);
}
