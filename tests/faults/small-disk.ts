/**
 * Gives a folder on a disk of its own that is small, and can be filled and emptied. Needs root on Linux (a tmpfs is mounted).
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { passingFolder } from '../support/passing-folder.ts';
import { handOver } from '../support/unprivileged.ts';

export interface SmallDisk {
  /** Empty, for the user whom servers run as. */
  readonly folder: string;
  fill(): void;
  empty(): void;
  unmount(): void;
}

const BLOCK_BYTES = 64 * 1024;

/** Mounts it; undefined where this process may not. */
export function mountSmallDisk(bytes: number): SmallDisk | undefined {
  const place = passingFolder('small-disk');
  const mounted = spawnSync('mount', [
    '-t',
    'tmpfs',
    '-o',
    `size=${bytes}`,
    'launchbeat-test',
    place,
  ]);
  if (mounted.status !== 0) return undefined;
  const folder = join(place, 'data');
  mkdirSync(folder, { mode: 0o700 });
  handOver(place);
  const filler = join(place, 'filler');
  return {
    folder,
    fill() {
      const file = openSync(filler, 'w');
      try {
        // By ever smaller blocks, until not a page is left.
        for (let size = BLOCK_BYTES; size >= 1; size = Math.floor(size / 2)) fillWith(file, size);
      } finally {
        closeSync(file);
      }
    },
    empty: () => rmSync(filler, { force: true }),
    unmount: () => void spawnSync('umount', ['-l', place]),
  };
}

function fillWith(file: number, size: number): void {
  const block = Buffer.alloc(size, 1);
  try {
    for (;;) if (writeSync(file, block) < size) return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}
