/**
 * Takes bytes, makes them the content of a file.
 * Keeps: whenever the machine stops, the file holds the bytes before or the new ones, whole; nobody but its owner may read it.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from './sync-folder.ts';

const OWNER_ONLY = 0o600;
const RENAME_ATTEMPTS_MAX = 10;
const RENAME_WAIT_MS = 20;

export interface ReplaceOptions {
  /** The content before is kept under this name. */
  readonly keepAs?: string;
}

/** New file, fsync, rename, fsync of the folder, which is made if need be. Throws when the bytes may not be on disk. */
export function replaceFile(file: string, bytes: Uint8Array, options: ReplaceOptions = {}): void {
  const fresh = `${file}.new`;
  mkdirSync(dirname(file), { recursive: true });
  // A file that was left behind would keep its own permissions.
  rmSync(fresh, { force: true });
  const descriptor = openSync(fresh, 'wx', OWNER_ONLY);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  if (options.keepAs !== undefined) rename(file, options.keepAs);
  rename(fresh, file);
  syncFolder(dirname(file));
}

/** Renames over an existing file. A virus scanner on Windows may hold the file for a moment: it is tried again. */
function rename(from: string, to: string): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      renameSync(from, to);
      return;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? '';
      if (!['EPERM', 'EACCES', 'EBUSY'].includes(code) || attempt >= RENAME_ATTEMPTS_MAX)
        throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RENAME_WAIT_MS * attempt);
    }
  }
}
