/**
 * Reads and writes files that nobody but their owner may read: the keystore and its key.
 * Keeps: a file is replaced whole or not at all; one that others can read is refused, as Beats' `strict.perms` does.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/** The file's bytes; undefined when it is not there. Throws where other accounts may read it (Windows has no such bits). */
export function readPrivateFile(file: string): Buffer | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new Error(
      `${file} cannot be read (${code}). Run this as the account that the program runs as.`,
      { cause: error },
    );
  }
  if (process.platform !== 'win32' && (statSync(file).mode & OTHERS) !== 0) {
    throw new Error(`${file} can be read by other accounts. Mend it with: chmod 600 ${file}`);
  }
  return bytes;
}

/** Writes the file for its owner alone: new file, fsync, rename. Makes its folder if need be. */
export function writePrivateFile(file: string, bytes: Uint8Array): void {
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
  renameSync(fresh, file);
}
