/**
 * Takes a file and a range, gives its bytes; reads no more than that into memory.
 */
import { closeSync, openSync, readSync } from 'node:fs';

/** The bytes from `start` on, at most `length`, fewer at the end of the file. `into` is used where it is large enough. */
export function readRange(path: string, start: number, length: number, into?: Buffer): Buffer {
  const descriptor = openSync(path, 'r');
  try {
    const bytes = into !== undefined && into.length >= length ? into : Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      const read = readSync(descriptor, bytes, filled, length - filled, start + filled);
      if (read === 0) break;
      filled += read;
    }
    return bytes.subarray(0, filled);
  } finally {
    closeSync(descriptor);
  }
}

const LF = 0x0a;
const BLOCK_BYTES = 64 * 1024;

/** Offset behind the last LF that stands before `end`; 0 if there is none. */
export function lineStartBefore(path: string, end: number): number {
  for (let stop = end; stop > 0; ) {
    const start = Math.max(0, stop - BLOCK_BYTES);
    const at = readRange(path, start, stop - start).lastIndexOf(LF);
    if (at !== -1) return start + at + 1;
    stop = start;
  }
  return 0;
}

/** Offset behind the first LF at or after `start` and before `end`; undefined if there is none. */
export function lineEndAfter(path: string, start: number, end: number): number | undefined {
  for (let at = start; at < end; at += BLOCK_BYTES) {
    const found = readRange(path, at, Math.min(BLOCK_BYTES, end - at)).indexOf(LF);
    if (found !== -1) return at + found + 1;
  }
  return undefined;
}
