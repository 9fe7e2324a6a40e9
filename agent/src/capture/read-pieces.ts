/**
 * Takes a file or a stream, gives its bytes in pieces.
 * Keeps: one buffer for a whole file; a piece must be done with when the next one is asked for.
 */
import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Read at a time. Every event is a part of the text that it was cut from and holds it; a text twice as large would no more be
 * among what the garbage collector looks at often.
 */
const READ_BYTES = 32 * 1024;
/** Whatever else the program does has its turn, and a signal is heard, also where a file holds nothing that is handed on. */
const PIECES_PER_TURN = 16;

/**
 * Reads a file. So small a piece is in the system's cache: to hand each to a thread and to wait for it would cost more than reading
 * it. What is no regular file may let wait for bytes, so that it is a stream.
 */
export async function* filePieces(file: string): AsyncGenerator<Buffer, void> {
  const descriptor = openSync(file, 'r');
  try {
    if (!fstatSync(descriptor).isFile()) {
      yield* streamPieces(createReadStream(file, { fd: descriptor, autoClose: false }));
      return;
    }
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    for (let pieces = 1; ; pieces += 1) {
      const bytes = readSync(descriptor, buffer);
      if (bytes === 0) return;
      yield buffer.subarray(0, bytes);
      if (pieces % PIECES_PER_TURN === 0) await nextTurn();
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Reads a stream of bytes or text. */
export async function* streamPieces(stream: Readable): AsyncGenerator<Buffer, void> {
  for await (const piece of stream)
    yield typeof piece === 'string' ? Buffer.from(piece) : (piece as Buffer);
}
