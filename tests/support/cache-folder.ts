/**
 * Tells where downloads are kept outside the tree: LAUNCHBEAT_CACHE, else XDG_CACHE_HOME/launchbeat, else ~/.cache/launchbeat.
 * As root a folder that the unprivileged user cannot enter (/root, mostly) will not do: then it is /var/cache/launchbeat.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { isReachable } from './unprivileged.ts';

const FOR_ROOT = '/var/cache/launchbeat';

/** The folder itself, or the nearest one above that exists. */
function nearestExisting(folder: string): string {
  return existsSync(folder) ? folder : nearestExisting(dirname(folder));
}

/** The cache folder's absolute path; it is made when missing. */
export function cacheFolder(): string {
  const given = process.env['LAUNCHBEAT_CACHE'];
  const home = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const wanted = resolve(given || join(home, 'launchbeat'));
  const isOpen = isReachable(nearestExisting(wanted));
  if (!isOpen && given) {
    throw new Error(
      `LAUNCHBEAT_CACHE=${wanted} cannot be entered by the unprivileged user that runs the servers: choose a folder open to all (chmod 755, its parents too)`,
    );
  }
  const folder = isOpen ? wanted : FOR_ROOT;
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  return folder;
}
