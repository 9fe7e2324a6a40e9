/**
 * Takes a segment, gives its lines one by one with their places.
 * Keeps: memory stays bounded whatever the file holds: a line that is too long for any collector is named, not read whole.
 */
import { LIMIT } from '@launchbeat/ecs-schemas';
import type { Segment } from './list-segments.ts';
import { readRange } from './read-range.ts';

export interface SegmentLine {
  /** Offset of its first byte. */
  readonly first: number;
  /** Offset behind its LF, or behind the last byte of a line that has none. */
  readonly end: number;
  /** Without the LF; good until the next line is asked for. Of a line that is too long only the beginning. */
  readonly bytes: Buffer;
  readonly fault?: 'too_long' | 'torn';
}

const LF = 0x0a;
const BLOCK_BYTES = 1024 * 1024;

/** The lines that begin at or behind `from`, as far as the segment went when it was listed. `from` is a line's start. */
export function* segmentLines(segment: Segment, from = 0): Generator<SegmentLine> {
  const room = Buffer.allocUnsafe(BLOCK_BYTES);
  for (let at = from; at < segment.size; ) {
    const block = readRange(segment.path, at, Math.min(BLOCK_BYTES, segment.size - at), room);
    if (block.length === 0) return;
    const last = block.lastIndexOf(LF);
    if (last === -1) {
      const line = longLine(segment, at, block);
      yield line;
      at = line.end;
      continue;
    }
    for (let start = 0; start <= last; ) {
      const end = block.indexOf(LF, start);
      const bytes = block.subarray(start, end);
      const line = { first: at + start, end: at + end + 1, bytes };
      yield bytes.length > LIMIT.lineBytesMax ? { ...line, fault: 'too_long' } : line;
      start = end + 1;
    }
    at += last + 1;
  }
}

/** A block without a LF: the end of the segment, or a line that is longer than a block. */
function longLine(segment: Segment, first: number, block: Buffer): SegmentLine {
  const room = Buffer.allocUnsafe(BLOCK_BYTES);
  for (let at = first + block.length; at < segment.size; at += BLOCK_BYTES) {
    const found = readRange(
      segment.path,
      at,
      Math.min(BLOCK_BYTES, segment.size - at),
      room,
    ).indexOf(LF);
    if (found !== -1) return { first, end: at + found + 1, bytes: block, fault: 'too_long' };
  }
  return { first, end: segment.size, bytes: block, fault: 'torn' };
}
