/**
 * Runs collector and agent on the demo's stores, plays the office's events as if live, shows messages and counts as they come.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ProcessStart } from '@launchbeat/ecs-schemas';
import { type Installation, installLaunchbeat } from '../support/launchbeat.ts';
import type { Screen } from './screen.ts';
import type { Stores } from './start-stores.ts';
import { openTallies, type Tallies } from './tallies.ts';

const FIXTURE = fileURLToPath(
  new URL('../../ecs-schemas/fixtures/demo-office.xml.ndlines', import.meta.url),
);
const BRIDGE = fileURLToPath(new URL('../support/play-bridge.ts', import.meta.url));
const LOOK_MS = 500;
const SETTLE_TIMEOUT_MS = 90_000;

export interface PlayOptions {
  readonly folder: string;
  readonly stores: Stores;
  /** How long the events are spread. */
  readonly seconds: number;
  readonly screen: Screen;
  readonly endings: (() => unknown)[];
  readonly signal: AbortSignal;
}

/** What was played and what every stage says of it. */
export interface Played {
  readonly installation: Installation;
  /** Events in the recording. */
  readonly events: number;
  /** Lines of the spool, and how many of them a chat should hear of. */
  readonly spooled: number;
  readonly launches: number;
  readonly tallies: Tallies;
}

/** Plays the recording; resolves when every stage has all of it, or when none moves any more. */
export async function playOffice(options: PlayOptions): Promise<Played> {
  const { folder, stores, screen, endings } = options;
  const events = readFileSync(FIXTURE, 'utf8')
    .split('\n')
    .filter((line) => line !== '').length;
  screen.status('Making certificates, tables and a key ...');
  const installation = await installLaunchbeat({
    folder: join(folder, 'launchbeat'),
    postgresUrl: stores.postgresUrl,
    elasticsearchUrl: stores.elasticsearchUrl,
    namespace: stores.namespace,
    telegram: stores.telegram,
    alerts: {
      time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      chats: { launches: stores.telegram.chat },
    },
    agent: {
      select: 'all',
      capture: {
        source: 'security-log',
        command: bridgeCommand(options.seconds),
        poll_interval: '250ms',
      },
    },
  });
  screen.status('Starting the collector ...');
  const collector = await installation.startCollector();
  endings.push(() => collector.stop());
  screen.line(`  Collector      ${installation.url} (its CA: ${installation.caFile})`);
  const agent = installation.startAgent();
  endings.push(() => agent.stop());
  screen.line(
    `  Agent          reads a recording of ${events} events, writes ${installation.spool}\n`,
  );
  screen.line(`As if live, over ${options.seconds} s. The chat:\n`);

  const tallies = await openTallies({ installation, stores });
  endings.push(() => tallies.close());
  await follow({ ...options, tallies, events });
  return { installation, events, tallies, ...spoolCounts(installation.spool) };
}

const bridgeCommand = (seconds: number): string[] => [
  process.execPath,
  BRIDGE,
  '--file',
  FIXTURE,
  '--seconds',
  String(seconds),
  '--retime',
];

/** Shows messages and counts until all has come, or nothing moved for too long. */
async function follow(options: PlayOptions & { tallies: Tallies; events: number }): Promise<void> {
  const { tallies, events, screen, signal } = options;
  let before = '';
  let movedAtMs = performance.now();
  while (!signal.aborted) {
    const now = await tallies.read();
    for (const message of await tallies.newMessages()) screen.line(`  ${screen.bold(message)}`);
    const text = statusLine(now);
    screen.status(text);
    if (text !== before) movedAtMs = performance.now();
    before = text;
    const documents = now.documents ?? now.shipped;
    const settled =
      now.read >= events &&
      now.shipped === now.read - now.leftOut &&
      documents === now.shipped &&
      now.sent === now.alerts;
    if (settled || performance.now() - movedAtMs > SETTLE_TIMEOUT_MS) break;
    await wait(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
  screen.status('');
}

function statusLine(now: Awaited<ReturnType<Tallies['read']>>): string {
  const parts = [
    `read ${now.read}`,
    `left out ${now.leftOut}`,
    `shipped ${now.shipped}`,
    `PostgreSQL ${now.rows}`,
    ...(now.documents === undefined ? [] : [`Elasticsearch ${now.documents}`]),
    `messages ${now.sent}`,
  ];
  return `  ${parts.join(' · ')}`;
}

/** Counts what stands in the agent's files: the yardstick for everything behind it. */
function spoolCounts(spool: string): { spooled: number; launches: number } {
  const documents = globSync(join(spool, 'launchbeat.*.ndjson'))
    .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ProcessStart);
  const launches = documents.filter(
    ({ launchbeat }) => launchbeat.program !== undefined && launchbeat.launch,
  ).length;
  return { spooled: documents.length, launches };
}
