/**
 * Takes the spool folder, calls when something in it may have changed.
 * Keeps: it is a wake-up, never a fact: NTFS announces appends late and a watch may fail, so a slow timer calls as well.
 */
import { mkdirSync } from 'node:fs';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { watch } from 'chokidar';

const INTERVAL_MS = 10_000;

/** Begins to watch; the function that comes back ends it. */
export function watchSpool(folder: string, log: Log, wake: () => void): () => Promise<void> {
  mkdirSync(folder, { recursive: true });
  const watcher = watch(folder, { depth: 0, ignoreInitial: true });
  watcher.on('add', wake);
  watcher.on('change', wake);
  watcher.on('error', (error) => {
    log.warn(
      { err: error, 'file.path': folder },
      `Spool folder cannot be watched; it is looked at every ${INTERVAL_MS / 1000} s instead.`,
    );
  });
  const timer = setInterval(wake, INTERVAL_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await watcher.close();
  };
}
