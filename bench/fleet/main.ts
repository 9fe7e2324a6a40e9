/**
 * `make fleet`: a thousand simulated agents against one real collector; prints the figures, with `--write` they go into
 * docs/scaling.md. Environment: AGENTS (1000), SECONDS (300), BACKLOG (1000), for a smaller run.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '../../tests/support/postgres.ts';
import { temporaryParent } from '../../tests/support/temporary-folder.ts';
import { aboutThis } from '../machine.ts';
import { arithmeticOf, write } from './arithmetic.ts';
import { type FleetFigures, type FleetSizes, runFleet } from './run-fleet.ts';
import type { Delay } from './simulate-agents.ts';

const PAGE = fileURLToPath(new URL('../../docs/scaling.md', import.meta.url));
const CHUNK_BYTES = 1024 * 1024;
const TIMEOUT_MS = 3_600_000;
/** `capture.poll_interval` of a PC; half of it is what an event waits there. */
const LOOK_MS = 1000;

function sizesOf(environment: Readonly<Record<string, string | undefined>>): FleetSizes {
  const number = (name: string, usual: number): number => {
    const value = Number(environment[name] ?? usual);
    if (!Number.isInteger(value) || value < 1) throw new Error(`${name} is no number above 0.`);
    return value;
  };
  return {
    agents: number('AGENTS', 1000),
    seconds: number('SECONDS', 300),
    backlog: number('BACKLOG', 1000),
    chunkBytes: CHUNK_BYTES,
  };
}

async function main(): Promise<void> {
  const sizes = sizesOf(process.env);
  const folder = mkdtempSync(join(temporaryParent(), 'launchbeat-fleet-'));
  const postgres = await startPostgres();
  try {
    const options = { ...sizes, folder, postgresUrl: postgres.url, timeoutMs: TIMEOUT_MS };
    const figures = await runFleet(options);
    const text = tableOf(sizes, figures);
    console.log(text);
    if (process.argv.includes('--write')) {
      writePage('fleet', text);
      writePage('arithmetic', arithmeticOf(sizes, figures));
    }
    const strange = Object.keys(figures.answers).some(
      (one) => !['200', '429', '503'].includes(one),
    );
    if (figures.lost + figures.doubled > 0 || strange) process.exitCode = 1;
  } finally {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const micros = (seconds: number, count: number): string => `${write((seconds * 1e6) / count)} µs`;

function tableOf(sizes: FleetSizes, figures: FleetFigures): string {
  const { agents, backlog, seconds } = sizes;
  const { answers, delayMs, calmDelayMs, drainSeconds: drain, sent, trickled } = figures;
  const seen = (delay: Delay): number => LOOK_MS / 2 + delay.median;
  const rows: readonly (readonly [string, string])[] = [
    ['events sent', write(sent)],
    ['lost, doubled', `${figures.lost}, ${figures.doubled}`],
    [
      'answers',
      Object.entries(answers)
        .map(([one, n]) => `${n} × ${one}`)
        .join(', '),
    ],
    [
      'event → receipt at 1 event/s each, median and 99 of 100',
      `${write(delayMs.median)} ms, ${write(delayMs.p99)} ms`,
    ],
    [
      'backlog drained by the first and the last agent after',
      `${write(drain.fastest)} s, ${write(drain.slowest)} s (${write(drain.slowest / drain.fastest)} ×)`,
    ],
    [
      'event → receipt of PCs with 1 event/s while all others drain, median and 99 of 100',
      `${write(calmDelayMs.median)} ms, ${write(calmDelayMs.p99)} ms`,
    ],
    [
      '… counted from the event, which waits for the next look at the log (1 s), against the calm fleet',
      `${write(seen(calmDelayMs) / seen(delayMs))} ×`,
    ],
    ['events a second while it drains', write((agents * backlog) / drain.slowest)],
    ['peak memory of the collector', `${write(figures.peakRssMiB)} MiB RSS`],
    [
      'CPU of the collector at 1 event/s each',
      `${micros(figures.cpu.trickle.collector, trickled.chunks)} a chunk (${write(trickled.events / trickled.chunks)} events in one)`,
    ],
    ['… of PostgreSQL', `${micros(figures.cpu.trickle.postgres, trickled.chunks)} a chunk`],
    [
      'CPU of the collector while the backlog drains',
      `${micros(figures.cpu.drain.collector, agents * backlog)} an event`,
    ],
    ['… of PostgreSQL', `${micros(figures.cpu.drain.postgres, agents * backlog)} an event`],
    [
      'on disk in PostgreSQL, with indexes',
      `${write(figures.storedBytes.events / sent)} bytes an event in events, ${write(figures.storedBytes.chunks / sent)} in chunks`,
    ],
  ];
  const { machine, commit } = aboutThis();
  return [
    `${write(agents)} agents, ${write(seconds)} s of 1 event/s each, then ${write(backlog)} events each at once.`,
    '',
    '| what | measured |',
    '|---|---|',
    ...rows.map(([what, value]) => `| ${what} | ${value} |`),
    '',
    `Machine: ${machine}. Agents, collector and PostgreSQL share it. Commit ${commit}.`,
    '',
  ].join('\n');
}

/** Puts a text between its two marks. */
function writePage(name: string, text: string): void {
  const [begin, end] = [`<!-- ${name}: written by make fleet -->`, `<!-- ${name}: end -->`];
  const page = readFileSync(PAGE, 'utf8');
  const before = page.slice(0, page.indexOf(begin) + begin.length);
  const after = page.slice(page.indexOf(end));
  writeFileSync(PAGE, `${before}\n\n${text}\n${after}`);
}

await main();
