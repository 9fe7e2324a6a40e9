/**
 * `launchbeat-collector reindex`: fills a new or repaired Elasticsearch from the chunks that PostgreSQL still has.
 */
import { globalFlags, type Log, stopSignal } from '@launchbeat/ecs-schemas/beat';
import type { Command } from 'commander';
import type { Sql } from '../commit/database.ts';
import type { CollectorConfig } from '../config.ts';
import { audit } from '../fleet/audit.ts';
import { createIndexer } from '../index/create-indexer.ts';
import {
  type ReindexOutcome,
  type ReindexRange,
  type ReindexScope,
  reindex,
  reindexScope,
} from '../index/reindex.ts';
import { parseMoment } from './parse-moment.ts';
import { commandActor, withDatabase } from './with-database.ts';

const AGENT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** What is left over in the table is looked for so often while this command works. */
const SWEEP_MS = 200;
const SAY_TERMINAL_MS = 200;
const SAY_MS = 10_000;

interface ReindexFlags {
  readonly since: string;
  readonly until?: string;
  readonly agent?: string;
  readonly dryRun?: boolean;
}

/** Adds `reindex`. */
export function addReindexCommand(program: Command): void {
  program
    .command('reindex')
    .description(
      'give Elasticsearch what PostgreSQL still has of it; what it has already is not doubled',
    )
    .requiredOption(
      '--since <time>',
      'chunks received from then on: 7d, 12h, or 2026-11-23T06:00:00Z',
    )
    .option('--until <time>', 'and before then; default now')
    .option('--agent <id>', 'only of this agent')
    .option('--dry-run', 'say how much it would be')
    .action(async (flags: ReindexFlags, command: Command) => {
      globalFlags(command);
      await withDatabase(command, (sql, config) => run(sql, config, flags));
    });
}

async function run(sql: Sql, config: CollectorConfig, flags: ReindexFlags): Promise<void> {
  if (!config.elasticsearch.enabled) {
    throw new Error('elasticsearch.enabled is false: switch it on first.');
  }
  const range = rangeOf(flags);
  const scope = await reindexScope(sql, range);
  console.log(
    `${scope.chunks} chunks with ${scope.lines} lines, ${scope.bytes} bytes compressed, since ${range.since.toISOString()}.`,
  );
  if (scope.gone > 0) {
    console.log(
      `${scope.gone} more have no bytes any more (postgresql.archive.retention): their events are in PostgreSQL alone.`,
    );
  }
  if (flags.dryRun === true || scope.chunks === 0) return;
  const { since, until, agentId = null } = range;
  const detail = { since: since.toISOString(), until: until.toISOString(), agent_id: agentId };
  await audit(sql, { actor: commandActor(), action: 'reindex', subject: 'chunks', detail });
  await work(sql, config, range, scope);
}

async function work(
  sql: Sql,
  config: CollectorConfig,
  range: ReindexRange,
  scope: ReindexScope,
): Promise<void> {
  const { elasticsearch } = config;
  const maySetUp = config.setup.enabled;
  const indexer = createIndexer({
    ...{ sql, maySetUp, log: SCREEN_LOG },
    config: { ...elasticsearch, queue: { ...elasticsearch.queue, sweep_interval: SWEEP_MS } },
  });
  const stop = stopSignal();
  const ended = new AbortController();
  const startMs = performance.now();
  const screen = createScreen(scope, startMs);
  const running = indexer.run(AbortSignal.any([stop, ended.signal]));
  try {
    if (maySetUp) console.log(`Elasticsearch: ${(await indexer.setup()).detail}`);
    const outcome = await reindex({ sql, ...range, signal: stop, onProgress: screen.show });
    screen.end();
    report(outcome, indexer.counts(), (performance.now() - startMs) / 1000);
  } finally {
    ended.abort();
    await running;
    await indexer.close();
  }
}

function report(
  { outcome, chunks, lines }: ReindexOutcome,
  counts: { indexed: number; duplicates: number; deadLetters: number },
  seconds: number,
): void {
  const { indexed, duplicates, deadLetters } = counts;
  const isDone = outcome === 'done';
  console.log(
    `${isDone ? 'Done' : 'Stopped'}: ${chunks} chunks, ${lines} lines in ${seconds.toFixed(1)} s. ` +
      `By this command: ${indexed} documents made, ${duplicates} there already, ${deadLetters} dead letters; running collectors did the rest.`,
  );
  if (isDone) return;
  console.log('What was queued is indexed by the collectors; give the command again for the rest.');
  process.exitCode = 1;
}

function rangeOf({ since, until, agent }: ReindexFlags): ReindexRange {
  if (agent !== undefined && !AGENT_ID.test(agent)) {
    throw new Error(`--agent ${agent} is no id of an agent (a UUID); see agents status.`);
  }
  return {
    since: parseMoment(since, '--since'),
    until: until === undefined ? new Date() : parseMoment(until, '--until'),
    agentId: agent?.toLowerCase(),
  };
}

/** One line that is written over on a terminal; a line now and then elsewhere. */
function createScreen(scope: ReindexScope, startMs: number) {
  const isTerminal = process.stdout.isTTY === true;
  let saidAtMs = performance.now();
  const show = ({ chunks, lines }: { chunks: number; lines: number }): void => {
    const nowMs = performance.now();
    if (nowMs - saidAtMs < (isTerminal ? SAY_TERMINAL_MS : SAY_MS)) return;
    saidAtMs = nowMs;
    const seconds = (nowMs - startMs) / 1000;
    const rate = lines / seconds;
    const left = rate === 0 ? 'unknown' : `${Math.ceil((scope.lines - lines) / rate)} s`;
    const percent = Math.floor((100 * lines) / Math.max(1, scope.lines));
    const text = `${percent} %  ${chunks} of ${scope.chunks} chunks  ${Math.round(rate)} lines/s  ${left} left`;
    process.stdout.write(isTerminal ? `\r${text}\u001b[K` : `${text}\n`);
  };
  return {
    show,
    end: () => {
      if (isTerminal) process.stdout.write('\r\u001b[K');
    },
  };
}

/** What a person must know while it works. */
const say = (fields: Readonly<Record<string, unknown>>, message: string): void =>
  console.error([message, fields['error.message']].filter((part) => part !== undefined).join(' '));
const SCREEN_LOG: Log = { debug: () => undefined, info: () => undefined, warn: say, error: say };
