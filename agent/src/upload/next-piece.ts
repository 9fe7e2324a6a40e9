/**
 * Takes the spool and the checkpoint, gives what to do next: a chunk of whole lines to send, bytes that can never be sent,
 * the next segment, or nothing yet.
 * Keeps: memory stays bounded whatever waits on disk; lines keep their order; a line that is being written waits.
 */
import { isUtf8 } from 'node:buffer';
import { LIMIT, wholeLinesBytes } from '@launchbeat/ecs-schemas';
import type { Checkpoint } from '../spool/checkpoint.ts';
import { listSegments, type Segment } from '../spool/list-segments.ts';
import { lineEndAfter, readRange } from '../spool/read-range.ts';

/** A range of a segment: bytes `first` to `end - 1`. */
export interface Range {
  readonly segment: string;
  readonly number: number;
  readonly first: number;
  readonly end: number;
}

export interface Chunk extends Range {
  /** Whole lines, each with its LF. */
  readonly bytes: Buffer;
  readonly lines: number;
  /** Stands before the segment's name in the idempotency key of lines that are sent once more. */
  readonly keyPrefix?: string;
}

export type Piece =
  | { readonly outcome: 'chunk'; readonly chunk: Chunk }
  | {
      readonly outcome: 'unfit';
      readonly range: Range;
      readonly reason: string;
      readonly bytes: Buffer;
    }
  /** All of a sealed segment is done, or it is gone; `lost` says what is wrong with it. */
  | { readonly outcome: 'advance'; readonly to: Checkpoint; readonly lost?: string }
  | { readonly outcome: 'none' };

export interface PieceLimits {
  readonly bytesMax: number;
  readonly linesMax: number;
  /** What would compress the chunk now; see Checkpoint. */
  readonly sentAs: string;
  /** Room for bytesMax bytes, used at each call: what a piece holds is good until the next call. */
  readonly room: Buffer;
}

const UNFIT_KEPT_BYTES_MAX = 1024 * 1024;

/** The next piece behind the checkpoint; undefined = from the first segment on. */
export function nextPiece(folder: string, at: Checkpoint | undefined, limits: PieceLimits): Piece {
  const segments = listSegments(folder);
  const index = segments.findIndex((one) => one.number >= (at?.number ?? 0));
  const segment = segments[index];
  if (segment === undefined) return { outcome: 'none' };
  if (at === undefined) return { outcome: 'advance', to: startOf(segment) };
  if (segment.name !== at.segment) {
    const lost = `${at.segment} is gone; what was not shipped of it cannot be.`;
    // The number never comes twice: under another name it is not the file that was read.
    const next = segment.number === at.number ? segments[index + 1] : segment;
    return next === undefined
      ? { outcome: 'none' }
      : { outcome: 'advance', to: startOf(next), lost };
  }
  const next = segments[index + 1];
  if (at.offset < segment.size) return pieceOf(segment, at, limits, next === undefined);
  if (next === undefined) return { outcome: 'none' };
  const shrunk = `${at.segment} is shorter than what was shipped of it.`;
  return {
    outcome: 'advance',
    to: startOf(next),
    ...(at.offset > segment.size ? { lost: shrunk } : {}),
  };
}

const startOf = (segment: Segment): Checkpoint => ({
  segment: segment.name,
  number: segment.number,
  offset: 0,
});

