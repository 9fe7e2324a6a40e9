/**
 * Takes lines as text, gives their bytes in pieces that are worth a write(2).
 * Keeps: one buffer for all that is ever printed, so that nothing of the size of a batch is made anew for each batch.
 */

/**
 * Each write(2) is announced to everybody who watches the folder, the uploader among them, which costs more than the write. The memory
 * is the system's until it is filled for the first time.
 */
const BUFFER_BYTES = 256 * 1024;
/** No UTF-16 unit takes more in UTF-8. */
const UNIT_BYTES_MAX = 3;

export interface LineBuffer {
  /** Takes a line; hands on what waits when the buffer has no room for it. */
  add(line: string): void;
  /** Hands on what waits. */
  flush(): void;
  /** Forgets what waits. */
  clear(): void;
}

/** Makes one. `write` must be done with the bytes when it returns. */
export function createLineBuffer(write: (bytes: Uint8Array) => void): LineBuffer {
  const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  let used = 0;
  const flush = (): void => {
    if (used === 0) return;
    const bytes = buffer.subarray(0, used);
    used = 0;
    write(bytes);
  };
  return {
    add(line) {
      const bytesMax = line.length * UNIT_BYTES_MAX;
      if (bytesMax > BUFFER_BYTES - used) flush();
      if (bytesMax > BUFFER_BYTES) write(Buffer.from(line));
      else used += buffer.write(line, used);
    },
    flush,
    clear() {
      used = 0;
    },
  };
}
