/**
 * Program: `node kibana-saved-objects/src/check/main.ts FILE…` prints each problem of each export or file of rules, one a line, and ends with 1 if
 * there is any, with 2 if a file cannot be read.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { checkExport } from './check-export.ts';
import { checkRules, holdsRules } from './check-rules.ts';

const USAGE = 'Usage: node kibana-saved-objects/src/check/main.ts FILE…\n';

function checkFile(file: string): number {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    process.stderr.write(`${file}: ${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
  const problems = holdsRules(text) ? checkRules(text) : checkExport(text);
  for (const { where, what } of problems) process.stdout.write(`${file}: ${where}: ${what}\n`);
  process.stdout.write(
    `${file}: ${problems.length === 0 ? 'no problem' : `${problems.length} problems`}\n`,
  );
  return problems.length === 0 ? 0 : 1;
}

const files = process.argv.slice(2);
if (files.length === 0) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else process.exitCode = Math.max(...files.map(checkFile));
