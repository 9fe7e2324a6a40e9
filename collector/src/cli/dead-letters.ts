/**
 * `launchbeat-collector dead-letters`: documents that Elasticsearch refused. Their events are in PostgreSQL all the same.
 */
import { SILENT_LOG, stopSignal } from '@launchbeat/ecs-schemas/beat';
import type { Command } from 'commander';
import type { Sql } from '../commit/database.ts';
import type { CollectorConfig } from '../config.ts';
import { audit } from '../fleet/audit.ts';
import {
  countDeadLetters,
  dropDeadLetters,
  listDeadLetters,
  readDeadLetter,
  retryDeadLetters,
} from '../index/dead-letters.ts';
import { commandActor, withDatabase } from './with-database.ts';

const ID = /^[1-9]\d{0,17}$/;
const REASON_SHOWN_MAX = 120;

interface Which {
  readonly all?: boolean;
}

/** Adds `dead-letters`. */
export function addDeadLetterCommands(program: Command): void {
  const letters = program
    .command('dead-letters')
    .description('documents that Elasticsearch refused, each with its reason');
  letters
    .command('ls')
    .option('--last <number>', 'how many', '50')
    .description('list them, newest first')
    .action(async (options: { last: string }, command: Command) => {
      if (!/^[1-9]\d{0,5}$/.test(options.last)) {
        throw new Error(`--last ${options.last}: expected a number from 1.`);
      }
      await withDatabase(command, (sql) => list(sql, Number(options.last)));
    });
  letters
    .command('show')
    .argument('<id>', 'from `dead-letters ls`')
    .description('print one with its whole reason and its document')
    .action(async (id: string, _options, command: Command) =>
      withDatabase(command, (sql) => show(sql, idOf(id))),
    );
  letters
    .command('retry')
    .argument('[id...]', 'from `dead-letters ls`')
    .option('--all', 'all of them')
    .description('give them to Elasticsearch once more, when what it refused them for is mended')
    .action(async (ids: string[], options: Which, command: Command) =>
      withDatabase(command, (sql, config) => retry(sql, config, whichOf(ids, options))),
    );
  letters
    .command('drop')
    .argument('[id...]', 'from `dead-letters ls`')
    .option('--all', 'all of them')
    .description('forget them')
    .action(async (ids: string[], options: Which, command: Command) =>
      withDatabase(command, (sql) => drop(sql, whichOf(ids, options))),
    );
}

async function list(sql: Sql, last: number): Promise<void> {
  console.log(['ID', 'AT', 'STATUS', 'CHUNK', 'LINE', 'EVENT', 'REASON'].join('\t'));
  for (const one of await listDeadLetters(sql, last)) {
    const { id, createdAt, status, chunkId, line, eventId, reason } = one;
    const short =
      reason.length > REASON_SHOWN_MAX ? `${reason.slice(0, REASON_SHOWN_MAX)}…` : reason;
    const cells = [id, createdAt.toISOString(), status, chunkId, line, eventId || '-', short];
    console.log(cells.join('\t'));
  }
  const count = await countDeadLetters(sql);
  if (count > last) console.log(`${count} in all.`);
}

async function show(sql: Sql, id: string): Promise<void> {
  const one = await readDeadLetter(sql, id);
  if (one === undefined) throw new Error(`No dead letter has the id ${id}; see dead-letters ls.`);
  const facts: Readonly<Record<string, unknown>> = {
    id: one.id,
    at: one.createdAt.toISOString(),
    'tried again': one.triedAt?.toISOString() ?? 'never',
    chunk: one.chunkId,
    line: one.line === 0 ? '0 (the whole chunk, whose bytes are damaged)' : one.line,
    event: one.eventId || '-',
    status: one.status,
    reason: one.reason,
  };
  for (const [name, value] of Object.entries(facts)) {
    console.log(`${`${name}:`.padEnd(13)} ${value}`);
  }
  console.log(one.line === 0 ? `${one.document.length} bytes` : one.document.toString('utf8'));
}

async function retry(
  sql: Sql,
  config: CollectorConfig,
  which: readonly string[] | 'all',
): Promise<void> {
  if (!config.elasticsearch.enabled) {
    throw new Error('elasticsearch.enabled is false: switch it on first.');
  }
  const options = { sql, config: config.elasticsearch, signal: stopSignal() };
  const log = { ...SILENT_LOG, warn: say, error: say };
  const { taken, refused, unsendable } = await retryDeadLetters({ ...options, log }, which);
  await note(sql, 'dead_letter.retry', which, { taken: taken.length, refused: refused.length });
  console.log(`${taken.length} taken, ${refused.length} refused again.`);
  if (unsendable.length > 0) {
    console.log(
      `${unsendable.length} cannot be sent: damaged, or their namespace is not in elasticsearch.namespaces.`,
    );
  }
  if (refused.length > 0) console.log('The new reasons: launchbeat-collector dead-letters ls');
  if (refused.length + unsendable.length > 0) process.exitCode = 1;
}

const say = (fields: Readonly<Record<string, unknown>>, message: string): void =>
  console.error([message, fields['error.message']].filter((part) => part !== undefined).join(' '));

async function drop(sql: Sql, which: readonly string[] | 'all'): Promise<void> {
  const dropped = await dropDeadLetters(sql, which);
  await note(sql, 'dead_letter.drop', which, { dropped: dropped.length });
  console.log(`${dropped.length} dropped.`);
  const missing = which === 'all' ? [] : which.filter((id) => !dropped.includes(id));
  if (missing.length > 0) throw new Error(`No dead letter has the id ${missing.join(', ')}.`);
}

async function note(
  sql: Sql,
  action: string,
  which: readonly string[] | 'all',
  detail: Readonly<Record<string, number>>,
): Promise<void> {
  const subject = which === 'all' ? 'all' : which.join(' ').slice(0, 200);
  await audit(sql, { actor: commandActor(), action, subject, detail });
}

function whichOf(ids: readonly string[], { all = false }: Which): readonly string[] | 'all' {
  if (all === ids.length > 0) throw new Error('Name ids, or give --all.');
  return all ? 'all' : ids.map(idOf);
}

function idOf(text: string): string {
  if (ID.test(text)) return text;
  throw new Error(`${text} is no id of a dead letter (a number); see dead-letters ls.`);
}
