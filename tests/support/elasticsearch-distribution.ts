/**
 * Fetches Elastic's own test distribution (`integ-test-zip`, without JDK and most modules) from Maven Central by the ordinary `mvn`,
 * unpacked in the cache folder. Keeps: what lies under its final name is whole; processes side by side fetch once.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { cacheFolder } from './cache-folder.ts';

export const ES_VERSION_DEFAULT = '8.19.16';

const GROUP = 'org.elasticsearch.distribution.integ-test-zip';
const PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1';
const LOCK_POLL_MS = 200;
const LOCK_WRITE_MS = 10_000;

/** The version to test with: ES_VERSION, else the one the product is built for. */
export function elasticsearchVersion(): string {
  const version = process.env['ES_VERSION'] || ES_VERSION_DEFAULT;
  if (!/^\d+\.\d+\.\d+$/.test(version)) {
    throw new Error(`ES_VERSION=${version} is no version; write it like ${ES_VERSION_DEFAULT}`);
  }
  return version;
}

const hasMaven = (): boolean => spawnSync('mvn', ['--version']).status === 0;

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** Whether the owner of a lock is gone: its process, or (a lock without a pid) the moment in which it is written. */
function isStale(lockFile: string): boolean {
  try {
    const owner = Number(readFileSync(lockFile, 'utf8'));
    if (owner > 0) return !isAlive(owner);
    return Date.now() - statSync(lockFile).mtimeMs > LOCK_WRITE_MS;
  } catch {
    return false; // just released
  }
}

/** Runs `work` while no other process of this machine does, by a lock file with the owner's pid; a dead owner's lock is taken. */
async function alone(lockFile: string, work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    if (isStale(lockFile)) rmSync(lockFile, { force: true });
    else await delay(LOCK_POLL_MS);
  }
  try {
    await work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

/** Runs Maven in `cwd`, where it leaves a folder of marks; throws with the lines that say what went wrong. */
async function maven(args: readonly string[], cwd: string): Promise<void> {
  const child = spawn('mvn', ['-q', '-B', ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-20_000);
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  if (code === 0) return;
  const errors = stripVTControlCharacters(output)
    .split('\n')
    .filter((line) => line.includes('ERROR'));
  throw new Error(`mvn ended with ${code}: ${(errors[0] ?? output).trim()}`);
}

export type Fetched =
  | { readonly outcome: 'done'; readonly home: string }
  | { readonly outcome: 'refused'; readonly reason: string };

/**
 * The home of the unpacked distribution; fetched when the cache lacks it (100 MB), of which `onProgress` hears one line.
 * `refused`: there is no Maven, or it cannot fetch.
 */
export async function fetchElasticsearch(
  version: string,
  onProgress: (line: string) => void,
): Promise<Fetched> {
  const cache = cacheFolder();
  const home = join(cache, `elasticsearch-${version}`);
  if (existsSync(home)) return { outcome: 'done', home };
  if (!hasMaven()) return { outcome: 'refused', reason: 'Maven (mvn) is missing' };
  try {
    await alone(`${home}.lock`, async () => {
      if (existsSync(home)) return;
      onProgress(
        `Fetching Elasticsearch ${version} from Maven Central into ${cache} (100 MB, once) ...`,
      );
      await unpackInto(home, version);
    });
  } catch (error) {
    return { outcome: 'refused', reason: error instanceof Error ? error.message : String(error) };
  }
  return { outcome: 'done', home };
}

/** Unpacks beside `home` and renames: what lies under that name is whole, also after a crash in the middle. */
async function unpackInto(home: string, version: string): Promise<void> {
  const part = mkdtempSync(`${home}-part-`);
  try {
    const artifact = `-Dartifact=${GROUP}:elasticsearch:${version}:zip`;
    await maven([`${PLUGIN}:unpack`, artifact, `-DoutputDirectory=${part}`], part);
    spawnSync('chmod', ['-R', 'a+rX', part]);
    renameSync(join(part, `elasticsearch-${version}`), home);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}
