/**
 * `make faults-selftest`: breaks a copy of the sources in each way of mutations.ts, runs the scenario that must catch it, prints a table.
 * Ends with 1 when one is not caught, or when the copy without a change does not pass. Arguments: parts of names, to try some only.
 * Keeps: the working tree is only read.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startElasticsearch } from '../../support/elasticsearch.ts';
import { leash } from '../../support/leash.ts';
import { startPostgres } from '../../support/postgres.ts';
import type { Figures } from '../fault-site.ts';
import { scenarioFiles } from '../scenario-files.ts';
import { copyTree } from './copy-tree.ts';
import { type Edit, MUTATIONS, type Mutation } from './mutations.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** A healthy system is at rest long before; a broken one is not waited for as long as in `make faults`. */
const QUIET_SECONDS = 60;
const SEED = '20261123';

interface Outcome {
  readonly outcome: 'held' | 'broke' | 'did not run';
  readonly why: string;
}

const copy = mkdtempSync(join(tmpdir(), 'launchbeat-selftest-'));
const release = leash({ folder: copy });
const stops: (() => Promise<void>)[] = [];
try {
  process.exitCode = await main(process.argv.slice(2));
} finally {
  await Promise.all(stops.map((stop) => stop()));
  rmSync(copy, { recursive: true, force: true });
  release();
}

async function main(words: readonly string[]): Promise<number> {
  const chosen = MUTATIONS.filter(
    ({ name }) => words.length === 0 || words.some((word) => name.includes(word)),
  );
  copyTree(ROOT, copy);
  for (const mutation of chosen) for (const edit of mutation.edits) edited(edit);
  const stores = await startStores();
  const rows: string[][] = [];
  const say = (row: readonly string[]): void => {
    rows.push([...row]);
    process.stdout.write(`${row.join(' | ')}\n`);
  };
  let wrong = 0;
  for (const title of new Set(chosen.map(({ caughtBy }) => caughtBy))) {
    const { outcome, why } = await runScenario(title, stores);
    if (outcome !== 'held') wrong += 1;
    say(['no change', title, outcome === 'held' ? 'held' : `**${outcome}**: ${why}`]);
  }
  for (const mutation of chosen) {
    const { outcome, why } = await tryMutation(mutation, stores);
    if (outcome !== 'broke') wrong += 1;
    const verdict = outcome === 'broke' ? `caught: ${why}` : `**not caught** (${outcome} ${why})`;
    say([mutation.name, mutation.caughtBy, verdict]);
  }
  const lines = rows.map((row) => `| ${row.join(' | ')} |`).join('\n');
  process.stdout.write(`\n| change | scenario | verdict |\n|---|---|---|\n${lines}\n`);
  const caught = rows.filter((row) => row[2]?.startsWith('caught')).length;
  process.stdout.write(`\n${caught} of ${chosen.length} are caught.\n`);
  return wrong === 0 ? 0 : 1;
}

async function startStores(): Promise<Readonly<Record<string, string>>> {
  const [postgres, elasticsearch] = await Promise.all([
    startPostgres({ fsync: false, database: 'postgres' }),
    startElasticsearch({ heapMb: 1024 }),
  ]);
  stops.push(postgres.stop, elasticsearch.stop);
  return { LAUNCHBEAT_TEST_POSTGRES_URL: postgres.url, ELASTICSEARCH_URL: elasticsearch.url };
}

/** The text of the file with the edit; throws when the edit does not fit. */
function edited({ file, from, to }: Edit): string {
  const parts = readFileSync(join(copy, file), 'utf8').split(from);
  if (parts.length !== 2) {
    throw new Error(
      `${file} has the text of a mutation ${parts.length - 1} times, not once. Bring tests/faults/selftest/mutations.ts up to date:\n${from}`,
    );
  }
  return parts.join(to);
}

async function tryMutation(
  mutation: Mutation,
  stores: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const before = mutation.edits.map(({ file }) => readFileSync(join(copy, file)));
  try {
    for (const edit of mutation.edits) writeFileSync(join(copy, edit.file), edited(edit));
    return await runScenario(mutation.caughtBy, stores);
  } finally {
    for (const [at, { file }] of mutation.edits.entries()) {
      writeFileSync(join(copy, file), before[at] ?? '');
    }
  }
}

/** Runs one scenario of the copy. */
async function runScenario(
  title: string,
  stores: Readonly<Record<string, string>>,
): Promise<Outcome> {
  const [number = ''] = title.split(':');
  const table = join(copy, 'figures.ndjson');
  writeFileSync(table, '');
  const files = scenarioFiles(copy, [number]);
  const child = spawn(
    process.execPath,
    ['--test', `--test-name-pattern=^fault ${title}`, ...files],
    {
      cwd: copy,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        ...stores,
        NODE_TEST_CONTEXT: undefined,
        LAUNCHBEAT_FAULTS_ONLY: number,
        LAUNCHBEAT_FAULTS_TABLE: table,
        LAUNCHBEAT_FAULTS_SEED: SEED,
        LAUNCHBEAT_FAULTS_QUIET_SECONDS: String(QUIET_SECONDS),
      },
    },
  );
  if (child.pid !== undefined) leash({ target: child.pid, signal: 'SIGTERM' });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-2000);
    });
  }
  await once(child, 'exit');
  const [row] = readFileSync(table, 'utf8').split('\n').filter(Boolean);
  if (row === undefined) return { outcome: 'did not run', why: said };
  const { held, ...figures } = JSON.parse(row) as Figures;
  return { outcome: held ? 'held' : 'broke', why: whyOf(figures) };
}

/** What the oracle counted, and what the scenario stumbled over first, short enough for a table. */
function whyOf({ broke = '', lost, doubled, repeatedMessages }: Omit<Figures, 'held'>): string {
  const first = broke.startsWith('{') ? 'a program that should have ended did not' : broke;
  return `${lost} lost, ${doubled} twice, ${repeatedMessages} messages twice (${first.slice(0, 90)})`;
}
