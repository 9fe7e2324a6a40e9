/**
 * Takes a checkout, makes a copy of it that runs: the files that git knows or would take, and the installed libraries by links. The
 * packages of this repository are those of the copy.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

const SCOPE = '@launchbeat';

/** Copies `from` into the empty folder `to`. Throws where git cannot say what belongs to it. */
export function copyTree(from: string, to: string): void {
  const listed = spawnSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], {
    cwd: from,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (listed.status !== 0) throw new Error(`git ls-files in ${from}: ${listed.stderr}`);
  for (const file of listed.stdout.split('\0')) {
    if (file === '' || !existsSync(join(from, file))) continue;
    mkdirSync(dirname(join(to, file)), { recursive: true });
    cpSync(join(from, file), join(to, file));
  }
  const modules = join(from, 'node_modules');
  mkdirSync(join(to, 'node_modules', SCOPE), { recursive: true });
  for (const name of readdirSync(modules)) {
    if (name !== SCOPE) symlinkSync(join(modules, name), join(to, 'node_modules', name));
  }
  for (const name of readdirSync(join(modules, SCOPE))) {
    // Relative as npm makes them: the same text leads into the copy.
    symlinkSync(readlinkSync(join(modules, SCOPE, name)), join(to, 'node_modules', SCOPE, name));
  }
}
