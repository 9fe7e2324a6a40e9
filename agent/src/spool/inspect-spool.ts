/**
 * Takes the spool folder and the checkpoint, gives what operators ask of it: what waits, what is broken, the documents.
 * Keeps: it only reads, so that it may run beside a living agent.
 */
import { processStartSchema } from '@launchbeat/ecs-schemas';
import type { Checkpoint } from './checkpoint.ts';
import { listSegments, type Segment } from './list-segments.ts';
import { type SegmentLine, segmentLines } from './segment-lines.ts';

export interface SegmentState {
  readonly segment: Segment;
  /** Whole lines. */
  readonly lines: number;
  /** Whole lines that have no receipt yet. */
  readonly pendingLines: number;
  readonly pendingBytes: number;
}

/** One broken place. */
export interface SpoolFault {
  /** `<segment>@<first byte>-<last byte>`, as in quarantine and in the keys of chunks. */
  readonly place: string;
  readonly reason: string;
}

/** Where a segment's lines without a receipt begin. */
export function pendingFrom(segment: Segment, checkpoint: Checkpoint | undefined): number {
  if (checkpoint === undefined || segment.number > checkpoint.number) return 0;
  return segment.number < checkpoint.number
    ? segment.size
    : Math.min(segment.size, checkpoint.offset);
}

/** The segments in order, each counted. */
export function* spoolStates(
  folder: string,
  checkpoint: Checkpoint | undefined,
): Generator<SegmentState> {
  for (const segment of listSegments(folder)) {
    const from = pendingFrom(segment, checkpoint);
    let [lines, pendingLines] = [0, 0];
    for (const line of segmentLines(segment)) {
      if (line.fault === 'torn') continue;
      lines += 1;
      if (line.first >= from) pendingLines += 1;
    }
    yield { segment, lines, pendingLines, pendingBytes: segment.size - from };
  }
}

/** Every broken place, in order. `living`: an agent writes, so that a torn end of the newest segment is no fault. */
export function* spoolFaults(folder: string, living: boolean): Generator<SpoolFault> {
  const segments = listSegments(folder);
  for (const segment of segments) {
    const active = living && segment === segments.at(-1);
    for (const line of segmentLines(segment)) {
      if (active && line.fault === 'torn') continue;
      const reason = faultOf(line);
      if (reason === undefined) continue;
      yield { place: `${segment.name}@${line.first}-${line.end - 1}`, reason };
    }
  }
}

/** What is wrong with a line, if anything: not whole, not JSON, not a document that a collector takes. */
function faultOf(line: SegmentLine): string | undefined {
  if (line.fault === 'torn') return 'torn: the line has no end';
  if (line.fault === 'too_long') return `line has ${line.end - line.first - 1} bytes, too many`;
  const value = parsed(line.bytes);
  if (value === undefined) return 'line is not JSON';
  const document = processStartSchema.safeParse(value);
  const issue = document.error?.issues[0];
  return issue === undefined
    ? undefined
    : `line is no document: ${issue.path.join('.')}: ${issue.message}`;
}

export type ExportedLine =
  | { readonly outcome: 'done'; readonly bytes: Buffer }
  | { readonly outcome: 'refused'; readonly fault: SpoolFault };

/** The documents as they stand in the files, each with its LF; broken lines are named instead. */
export function* exportSpool(
  folder: string,
  options: { readonly from: (segment: Segment) => number; readonly segments?: readonly string[] },
): Generator<ExportedLine> {
  const { from, segments: names = [] } = options;
  for (const segment of listSegments(folder)) {
    if (names.length > 0 && !names.includes(segment.name)) continue;
    for (const line of segmentLines(segment, from(segment))) {
      const whole = line.fault === undefined && typeof parsed(line.bytes) === 'object';
      const place = `${segment.name}@${line.first}-${line.end - 1}`;
      yield whole
        ? { outcome: 'done', bytes: Buffer.concat([line.bytes, Buffer.from('\n')]) }
        : {
            outcome: 'refused',
            fault: { place, reason: faultOf(line) ?? 'line is not an object' },
          };
    }
  }
}

/** Undefined where the bytes are no JSON value, or null. */
function parsed(bytes: Buffer): unknown {
  try {
    return (JSON.parse(bytes.toString('utf8')) as unknown) ?? undefined;
  } catch {
    return undefined;
  }
}
