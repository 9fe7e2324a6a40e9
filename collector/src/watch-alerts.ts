/**
 * Looks whether alerts.yml, or a file of its lists, changed, and hands over what it says then.
 * Keeps: a file with a mistake changes nothing, and the mistake is told once with its line; asking for the file's time works on every
 * file system, for editors that write another file in its place, and for mounted ones. While there is a mistake the file is read again
 * and again, since what mends it may be elsewhere: a list that was not there yet, a bot in collector.yml.
 */
import { type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import type { AlertsConfig } from './assess/alerts-config.ts';

export interface WatchAlertsOptions {
  /** Absolute path. */
  readonly file: string;
  /** Files of lists that were read with it. */
  readonly lists?: readonly string[];
  /** Reads and validates the file; throws with every problem. */
  readonly load: () => { readonly alerts: AlertsConfig; readonly alertsLists: readonly string[] };
  readonly use: (alerts: AlertsConfig) => void;
  /** Told of the problems of a file that cannot be used. */
  readonly onBroken?: (problem: string) => void;
  readonly log: Log;
  readonly everyMs?: number;
}

const EVERY_MS = 1000;

/** Another text where another file stands there, or it was written to. */
const stateOf = (stats: Stats | undefined): string =>
  stats === undefined ? 'none' : `${stats.ino} ${stats.size} ${stats.mtimeMs}`;

/** Looks until the end is asked for. Gives that end. */
export function watchAlerts(options: WatchAlertsOptions): () => void {
  const { file, load, use, log, onBroken, everyMs = EVERY_MS } = options;
  const watched = new Map<string, string>();
  let told: string | undefined;
  let isOver = false;

  function watchAll(files: readonly string[]): void {
    for (const one of watched.keys()) if (!files.includes(one)) watched.delete(one);
    for (const one of files) {
      if (!watched.has(one)) watched.set(one, stateOf(statSync(one, { throwIfNoEntry: false })));
    }
  }

  function read(): void {
    try {
      const { alerts, alertsLists } = load();
      use(alerts);
      watchAll([file, ...alertsLists]);
      told = undefined;
      log.info({ 'file.path': file }, 'Rules changed: alerts.yml was read again.');
    } catch (err) {
      const problem = err instanceof Error ? err.message : String(err);
      if (problem === told) return;
      told = problem;
      log.error(
        { err, 'file.path': file },
        'alerts.yml has a mistake; the rules from before stay in force. Mend it; `launchbeat-collector rules check` names the line.',
      );
      onBroken?.(problem);
    }
  }

  async function look(): Promise<void> {
    let isChanged = false;
    for (const [one, before] of watched) {
      const state = stateOf(await stat(one).catch(() => undefined));
      if (state === before) continue;
      watched.set(one, state);
      isChanged = true;
    }
    if (isOver) return;
    if (isChanged || told !== undefined) read();
    lookLater();
  }

  let timer: NodeJS.Timeout | undefined;
  const lookLater = (): void => {
    timer = setTimeout(() => void look(), everyMs).unref();
  };
  watchAll([file, ...(options.lists ?? [])]);
  lookLater();
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}
