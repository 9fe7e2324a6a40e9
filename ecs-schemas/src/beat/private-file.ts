/**
 * Reads files that nobody but their owner may read: the keystore and its key. replace-file.ts writes them.
 * Keeps: one that others can read is refused, as Beats' `strict.perms` does.
 */
import { readFileSync, statSync } from 'node:fs';

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
