/**
 * `make faults`: runs every fault scenario with a seed (LAUNCHBEAT_FAULTS_SEED, else a new one), then prints a table of their figures
 * and how to repeat the run. With `--write` the table goes into docs/reliability.md too.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Figures {
  readonly number: number;
  readonly name: string;
  readonly given: number;
  readonly faults: number;
  readonly lost: number;
  readonly doubled: number;
  readonly repeatedMessages: number;
  readonly recoverSeconds: number;
}

const PAGE = fileURLToPath(new URL('../../docs/reliability.md', import.meta.url));
const BEGIN = '<!-- faults: written by make faults -->';
const END = '<!-- faults: end -->';
const RUNNER = fileURLToPath(new URL('../support/run-tests.ts', import.meta.url));

const seed = process.env['LAUNCHBEAT_FAULTS_SEED'] ?? String(Math.floor(Math.random() * 1e9));
const folder = mkdtempSync(join(tmpdir(), 'launchbeat-faults-'));
const table = join(folder, 'figures.ndjson');
try {
  writeFileSync(table, '');
  const child = spawn(process.execPath, [RUNNER, 'tests/faults/*.test.ts'], {
    stdio: 'inherit',
    env: { ...process.env, LAUNCHBEAT_FAULTS_SEED: seed, LAUNCHBEAT_FAULTS_TABLE: table },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  const text = markdown(readFileSync(table, 'utf8'));
  process.stdout.write(`\n${text}\nTo repeat it: LAUNCHBEAT_FAULTS_SEED=${seed} make faults\n`);
  if (code === 0 && process.argv.includes('--write')) writePage(text);
  process.exitCode = code ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function markdown(lines: string): string {
  const rows = lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Figures)
    .sort((a, b) => a.number - b.number)
    .map(
      (one) =>
        `| ${one.number} | ${one.name} | ${one.given} | ${one.faults} | ${one.lost} | ${one.doubled} | ${one.repeatedMessages} | ${one.recoverSeconds} |`,
    );
  return [
    `Seed ${seed}.`,
    '',
    '| # | fault | events | faults done | lost | doubled | messages twice | seconds to recover |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function writePage(text: string): void {
  const page = readFileSync(PAGE, 'utf8');
  const before = page.slice(0, page.indexOf(BEGIN) + BEGIN.length);
  const after = page.slice(page.indexOf(END));
  writeFileSync(PAGE, `${before}\n\n${text}\n${after}`);
}
