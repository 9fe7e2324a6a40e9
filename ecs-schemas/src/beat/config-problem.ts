/**
 * What can be wrong with a config file, each with its place and its mend, and the error that carries all of them.
 */

/** One thing that is wrong. */
export interface ConfigProblem {
  /** Dotted path of the key, e.g. `output.collector.url`; empty for the file as a whole. */
  readonly path: string;
  /** Line from 1 in the file; absent where the key is not in the file (a missing key, `-E`). */
  readonly line?: number | undefined;
  /** The key of the `-E` that it comes from, if it does: then the file is not to blame. */
  readonly setting?: string | undefined;
  /** What is wrong and what to write instead, as sentences. Never the value of a secret. */
  readonly message: string;
}

/** Exit code of a program whose config is wrong (EX_CONFIG of sysexits.h). */
export const EXIT_CONFIG = 78;

/** A config that cannot be used. Holds every problem found, not only the first. */
export class ConfigError extends Error {
  readonly file: string;
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[]) {
    super(problems.map((problem) => formatProblem(file, problem)).join('\n'));
    this.name = 'ConfigError';
    this.file = file;
    this.problems = problems;
  }
}

function formatProblem(file: string, { path, line, setting, message }: ConfigProblem): string {
  if (setting !== undefined) {
    return setting === path ? `-E ${path}: ${message}` : `-E ${setting}: ${path}: ${message}`;
  }
  const place = line === undefined ? file : `${file}:${line}`;
  return path === '' ? `${place}: ${message}` : `${place}: ${path}: ${message}`;
}
