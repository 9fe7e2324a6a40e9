/**
 * Takes bytes that can never be shipped, keeps them with the reason in `quarantine/` of the spool, one JSON line each.
 * Keeps: an entry is on disk before this returns; the folder stays bounded, the oldest entries go first.
 */

import { isUtf8 } from 'node:buffer';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { syncFolder } from '@launchbeat/ecs-schemas/beat';

export interface QuarantineEntry {
  readonly reason: string;
  /** Where it stood, e.g. `launchbeat.20261123.4.ndjson@1024-2047`. */
  readonly place: string;
  readonly bytes: Uint8Array;
}

export interface Quarantined {
  /** Bytes of older entries that went to make room: those are lost. */
  readonly droppedBytes: number;
}

const FILE_BYTES_MAX = 8 * 1024 * 1024;
const FOLDER_BYTES_MAX = 64 * 1024 * 1024;
/** Of one entry so much is kept; a chunk is smaller. */
const ENTRY_BYTES_MAX = 8 * 1024 * 1024;
const NAME = /^quarantine\.(\d{1,9})\.ndjson$/;

interface QuarantineFile {
  readonly path: string;
  readonly number: number;
  readonly size: number;
}

/** Keeps entries (one fsync for all). Throws when they may not be on disk; then what they are about must stay where it is. */
export function quarantine(
  spoolFolder: string,
  entries: QuarantineEntry | readonly QuarantineEntry[],
): Quarantined {
  const folder = join(spoolFolder, 'quarantine');
  if (mkdirSync(folder, { recursive: true }) !== undefined) syncFolder(spoolFolder);
  const files = filesIn(folder);
  const newest = files.at(-1);
  const number =
    newest === undefined || newest.size >= FILE_BYTES_MAX
      ? (newest?.number ?? 0) + 1
      : newest.number;
  const descriptor = openSync(join(folder, `quarantine.${number}.ndjson`), 'a', 0o600);
  try {
    // The LF in front ends a line that a crash has torn; readers skip empty lines.
    if (newest?.number === number && newest.size > 0) writeSync(descriptor, '\n');
    for (const entry of [entries].flat()) {
      writeAll(descriptor, Buffer.from(`${JSON.stringify(describe(entry))}\n`));
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  // A new file whose name is not on disk is gone with all that it holds.
  if (newest?.number !== number) syncFolder(folder);
  return { droppedBytes: dropOldest(filesIn(folder)) };
}

function writeAll(descriptor: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}

/** The entry as it is stored: text as text, other bytes as base64, NULs at the end only counted. */
function describe(entry: QuarantineEntry): object {
  const bytes = Buffer.from(entry.bytes.buffer, entry.bytes.byteOffset, entry.bytes.byteLength);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  const kept = bytes.subarray(0, Math.min(end, ENTRY_BYTES_MAX));
  return {
    '@timestamp': new Date().toISOString(),
    reason: entry.reason,
    place: entry.place,
    bytes: bytes.length,
    ...(end < bytes.length ? { nul_bytes: bytes.length - end } : {}),
    ...(kept.length < end ? { cut: true } : {}),
    ...(isUtf8(kept) ? { text: kept.toString('utf8') } : { base64: kept.toString('base64') }),
  };
}

function filesIn(folder: string): QuarantineFile[] {
  return readdirSync(folder)
    .flatMap((name) => {
      const match = NAME.exec(name);
      if (match === null) return [];
      const path = join(folder, name);
      return [{ path, number: Number(match[1]), size: statSync(path).size }];
    })
    .sort((a, b) => a.number - b.number);
}

function dropOldest(files: readonly QuarantineFile[]): number {
  let total = files.reduce((sum, file) => sum + file.size, 0);
  let droppedBytes = 0;
  for (const file of files.slice(0, -1)) {
    if (total <= FOLDER_BYTES_MAX) break;
    rmSync(file.path, { force: true });
    total -= file.size;
    droppedBytes += file.size;
  }
  return droppedBytes;
}
