/**
 * `make test`: starts PostgreSQL and Elasticsearch once, runs the test files that the arguments name (globs; default all) on them with
 * Node's own runner, and ends with its exit code. What is not needed by these files is not started.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tryElasticsearch } from './elasticsearch.ts';
import { leash } from './leash.ts';
import { startPostgres } from './postgres.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ALL = [
  '{agent,collector,ecs-schemas,kibana-saved-objects,docker}/**/*.test.ts',
  'tests/**/*.test.ts',
  'bench/**/*.test.ts',
];
const ELASTICSEARCH_HEAP_MB = 1024;
/** The long form of random scenarios takes its time. */
const TEST_TIMEOUT_MS = process.env['LAUNCHBEAT_TEST_RUNS'] ? 4 * 3_600_000 : 600_000;
const INTERRUPT_GRACE_MS = 2_000;
const IMPORT = /\bfrom\s+'(\.[^']+)'/g;

/** The test files that the globs name, without those of installed packages. */
function testFiles(globs: readonly string[]): string[] {
  const found = globSync(globs.length > 0 ? globs : ALL, { cwd: ROOT });
  return found
    .filter((file) => !file.split('/').includes('node_modules'))
    .map((file) => relative(ROOT, resolve(ROOT, file)))
    .sort();
}

/** Every file of this repository that `files` import, directly or not, and they themselves. */
function imported(files: readonly string[]): Set<string> {
  const seen = new Set<string>();
  const left = files.map((file) => join(ROOT, file));
  for (let file = left.pop(); file !== undefined; file = left.pop()) {
    if (seen.has(file) || !existsSync(file)) continue;
    seen.add(file);
    for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      left.push(join(dirname(file), specifier));
    }
  }
  return seen;
}

const stops: (() => Promise<void>)[] = [];

/** Starts what the files need; gives the variables that lead tests there. Throws with one line that says what to install. */
async function startStores(files: readonly string[]): Promise<Record<string, string>> {
  const needed = imported(files);
  const isNeeded = (name: string): boolean => needed.has(join(ROOT, 'tests/support', name));
  const variables: Record<string, string> = {};
  const startingPostgres = async (): Promise<void> => {
    if (process.env['LAUNCHBEAT_TEST_POSTGRES_URL'] || !isNeeded('postgres.ts')) return;
    const server = await startPostgres({ fsync: false, database: 'postgres' });
    stops.push(server.stop);
    variables['LAUNCHBEAT_TEST_POSTGRES_URL'] = server.url;
  };
  const startingElasticsearch = async (): Promise<void> => {
    if (process.env['ELASTICSEARCH_URL'] || !isNeeded('elasticsearch.ts')) return;
    const tried = await tryElasticsearch({
      heapMb: ELASTICSEARCH_HEAP_MB,
      onProgress: (line) => process.stderr.write(`${line}\n`),
    });
    if (tried.outcome === 'refused') throw new Error(tried.reason);
    stops.push(tried.server.stop);
    variables['ELASTICSEARCH_URL'] = tried.server.url;
  };
  const settled = await Promise.allSettled([startingPostgres(), startingElasticsearch()]);
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  return variables;
}

/** Runs Node's test runner; gives its exit code. Signals go on to it, and it says what was done so far. */
async function runNodeTest(
  files: readonly string[],
  variables: Record<string, string>,
): Promise<number> {
  const args = [
    '--test',
    `--test-concurrency=${availableParallelism()}`,
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    ...files,
  ];
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...variables },
  });
  if (child.pid) leash({ target: child.pid, signal: 'SIGTERM' });
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  // Ctrl-C reaches the runner by itself, and a second signal would cut its summary off; a lone SIGINT does not reach it.
  process.on('SIGINT', () => setTimeout(() => child.kill('SIGTERM'), INTERRUPT_GRACE_MS).unref());
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 130;
}

async function main(globs: readonly string[]): Promise<number> {
  const files = testFiles(globs);
  if (files.length === 0) {
    process.stderr.write(`No test file matches ${globs.join(' ')}\n`);
    return 1;
  }
  try {
    const variables = await startStores(files);
    return await runNodeTest(files, variables);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await Promise.all(stops.map((stop) => stop()));
  }
}

process.exitCode = await main(process.argv.slice(2));
