/**
 * Looks whether alerts.yml changed, and hands over what it says then.
 * Keeps: a file with a mistake changes nothing, and the mistake is told with its line; asking for the file's time works on every
 * file system, for editors that write another file in its place, and for mounted ones.
 */
import { unwatchFile, watchFile } from 'node:fs';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import type { AlertsConfig } from './assess/alerts-config.ts';

export interface WatchAlertsOptions {
  /** Absolute path. */
  readonly file: string;
  /** Reads and validates the file; throws with every problem. */
  readonly load: () => AlertsConfig;
  readonly use: (alerts: AlertsConfig) => void;
  readonly log: Log;
  readonly everyMs?: number;
}

const EVERY_MS = 1000;

/** Looks until the end is asked for. Gives that end. */
export function watchAlerts(options: WatchAlertsOptions): () => void {
  const { file, load, use, log, everyMs = EVERY_MS } = options;
  const look = (): void => {
    try {
      use(load());
      log.info({ 'file.path': file }, 'Rules changed: alerts.yml was read again.');
    } catch (err) {
      log.error(
        { err, 'file.path': file },
        'alerts.yml has a mistake; the rules from before stay in force. Mend it; `launchbeat-collector rules check` names the line.',
      );
    }
  };
  watchFile(file, { interval: everyMs, persistent: false }, look);
  return () => unwatchFile(file, look);
}