function pieceOf(segment: Segment, at: Checkpoint, limits: PieceLimits, active: boolean): Piece {
  const { pending } = at;
  const again = pending !== undefined && pending.sentAs === limits.sentAs;
  const planned = again && pending.end <= segment.size ? pending.end - at.offset : undefined;
  const length = Math.min(segment.size - at.offset, planned ?? limits.bytesMax);
  const bytes = readRange(segment.path, at.offset, length, limits.room);
  const whole = wholeLinesBytes(bytes);
  if (whole === 0) return longLine(segment, at, active);
  const linesMax = planned === undefined ? limits.linesMax : LIMIT.chunkLinesMax;
  const fit = fitLines(bytes.subarray(0, whole), linesMax);
  const range = { segment: segment.name, number: segment.number, first: at.offset };
  if (fit.lines === 0) {
    const end = bytes.indexOf(LF) + 1;
    return {
      outcome: 'unfit',
      range: { ...range, end: at.offset + end },
      reason: fit.reason ?? 'line is not fit',
      bytes: bytes.subarray(0, end),
    };
  }
  // Another compressor makes other bytes: the same range must not go out under its old key, which names its old bytes.
  const sameKey = !again && pending?.end === at.offset + fit.bytes;
  const [end, lines] =
    sameKey && fit.lines > 1 ? [fit.lastLineStart, fit.lines - 1] : [fit.bytes, fit.lines];
  return {
    outcome: 'chunk',
    chunk: { ...range, end: at.offset + end, bytes: bytes.subarray(0, end), lines },
  };
}

const LF = 0x0a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

interface Fit {
  /** Bytes of the lines that are fit, up to the first that is not. */
  readonly bytes: number;
  readonly lines: number;
  readonly lastLineStart: number;
  /** Why the line behind them is not fit. */
  readonly reason?: string;
}

/**
 * Lines that are only passed on are not parsed: that would cost four times what everything else of shipping does. What disks do to a
 * file (zeros, a torn line, other bytes) shows without it; a line that is broken otherwise is rejected by the collector, by its
 * number, and goes to quarantine then.
 */
function fitLines(bytes: Buffer, linesMax: number): Fit {
  let [start, lines, lastLineStart] = [0, 0, 0];
  const text = isUtf8(bytes) && !bytes.includes(0);
  while (start < bytes.length && lines < linesMax) {
    const end = bytes.indexOf(LF, start);
    const whole = text && bytes[start] === OPEN_BRACE && bytes[end - 1] === CLOSE_BRACE;
    const reason =
      whole && end - start <= LIMIT.lineBytesMax
        ? undefined
        : unfitReason(bytes.subarray(start, end));
    if (reason !== undefined) return { bytes: start, lines, lastLineStart, reason };
    lastLineStart = start;
    start = end + 1;
    lines += 1;
  }
  return { bytes: start, lines, lastLineStart };
}

/** Why no collector would ever take a line, if so. */
function unfitReason(line: Buffer): string | undefined {
  if (line.length > LIMIT.lineBytesMax) return tooLong(line.length);
  try {
    const value: unknown = JSON.parse(line.toString('utf8'));
    return typeof value === 'object' && value !== null ? undefined : 'line is not a JSON object';
  } catch {
    return 'line is not JSON';
  }
}

const tooLong = (bytes: number): string =>
  `line has ${bytes} bytes, a collector takes ${LIMIT.lineBytesMax}`;

/** No LF in what was read: the line is being written, or torn, or longer than a chunk. */
function longLine(segment: Segment, at: Checkpoint, active: boolean): Piece {
  const found = lineEndAfter(segment.path, at.offset, segment.size);
  if (found === undefined && active) return { outcome: 'none' };
  const end = found ?? segment.size;
  const range = { segment: segment.name, number: segment.number, first: at.offset, end };
  const length = end - at.offset;
  const bytes = readRange(segment.path, at.offset, Math.min(length, UNFIT_KEPT_BYTES_MAX));
  if (found === undefined) {
    return { outcome: 'unfit', range, reason: 'torn line at the end of a sealed file', bytes };
  }
  const reason =
    length > UNFIT_KEPT_BYTES_MAX ? tooLong(length - 1) : unfitReason(bytes.subarray(0, -1));
  if (reason !== undefined) return { outcome: 'unfit', range, reason, bytes };
  return { outcome: 'chunk', chunk: { ...range, bytes, lines: 1 } };
}
