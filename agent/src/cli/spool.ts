/**
 * `launchbeat spool ls | check | export | resend`: the spool folder, for operators.
 * Keeps: all but resend only read and may run beside the agent; resend wants the agent to be stopped.
 */
import { once } from 'node:events';
import { globalFlags, loadProgramConfig } from '@launchbeat/ecs-schemas/beat';
import type { Command } from 'commander';
import { AGENT_HOME_WITHOUT_OUTPUT } from '../config.ts';
import { isLocked, lockFolder } from '../lock-folder.ts';
import { spoolFolder } from '../pipeline.ts';
import { readCheckpoint } from '../spool/checkpoint.ts';
import { exportSpool, pendingFrom, spoolFaults, spoolStates } from '../spool/inspect-spool.ts';
import { resend } from '../spool/resend.ts';
import { screenLog } from './screen-log.ts';
import { printTable } from './table.ts';

/** Adds `spool`. */
export function addSpoolCommands(program: Command): void {
  const spool = program.command('spool').description('events on disk: list, check, print, resend');
  spool
    .command('ls')
    .description('list the segments: lines, bytes, what waits for the collector')
    .action((_options, command: Command) => list(placesOf(command)));
  spool
    .command('check')
    .description('check every line; names each broken place; exit code 1 if there is one')
    .action(async (_options, command: Command) => check(placesOf(command)));
  spool
    .command('export')
    .argument('[segment...]', 'names of segments (default: all)')
    .option('--pending', 'only what the collector has not acknowledged')
    .description('print the documents as NDJSON')
    .action(async (names: string[], options: { pending?: boolean }, command: Command) =>
      print(placesOf(command), names, options.pending === true),
    );
  spool
    .command('resend')
    .argument('[segment]', 'name of the first segment that is sent once more')
    .option('--all', 'begin with the oldest segment that is there')
    .description('send acknowledged events once more, at the next start of the agent')
    .addHelpText(
      'after',
      '\nThe collector counts the events that it has as duplicates; nothing is doubled. Stop the agent first.',
    )
    .action(async (name: string | undefined, options: { all?: boolean }, command: Command) =>
      sendAgain(placesOf(command), name, options.all === true),
    );
}

interface Places {
  readonly spool: string;
  /** path.data, which holds the checkpoint. */
  readonly data: string;
}

function placesOf(command: Command): Places {
  const { config, paths } = loadProgramConfig(AGENT_HOME_WITHOUT_OUTPUT, globalFlags(command));
  return { spool: spoolFolder(config, paths), data: paths.data };
}

function list({ spool, data }: Places): void {
  const checkpoint = readCheckpoint(data, screenLog());
  const rows: string[][] = [];
  const sum = { lines: 0, bytes: 0, pendingLines: 0, pendingBytes: 0 };
  for (const state of spoolStates(spool, checkpoint)) {
    const { segment, lines, pendingLines, pendingBytes } = state;
    sum.lines += lines;
    sum.bytes += segment.size;
    sum.pendingLines += pendingLines;
    sum.pendingBytes += pendingBytes;
    const done = pendingBytes === 0 ? 'acknowledged' : 'pending';
    rows.push([
      segment.name,
      ...[lines, segment.size, pendingLines, pendingBytes].map(String),
      done,
    ]);
  }
  const header = ['segment', 'lines', 'bytes', 'pending lines', 'pending bytes', 'state'];
  const last = ['all', ...Object.values(sum).map(String), ''];
  printTable([header, ...rows, last]);
}

async function check({ spool, data }: Places): Promise<void> {
  let faults = 0;
  for (const { place, reason } of spoolFaults(spool, await isLocked(data))) {
    faults += 1;
    console.log(`${place}: ${reason}`);
  }
  console.log(
    faults === 0
      ? `${spool}: every line is whole and valid`
      : `${spool}: ${faults} broken places. The agent puts them into quarantine when it comes to them; the other lines are shipped.`,
  );
  if (faults > 0) process.exitCode = 1;
}

async function print({ spool, data }: Places, names: string[], pending: boolean): Promise<void> {
  const checkpoint = pending ? readCheckpoint(data, screenLog()) : undefined;
  const closed = new AbortController();
  // The reader may have seen enough, as `head` does.
  process.stdout.on('error', () => closed.abort());
  const from = pending
    ? (segment: Parameters<typeof pendingFrom>[0]) => pendingFrom(segment, checkpoint)
    : () => 0;
  for (const line of exportSpool(spool, { from, segments: names })) {
    if (closed.signal.aborted) return;
    if (line.outcome === 'refused') {
      console.error(`${line.fault.place}: ${line.fault.reason}; left out`);
      process.exitCode = 1;
    } else if (!process.stdout.write(line.bytes)) {
      await once(process.stdout, 'drain', { signal: closed.signal }).catch(() => undefined);
    }
  }
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
}

async function sendAgain(places: Places, name: string | undefined, all: boolean): Promise<void> {
  if ((name === undefined) !== all) throw new Error('Name a segment (see `spool ls`), or --all.');
  const unlock = await lockFolder(places.data);
  try {
    const outcome = resend({
      spoolFolder: places.spool,
      stateFolder: places.data,
      segment: name,
      log: screenLog(),
    });
    if (outcome.outcome === 'refused') throw new Error(outcome.reason);
    console.log(
      `From ${outcome.segment} on ${outcome.bytes} bytes are sent once more when the agent starts.`,
    );
  } finally {
    unlock();
  }
}
