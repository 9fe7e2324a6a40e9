/**
 * `make faults`: runs every fault scenario with a seed (SEED=…, else a new one), or those that ONLY=… names, then prints a table of their
 * figures and how to repeat the run. With `--write` the table goes into docs/reliability.md too, if every scenario held.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { aboutThis } from '../../bench/machine.ts';
import { FAULTS } from './fault-list.ts';
import type { Figures } from './fault-site.ts';
import { scenarioFiles } from './scenario-files.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = join(ROOT, 'docs/reliability.md');
const BEGIN = '<!-- faults: written by make faults -->';
const END = '<!-- faults: end -->';
const RUNNER = fileURLToPath(new URL('../support/run-tests.ts', import.meta.url));

const seed = process.env['LAUNCHBEAT_FAULTS_SEED'] || String(Math.floor(Math.random() * 1e9));
const only = process.env['LAUNCHBEAT_FAULTS_ONLY'] || 'all';
const folder = mkdtempSync(join(tmpdir(), 'launchbeat-faults-'));
const table = join(folder, 'figures.ndjson');
try {
  writeFileSync(table, '');
  const files = only === 'all' ? ['tests/faults/*.test.ts'] : scenarioFiles(ROOT, only.split(','));
  if (files.length === 0)
    throw new Error(`ONLY=${only} names no fault; there are ${Object.keys(FAULTS).join(', ')}.`);
  const child = spawn(process.execPath, [RUNNER, ...files], {
    stdio: 'inherit',
    env: {
      ...process.env,
      LAUNCHBEAT_FAULTS_SEED: seed,
      LAUNCHBEAT_FAULTS_TABLE: table,
      LAUNCHBEAT_FAULTS_ONLY: only,
    },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  const rows = rowsOf(readFileSync(table, 'utf8'));
  const text = markdown(rows);
  const again = only === 'all' ? '' : ` ONLY=${only}`;
  process.stdout.write(
    `\n${text}\n${summary(rows)}\nTo repeat it: make faults SEED=${seed}${again}\n`,
  );
  if (code === 0 && process.argv.includes('--write')) writePage(text);
  process.exitCode = code ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function rowsOf(lines: string): Figures[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Figures)
    .sort((a, b) => a.number - b.number || a.name.localeCompare(b.name));
}

function summary(rows: readonly Figures[]): string {
  const numbers = new Set(rows.map((row) => row.number));
  const broken = rows.filter((row) => !row.held).length;
  const missing = Object.keys(FAULTS).filter(
    (number) => only === 'all' && !numbers.has(Number(number)),
  );
  return (
    `${rows.length} runs of ${numbers.size} faults: ${rows.length - broken} held, ${broken} broke.` +
    (missing.length === 0 ? '' : ` Not run: ${missing.join(', ')}.`)
  );
}

function markdown(rows: readonly Figures[]): string {
  const { commit, machine, versions } = aboutThis();
  return [
    `Seed ${seed}, commit ${commit}; Node ${versions['node']}, PostgreSQL ${versions['postgresql']}, Elasticsearch ${versions['elasticsearch']}; ${machine}.`,
    '',
    '| # | fault | done here as | verdict | events | faults done | lost | doubled | messages twice | seconds to recover |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...rows.map((row) =>
      [
        '',
        ...[row.number, FAULTS[row.number], row.name],
        ...[row.held ? 'held' : `**broke**: ${row.broke}`, row.given],
        ...[row.faults, row.lost, row.doubled, row.repeatedMessages, row.recoverSeconds],
        '',
      ]
        .join(' | ')
        .trim(),
    ),
    '',
  ].join('\n');
}

function writePage(text: string): void {
  const page = readFileSync(PAGE, 'utf8');
  const before = page.slice(0, page.indexOf(BEGIN) + BEGIN.length);
  const after = page.slice(page.indexOf(END));
  writeFileSync(PAGE, `${before}\n\n${text}\n${after}`);
}
