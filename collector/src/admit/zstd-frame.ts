/**
 * Takes a zstd frame that says how many bytes are in it, gives these bytes, in one go: no pieces, no copies. Of all that a chunk
 * costs, pieces and their copies were a tenth.
 * Keeps: what a frame says of itself is no promise: output ends at that size whatever comes out; a window is bounded.
 * Source: RFC 8878, section 3.1.1.1 (frame header).
 */
import { constants, zstdDecompressSync } from 'node:zlib';

const MAGIC = 0xfd2fb528;
/** 8 MiB: what levels up to 19 use. */
export const WINDOW_LOG_MAX = 23;
/** Bytes of Frame_Content_Size by its flag; with flag 0 one byte, where there is a single segment. */
const SIZE_BYTES = [0, 2, 4, 8] as const;
const DICTIONARY_ID_BYTES = [0, 1, 2, 4] as const;
/** Node makes a new buffer when one is full to the last byte. */
const SPARE_BYTES = 64;

/** Frame_Content_Size; undefined where the header does not say it, or is none. */
export function contentSize(frame: Buffer): number | undefined {
  if (frame.length < 18 || frame.readUInt32LE(0) !== MAGIC) return undefined;
  const descriptor = frame.readUInt8(4);
  const single = (descriptor & 0x20) !== 0;
  const flag = (descriptor >> 6) as 0 | 1 | 2 | 3;
  const bytes = flag === 0 && single ? 1 : SIZE_BYTES[flag];
  const at = 5 + (single ? 0 : 1) + DICTIONARY_ID_BYTES[(descriptor & 3) as 0 | 1 | 2 | 3];
  switch (bytes) {
    case 1:
      return frame.readUInt8(at);
    case 2:
      return frame.readUInt16LE(at) + 256;
    case 4:
      return frame.readUInt32LE(at);
    case 8:
      return Number(frame.readBigUInt64LE(at));
    case 0:
      return undefined;
  }
}

/** The bytes of one whole frame of `size` bytes. Throws when there are more or fewer, or when anything follows the frame. */
export function openFrame(frame: Buffer, size: number): Buffer {
  const { buffer, engine } = zstdDecompressSync(frame, {
    chunkSize: size + SPARE_BYTES,
    maxOutputLength: Math.max(size, 1),
    params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX },
    info: true,
  }) as unknown as { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };
  if (buffer.length !== size) throw new RangeError('A zstd frame holds fewer bytes than it says.');
  // zstd reads the first frame and says nothing of what follows it.
  if (engine.bytesWritten !== frame.length) throw new RangeError('More follows a zstd frame.');
  return buffer;
}
