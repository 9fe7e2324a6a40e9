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

export type DecompressOutcome =
  | { readonly outcome: 'done'; readonly raw: Buffer }
  | { readonly outcome: 'refused'; readonly problem: Problem };

const OUTPUT_BYTES = 128 * 1024;
/** 8 MiB: what levels up to 19 use. */
const WINDOW_LOG_MAX = 23;

/** Decompresses in the thread pool. Several gzip members are read as one; several zstd frames are refused. */
export async function decompress(
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
      if (bytes > LIMIT.decompressedBytesMax) {
        const wanted = `A chunk has at most ${LIMIT.decompressedBytesMax} bytes decompressed. Send halves.`;
        return { outcome: 'refused', problem: problem('too-large', wanted) };
      }
      if (!share.take(part.length * BYTES_PER_RAW_BYTE)) {
        return { outcome: 'refused', problem: problem('unavailable', 'Too much at once.') };
      }
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

function notWhole(encoding: Encoding): DecompressOutcome {
  const found = `Body is not one whole ${encoding} stream.`;
  return { outcome: 'refused', problem: problem('bad-body', found) };
}
