/**
 * SIGHUP: reads collector.yml and alerts.yml again, puts in force what can change while the collector runs, says what cannot.
 * Keeps: files with a mistake change nothing, and every mistake is told with its line; values are never said, only the names of keys.
 */
import { ConfigError, type Log } from '@launchbeat/ecs-schemas/beat';
import type { CollectorConfig, LoadedCollector } from './config.ts';

export interface ReloadOptions {
  /** What is in force. */
  readonly loaded: LoadedCollector;
  /** Reads both files; throws ConfigError with every problem. */
  readonly load: () => LoadedCollector;
  readonly use: (loaded: LoadedCollector) => void;
  readonly log: Log;
}

/** Keys below these take effect without a restart. */
const LIVE = [
  'admit',
  'fleet',
  'http.trusted_proxies',
  'http.forwarded_header',
  'logging.level',
] as const;

export interface ConfigChanges {
  /** Names of keys that changed and are in force now. */
  readonly live: readonly string[];
  /** Names of keys that changed and need a restart. */
  readonly restart: readonly string[];
}

/** Gives what a SIGHUP does. It never throws. */
export function createReload({ loaded, load, use, log }: ReloadOptions): () => void {
  const started = loaded.config;
  let inForce = loaded.config;
  return () => {
    let fresh: LoadedCollector;
    try {
      fresh = load();
    } catch (err) {
      const why = err instanceof ConfigError ? `\n${err.message}` : '';
      log.error({ err }, `Config has a mistake; what was in force stays so. Mend it.${why}`);
      return;
    }
    const { live } = configChanges(inForce, fresh.config);
    const { restart } = configChanges(started, fresh.config);
    use(fresh);
    inForce = fresh.config;
    log.info({ 'file.path': fresh.file }, `Config was read again. ${changeWords(live)}`);
    if (restart.length > 0) {
      log.warn({}, `Takes effect after a restart only: ${restart.join(', ')}.`);
    }
  };
}

const changeWords = (live: readonly string[]): string =>
  live.length === 0
    ? 'Nothing changed that takes effect at once.'
    : `Now in force: ${live.join(', ')}.`;

/** Which keys differ, in alphabetical order. */
export function configChanges(before: CollectorConfig, after: CollectorConfig): ConfigChanges {
  const [old, now] = [leaves(before), leaves(after)];
  const changed = [...new Set([...old.keys(), ...now.keys()])]
    .filter((name) => old.get(name) !== now.get(name))
    .sort();
  const isLive = (name: string): boolean =>
    LIVE.some((prefix) => name === prefix || name.startsWith(`${prefix}.`));
  return { live: changed.filter(isLive), restart: changed.filter((name) => !isLive(name)) };
}

/** Each value under its whole name; a list is one value. */
function leaves(value: object, prefix = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
    const name = `${prefix}${key}`;
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) {
      for (const [path, text] of leaves(inner, `${name}.`)) found.set(path, text);
    } else found.set(name, JSON.stringify(inner) ?? '');
  }
  return found;
}
