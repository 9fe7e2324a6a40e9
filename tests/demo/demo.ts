/**
 * `make demo`: the whole way of an event on real stores, in one command. Plays the events of an invented office as if live, spread
 * over a minute; shows each message as the chat shows it; ends with counts of every stage held against each other.
 * `--once` ends by itself, with 0 only if every count agrees; else everything runs on until Ctrl-C.
 * LAUNCHBEAT_TELEGRAM_TOKEN and LAUNCHBEAT_TELEGRAM_CHAT send to a real chat instead of the stand-in.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { playOffice } from './play-office.ts';
import { createScreen } from './screen.ts';
import { startStores } from './start-stores.ts';
import { printSummary } from './summary.ts';

const once = process.argv.includes('--once');
const seconds = Number(process.env['LAUNCHBEAT_DEMO_SECONDS'] ?? 60);
const screen = createScreen(process.stdout);
const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (stopping.signal.aborted) process.exit(130);
    screen.line('\nEnding what was started; once more ends at once.');
    stopping.abort();
  });
}

const folder = mkdtempSync(join(tmpdir(), 'launchbeat-demo-'));
const endings: (() => unknown)[] = [
  () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }),
];

try {
  process.exitCode = await demo();
} catch (error) {
  if (!stopping.signal.aborted) {
    screen.line(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
} finally {
  for (const end of endings.reverse()) await Promise.resolve(end()).catch(() => undefined);
}

async function demo(): Promise<number> {
  screen.line('Launchbeat: who started which program on which Windows PC.\n');
  const stores = await startStores({ screen, endings });
  const played = await playOffice({
    folder,
    stores,
    seconds,
    screen,
    endings,
    signal: stopping.signal,
  });
  const agrees = await printSummary({ played, stores, screen, once });
  if (once || stopping.signal.aborted) return agrees ? 0 : 1;
  screen.line('\nEverything runs on, so that you can look. Ctrl-C ends it.');
  await wait(2 ** 31 - 1, undefined, { signal: stopping.signal }).catch(() => undefined);
  return agrees ? 0 : 1;
}
