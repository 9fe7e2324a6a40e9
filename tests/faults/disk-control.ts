/**
 * Says to a faulty disk what goes wrong on it; the disk (faulty-disk.ts) is under the program that is started with `node`.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** What goes wrong below `folder`. Counts are of one run of the program. */
export interface FaultyDisk {
  readonly folder: string;
  /** The power goes before the so many-th change of a file or a name. */
  readonly cutAtChange?: number;
  /** The power goes before the so many-th fsync of a file of lines. */
  readonly cutBeforeSpoolSync?: number;
  /** Which of what was not forced to disk survives. */
  readonly seed?: number;
  /** The power goes before the next change. */
  readonly cutNow?: boolean;
  /** Nothing can be written: ENOSPC, after half of a write. */
  readonly full?: boolean;
  /** So many fsyncs of spool files fail with EIO; what they were to force is never on disk. */
  readonly syncErrors?: number;
  /** So many openings, renames and deletions fail with EBUSY and EPERM, as under a virus scanner. */
  readonly held?: number;
}

export interface DiskControl {
  /** Arguments of Node that put the disk under a program. */
  readonly node: readonly string[];
  /** From now on this goes wrong, and nothing else. */
  set(faults: Omit<FaultyDisk, 'folder'>): void;
}

const DISK = fileURLToPath(new URL('./faulty-disk.ts', import.meta.url));

/** Makes a disk without faults below `folder`; `file` is where its orders are written. */
export function controlDisk(file: string, folder: string): DiskControl {
  const set = (faults: Omit<FaultyDisk, 'folder'>): void => {
    // The program reads it at any moment: never half.
    writeFileSync(`${file}.new`, JSON.stringify({ folder, ...faults }));
    renameSync(`${file}.new`, file);
  };
  set({});
  const url = pathToFileURL(DISK);
  url.searchParams.set('control', file);
  return { node: ['--import', url.href], set };
}
