/**
 * `make demo`: the whole way of an event on real stores, in one command. Plays the events of an invented office as if live, spread
 * over a minute; shows each message as the chat shows it; ends with counts of every stage held against each other.
 * `--once` ends by itself, with 0 only if every count agrees; else everything runs on until Ctrl-C. Ctrl-C before all was played ends with 130.
 * LAUNCHBEAT_TELEGRAM_TOKEN and LAUNCHBEAT_TELEGRAM_CHAT send to a real chat instead of the stand-in.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { leash } from '../support/leash.ts';
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
leash({ folder });
const endings: (() => unknown)[] = [
  () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }),
];

const INTERRUPTED = 130;
let code = INTERRUPTED;
const interrupted = new Promise((resolve) => {
  stopping.signal.addEventListener('abort', resolve, { once: true });
});

try {
  await Promise.race([demo(), interrupted]);
} catch (error) {
  // A terminal's Ctrl-C goes to the servers too: one that ends by it may be heard of first.
  await wait(100);
  if (!stopping.signal.aborted) {
    screen.line(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
    code = 1;
  }
}
for (const end of endings.reverse()) await Promise.resolve(end()).catch(() => undefined);
// What was still starting ends with this process.
process.exit(code);

async function demo(): Promise<void> {
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
  if (stopping.signal.aborted) return;
  code = (await printSummary({ played, stores, screen, once })) ? 0 : 1;
  if (once) return;
  screen.line('\nEverything runs on, so that you can look. Ctrl-C ends it.');
  await interrupted;
}
