/**
 * Takes compressed bytes, gives what is in them.
 * Keeps: output is counted as it comes and cut off at the limit, so that a bomb costs one limit's memory, not its own;
 * a zstd frame cannot ask for a larger window than any honest level needs.
 * Source: RFC 8878, section 3.1.1.1.2 (window); Node's zlib (`createZstdDecompress`, since 24 in this use).
 */
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import { type Encoding, LIMIT, type Problem, problem } from '@launchbeat/ecs-schemas';
import { BYTES_PER_RAW_BYTE } from './admit-config.ts';
import type { Share } from './in-flight.ts';
import { contentSize, openFrame, WINDOW_LOG_MAX } from './zstd-frame.ts';

export type DecompressOutcome =
  | { readonly outcome: 'done'; readonly raw: Buffer }
  | { readonly outcome: 'refused'; readonly problem: Problem };

const OUTPUT_BYTES = 128 * 1024;

/** Several gzip members are read as one; several zstd frames are refused. A frame that says its size is opened in one go. */
export async function decompress(
  body: Buffer,
  encoding: Encoding,
  share: Share,
): Promise<DecompressOutcome> {
  const size = encoding === 'zstd' ? contentSize(body) : undefined;
  return size === undefined ? inPieces(body, encoding, share) : inOneGo(body, size, share);
}

function inOneGo(body: Buffer, size: number, share: Share): DecompressOutcome {
  if (size > LIMIT.decompressedBytesMax) return tooLarge();
  if (!share.take(size * BYTES_PER_RAW_BYTE)) return tooMuch();
  try {
    return { outcome: 'done', raw: openFrame(body, size) };
  } catch {
    return notWhole('zstd');
  }
}

/** Decompresses in the thread pool. */
async function inPieces(
  body: Buffer,
  encoding: Encoding,
  share: Share,
): Promise<DecompressOutcome> {
  const stream =
    encoding === 'gzip'
      ? createGunzip({ chunkSize: OUTPUT_BYTES })
      : createZstdDecompress({
          chunkSize: OUTPUT_BYTES,
          params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX },
        });
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    stream.end(body);
    for await (const part of stream as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > LIMIT.decompressedBytesMax) return tooLarge();
      if (!share.take(part.length * BYTES_PER_RAW_BYTE)) return tooMuch();
      parts.push(part);
    }
    // zstd reads the first frame and says nothing of what follows it.
    return stream.bytesWritten === body.length
      ? { outcome: 'done', raw: Buffer.concat(parts, bytes) }
      : notWhole(encoding);
  } catch {
    return notWhole(encoding);
  } finally {
    stream.destroy();
  }
}

function tooLarge(): DecompressOutcome {
  const wanted = `A chunk has at most ${LIMIT.decompressedBytesMax} bytes decompressed. Send halves.`;
  return { outcome: 'refused', problem: problem('too-large', wanted) };
}

function tooMuch(): DecompressOutcome {
  return { outcome: 'refused', problem: problem('unavailable', 'Too much at once.') };
}

function notWhole(encoding: Encoding): DecompressOutcome {
  const found = `Body is not one whole ${encoding} stream.`;
  return { outcome: 'refused', problem: problem('bad-body', found) };
}
