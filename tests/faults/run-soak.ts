/**
 * `make soak HOURS=8`: one system lives for so long under faults at random. Each round gives new events, does a few harms, lets the system
 * come to rest and hears the oracle; at the end a summary. Ends with 1 at the first round that breaks, with its seed, harms and logs.
 * Keeps: progress on a terminal only; in a pipe nothing but the summary. SIGINT ends it after the round.
 */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { usageWhereKnown } from '../../bench/process-usage.ts';
import { eventually } from '../support/eventually.ts';
import { type Given, giveEvents, timeOfGiven, writeRecording } from './given-events.ts';
import { openSite, type Site } from './open-site.ts';
import { createRandom } from './random.ts';
import { HARMS } from './soak-faults.ts';
import { countRows, judge, type Verdict, type Window } from './verdict.ts';

const EVENTS_OF_ROUND = 200;
const SECONDS_OF_ROUND = 5;
const QUIET_TIMEOUT_MS = 180_000;
const HOUR_MS = 3_600_000;

const seed = Number(process.env['LAUNCHBEAT_FAULTS_SEED'] || Math.floor(Math.random() * 1e9));
const hours = Number(process.argv[2] ?? 8);
const ends: (() => unknown)[] = [];
const t = { after: (end: () => unknown) => void ends.unshift(end) };
let interrupted = false;
process.once('SIGINT', () => {
  interrupted = true;
});

interface Tally {
  rounds: number;
  events: number;
  repeated: number;
  slowestSeconds: number;
  readonly harms: Map<string, number>;
}

const tally: Tally = { rounds: 0, events: 0, repeated: 0, slowestSeconds: 0, harms: new Map() };

try {
  if (!(hours > 0)) throw new Error(`HOURS is "${process.argv[2]}", not a number above 0.`);
  await soak();
  summarise();
} catch (error) {
  process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
  summarise();
  process.stderr.write(`To repeat it: make soak HOURS=${hours} SEED=${seed}\n`);
  process.exitCode = 1;
} finally {
  for (const end of ends) await Promise.resolve(end()).catch?.(() => undefined);
}

async function soak(): Promise<void> {
  const site = await openSite(t as Site['t'], seed, {
    given: roundEvents(0),
    seconds: SECONDS_OF_ROUND,
    bridge: ['--follow'],
    privatePostgres: true,
    faultyDisk: true,
    agent: { spool: { segment_bytes: '1MiB', retention: '1m', disk_free_min: 0 } },
    collector: { elasticsearch: { timeout: '2s' } },
  });
  const endMs = performance.now() + hours * HOUR_MS;
  for (let round = 0; performance.now() < endMs && !interrupted; round += 1) {
    const harms = await runRound(site, round);
    say(site, harms);
  }
}

function roundEvents(round: number): Given[] {
  return giveEvents({ count: EVENTS_OF_ROUND, first: round * EVENTS_OF_ROUND });
}

/** One round; gives the harms that were done. Throws what the oracle says. */
async function runRound(site: Site, round: number): Promise<string[]> {
  const random = createRandom(round, seed);
  const given = roundEvents(round);
  const first = round * EVENTS_OF_ROUND;
  const window: Window = {
    fromMs: timeOfGiven(first),
    toMs: timeOfGiven(first + EVENTS_OF_ROUND),
    messagesBefore: site.telegram.messages().length,
  };
  // The log has this round's events only: the ones before were accounted for. Never half a file.
  const recording = join(site.folder, 'recording.xml');
  writeRecording(`${recording}.new`, given);
  renameSync(`${recording}.new`, recording);
  const names = Object.keys(HARMS);
  const done: string[] = [];
  for (let harm = random.between(2, 5); harm > 0; harm -= 1) {
    await wait(random.between(100, 1500));
    const name = names[random.between(0, names.length - 1)] ?? '';
    done.push(name);
    tally.harms.set(name, (tally.harms.get(name) ?? 0) + 1);
    await HARMS[name]?.(site);
    await supervise(site);
  }
  const mendedMs = performance.now();
  try {
    const verdict = await comeToRest(site, given, window);
    tally.repeated += verdict.repeated;
  } catch (error) {
    throw new Error(
      `Round ${round} broke (${done.join(', ')}): ${(error as Error).message}\nthe agent said: ${site.agent.stderr().slice(-3000)}\nthe collector: ${site.collector.stderr().slice(-3000)}`,
      { cause: error },
    );
  }
  tally.slowestSeconds = Math.max(tally.slowestSeconds, (performance.now() - mendedMs) / 1000);
  tally.rounds += 1;
  tally.events += given.length;
  return done;
}

/** Does what the service manager of a real system does: starts again what ended by itself. */
async function supervise(site: Site): Promise<void> {
  if (!site.agent.signal('SIGCONT')) site.agent = site.startAgent();
  if (!site.collector.signal('SIGCONT')) site.collector = await site.startCollector();
}

/** Waits until nothing is missing, then looks whether anything is there twice; in the round, and in all. */
async function comeToRest(site: Site, given: readonly Given[], window: Window): Promise<Verdict> {
  const verdict = await eventually(
    async () => {
      await supervise(site);
      const seen = await judge(given, site.stores, window);
      if (seen.lost.length > 0) throw new Error(`${seen.lost.length} lost, ${seen.lost[0]} first`);
      if (seen.silent > 0) throw new Error(`${seen.silent} alerts were not heard`);
      return seen;
    },
    { timeoutMs: QUIET_TIMEOUT_MS, intervalMs: 250 },
  );
  const { doubled, changed } = verdict;
  if (doubled.length > 0) throw new Error(`${doubled.length} twice: ${doubled.join(' ')}`);
  if (changed.length > 0) throw new Error(`${changed.length} changed: ${changed.join(' ')}`);
  const rows = await countRows(site.stores.postgresUrl);
  const expected = tally.events + given.length;
  if (rows !== expected) throw new Error(`${rows} rows in all, ${expected} were given`);
  return verdict;
}

/** Memory of a running process. */
const memory = (pid: number): string =>
  `${Math.round(usageWhereKnown(pid)?.rssMiB ?? Number.NaN)} MiB`;

function say(site: Site, harms: readonly string[]): void {
  if (!process.stdout.isTTY) return;
  const line = `round ${tally.rounds}: ${tally.events} events, 0 lost, 0 twice; agent ${memory(site.agent.pid)}, collector ${memory(site.collector.pid)}; last: ${harms.join(', ')}`;
  process.stdout.write(`\r\u001b[K${line.slice(0, (process.stdout.columns ?? 120) - 1)}`);
}

function summarise(): void {
  const { rounds, events, repeated, slowestSeconds, harms } = tally;
  if (process.stdout.isTTY) process.stdout.write('\n');
  const total = [...harms.values()].reduce((sum, count) => sum + count, 0);
  const lines = [...harms]
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(([name, count]) => `| ${name} | ${count} |`);
  process.stdout.write(
    `Seed ${seed}: ${rounds} rounds held, ${events} events, ${total} faults, 0 lost, 0 twice, ${repeated} messages twice; slowest to come to rest ${slowestSeconds.toFixed(1)} s.\n\n| fault | times |\n|---|---|\n${lines.join('\n')}\n`,
  );
}
