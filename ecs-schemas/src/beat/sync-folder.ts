/**
 * Takes a folder, makes its entries (new files, renames) survive a power cut.
 */
import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Forces a folder to disk. Windows opens no folders (EPERM, EISDIR); NTFS journals their entries itself. */
export function syncFolder(folder: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(folder, 'r');
    fsyncSync(descriptor);
  } catch (error) {
    if (process.platform !== 'win32') throw error;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
