/**
 * Takes a config file, `-E` settings, the environment and a zod schema; gives the validated config.
 * Keeps: nothing starts half. Every problem is found in one go and named with key, line and mend.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { plainValue, readConfigDocument, setPath } from './config-document.ts';
import { ConfigError, type ConfigProblem } from './config-problem.ts';
import type { Environment } from './environment.ts';
import { expandVariables } from './expand-variables.ts';
import { nearest } from './nearest.ts';

export interface LoadConfigOptions<Schema extends z.ZodType> {
  readonly file: string;
  readonly schema: Schema;
  /** `-E key=value`, in order; later ones win. */
  readonly settings?: readonly string[];
  readonly environment: Environment;
  /** Top-level keys that are left aside, wrong or not: the schema does not know them. */
  readonly unread?: readonly string[];
}

/** Loads and validates a config. Throws ConfigError with every problem. */
export function loadConfig<Schema extends z.ZodType>(
  options: LoadConfigOptions<Schema>,
): z.infer<Schema> {
  const document = withoutKeys(readConfigValues(options), options.unread ?? []);
  const problems: ConfigProblem[] = [...document.problems];
  // What could not be read as a whole says nothing of its keys.
  if (problems.some(({ path }) => path === '')) throw new ConfigError(options.file, problems);
  const keys = (options.settings ?? []).map(settingKey);
  const parsed = options.schema.safeParse(document.values, { reportInput: false });
  if (!parsed.success) {
    const known = new Set(problems.map((problem) => problem.path));
    for (const issue of parsed.error.issues) {
      for (const problem of explain(issue, document.lines, options.schema)) {
        // A key that has a missing variable is wrong for that reason alone.
        if (!known.has(problem.path)) problems.push(withSetting(problem, keys, document.lines));
      }
    }
  }
  if (problems.length > 0 || !parsed.success) throw new ConfigError(options.file, problems);
  return parsed.data;
}

/** The values of a config file with variables and `-E` settings applied, before any schema; for `export config`. */
export function readConfigValues(
  options: Omit<LoadConfigOptions<z.ZodType>, 'schema'>,
): ReturnType<typeof readConfigDocument> {
  const document = readConfigDocument(readText(options.file), options.environment);
  const settings = options.settings ?? [];
  // A value that is overwritten does not matter, nor does a variable in it that is not set.
  const overwritten = new Set(settings.map(settingKey));
  const problems: ConfigProblem[] = document.problems.filter(({ path }) => !overwritten.has(path));
  for (const setting of settings) {
    problems.push(...applySetting(document.values, setting, options.environment));
  }
  return { ...document, problems };
}

/** The values and problems of a config without those of some top-level keys. */
function withoutKeys(
  document: ReturnType<typeof readConfigDocument>,
  keys: readonly string[],
): ReturnType<typeof readConfigDocument> {
  if (keys.length === 0) return document;
  return {
    ...document,
    values: Object.fromEntries(
      Object.entries(document.values).filter(([key]) => !keys.includes(key)),
    ),
    problems: document.problems.filter(({ path }) => !keys.includes(path.split('.', 1)[0] ?? '')),
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'error';
    throw new ConfigError(file, [
      { path: '', message: `Cannot read the config file (${code}). Give its path with -c FILE.` },
    ]);
  }
}

function applySetting(
  values: { [key: string]: unknown },
  setting: string,
  environment: Environment,
): ConfigProblem[] {
  const equals = setting.indexOf('=');
  const path = settingKey(setting);
  if (equals < 1) return [{ path, setting: path, message: 'Expected key=value.' }];
  const { text, problems } = expandVariables(setting.slice(equals + 1), environment);
  if (!setPath(values, path, plainValue(text))) {
    const message = 'Cannot be set: a key above it holds a plain value.';
    return [{ path, setting: path, message }];
  }
  return problems.map((message) => ({ path, setting: path, message }));
}

/** What stands before the `=` of a `-E`. */
const settingKey = (setting: string): string => setting.replace(/(?<=.)=.*$/s, '').trim();

/** Says of a problem that it comes from a `-E`: one that sets the key, a key above it, or a key below a value that has none. */
function withSetting(
  problem: ConfigProblem,
  settings: readonly string[],
  lines: ReadonlyMap<string, number>,
): ConfigProblem {
  const { path, message } = problem;
  const isMadeBySetting = !lines.has(path) || /received (?:object|array)/.test(message);
  const setting = settings.findLast(
    (key) =>
      key === path ||
      path.startsWith(`${key}.`) ||
      (isMadeBySetting && path !== '' && key.startsWith(`${path}.`)),
  );
  return setting === undefined ? problem : { ...problem, setting };
}

type Issue = z.core.$ZodIssue;

/** Turns one zod issue into problems that name the key, its line and the mend. */
function explain(
  issue: Issue,
  lines: ReadonlyMap<string, number>,
  schema: z.ZodType,
): ConfigProblem[] {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(schema, issue.path);
    return issue.keys.map((key) => {
      const full = path === '' ? key : `${path}.${key}`;
      const close = nearest(key, known);
      const mend =
        close === undefined
          ? `Delete it; known here: ${known.join(', ')}.`
          : `Did you mean "${close}"?`;
      return { path: full, line: lines.get(full), message: `Unknown key. ${mend}` };
    });
  }
  if (issue.code === 'invalid_union' && issue.message === 'Invalid input') {
    const inner =
      issue.errors.flat().find((one) => one.code !== 'invalid_type') ?? issue.errors.flat()[0];
    const wanted = [...new Set(issue.errors.flat().map((one) => sentence(one)))].join(' Or: ');
    const at =
      inner === undefined || inner.path.length === 0
        ? path
        : [path, ...inner.path].filter(Boolean).join('.');
    return [
      { path: at, line: lineOf(at, lines), message: wanted === '' ? sentence(issue) : wanted },
    ];
  }
  return [{ path, line: lineOf(path, lines), message: sentence(issue) }];
}

/** The line of a key, or of the nearest key above it that is in the file. */
function lineOf(path: string, lines: ReadonlyMap<string, number>): number | undefined {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(at.lastIndexOf('.'), 0))) {
    const line = lines.get(at);
    if (line !== undefined) return line;
  }
  return undefined;
}

function sentence(issue: Issue): string {
  const message = issue.message
    .replace(/^Invalid input: e/, 'E')
    .replace(/^Invalid option: e/, 'E');
  const missing = issue.code === 'invalid_type' && /received undefined/.test(issue.message);
  if (missing)
    return `Missing. Write a value here (${message.replace(/,? ?received undefined/, '').trim()}).`;
  return /[.!?]$/.test(message) ? message : `${message}.`;
}

/** The keys that the schema knows at a path. Read through JSON Schema, the one public description of a zod schema. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  type Json = { properties?: Record<string, Json>; items?: Json; anyOf?: Json[]; oneOf?: Json[] };
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json;
  let level: Json[] = [root];
  for (const name of path) {
    level = level
      .flatMap((one) => [one, ...(one.anyOf ?? []), ...(one.oneOf ?? [])])
      .flatMap(
        (one) => (typeof name === 'number' ? one.items : one.properties?.[String(name)]) ?? [],
      );
  }
  return level
    .flatMap((one) => [one, ...(one.anyOf ?? []), ...(one.oneOf ?? [])])
    .flatMap((one) => Object.keys(one.properties ?? {}));
}
