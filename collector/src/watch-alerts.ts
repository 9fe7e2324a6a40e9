/**
 * Looks whether alerts.yml, or a file of its lists, changed, and hands over what it says then.
 * Keeps: a file with a mistake changes nothing, and the mistake is told once with its line; asking for the file's time works on every
 * file system, for editors that write another file in its place, and for mounted ones. While there is a mistake the file is read again
 * and again, since what mends it may be elsewhere: a list that was not there yet, a bot in collector.yml.
 */
import { unwatchFile, watchFile } from 'node:fs';
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

/** Looks until the end is asked for. Gives that end. */
export function watchAlerts(options: WatchAlertsOptions): () => void {
  const { file, load, use, log, onBroken, everyMs = EVERY_MS } = options;
  const watched = new Set<string>();
  let again: NodeJS.Timeout | undefined;
  let told: string | undefined;
  const watchAll = (files: readonly string[]): void => {
    for (const one of files) if (!watched.has(one)) watchOne(one);
    for (const one of watched) if (!files.includes(one)) endOne(one);
  };
  const watchOne = (one: string): void => {
    watched.add(one);
    watchFile(one, { interval: everyMs, persistent: false }, look);
  };
  const endOne = (one: string): void => {
    watched.delete(one);
    unwatchFile(one, look);
  };
  const look = (): void => {
    clearTimeout(again);
    try {
      const { alerts, alertsLists } = load();
      use(alerts);
      watchAll([file, ...alertsLists]);
      told = undefined;
      log.info({ 'file.path': file }, 'Rules changed: alerts.yml was read again.');
    } catch (err) {
      tell(err);
      again = setTimeout(look, everyMs).unref();
    }
  };
  const tell = (err: unknown): void => {
    const problem = err instanceof Error ? err.message : String(err);
    if (problem === told) return;
    told = problem;
    log.error(
      { err, 'file.path': file },
      'alerts.yml has a mistake; the rules from before stay in force. Mend it; `launchbeat-collector rules check` names the line.',
    );
    onBroken?.(problem);
  };
  watchAll([file, ...(options.lists ?? [])]);
  return () => {
    clearTimeout(again);
    watchAll([]);
  };
}
