/**
 * `make attacks`: makes every attack against a real collector process, prints the table of figures; with `--write` it goes into
 * docs/admission.md too. Exit code 1 if something was not as it should be.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '../support/postgres.ts';
import { temporaryParent } from '../support/temporary-folder.ts';
import { ATTACKS } from './attacks.ts';
import { type AttackFigures, makeAttack } from './make-attack.ts';
import { startSite } from './site.ts';

const PAGE = fileURLToPath(new URL('../../docs/admission.md', import.meta.url));
const BEGIN = '<!-- attacks: written by make attacks -->';
const END = '<!-- attacks: end -->';
const BODY_TIMEOUT = '5s';

async function main(): Promise<void> {
  const folder = mkdtempSync(join(temporaryParent(), 'launchbeat-attacks-'));
  const postgres = await startPostgres();
  const figures: AttackFigures[] = [];
  try {
    const site = await startSite(join(folder, 'site'), postgres.url, BODY_TIMEOUT);
    const { nowMiB } = site.memory();
    for (const attack of ATTACKS) {
      const one = await makeAttack(site, attack, 1);
      figures.push(one);
      console.error(
        `${one.name}: ${one.wrong.length === 0 ? 'as it should be' : one.wrong.join(', ')}`,
      );
    }
    const text = tableOf(figures, nowMiB);
    console.log(`\n${text}`);
    await site.stop();
    if (process.argv.includes('--write')) writePage(text);
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  if (figures.some((one) => one.wrong.length > 0)) process.exitCode = 1;
}

function tableOf(figures: readonly AttackFigures[], restMiB: number): string {
  const tries = figures.reduce((sum, one) => sum + one.tries, 0);
  const peak = Math.max(...figures.map((one) => one.peakRssMiB));
  return [
    `${tries.toLocaleString('en-US')} tries on one process, Node.js ${process.version}. Its memory before them: ${Math.round(restMiB)} MiB; the most it ever had: ${Math.round(peak)} MiB.`,
    '',
    '| attack | tries | answers | seconds | peak RSS, MiB | good chunks beside it | told to wait | slowest, ms |',
    '|---|---|---|---|---|---|---|---|',
    ...figures.map((one) =>
      [
        ...['', one.name, one.tries, answersOf(one), one.seconds.toFixed(1)],
        ...[Math.round(one.peakRssMiB), one.good, one.goodLater, Math.round(one.goodSlowestMs), ''],
      ]
        .join(' | ')
        .trim(),
    ),
    '',
  ].join('\n');
}

const answersOf = ({ answers }: AttackFigures): string =>
  Object.entries(answers)
    .map(([answer, count]) => `${count} × ${answer}`)
    .join(', ');

function writePage(text: string): void {
  const page = readFileSync(PAGE, 'utf8');
  const before = page.slice(0, page.indexOf(BEGIN) + BEGIN.length);
  const after = page.slice(page.indexOf(END));
  writeFileSync(PAGE, `${before}\n\n${text}\n${after}`);
}

await main();
