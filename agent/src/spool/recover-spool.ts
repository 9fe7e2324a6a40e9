/**
 * Takes the spool folder as a crash or a power cut left it, cuts a torn last line; says what it did and what the last line is.
 * Keeps: it runs before the spool is opened, since the next event would grow onto the torn line; what is cut goes to
 * `quarantine/` first. A torn line was never durable: its source gives it again.
 */
import { closeSync, fsyncSync, ftruncateSync, openSync } from 'node:fs';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { listSegments, type Segment } from './list-segments.ts';
import { quarantine } from './quarantine.ts';
import { lineStartBefore, readRange } from './read-range.ts';

/** What a whole line of the spool says of its event. */
export interface LastLine {
  readonly recordId: number;
  readonly timeMs: number;
  readonly channel: string;
  readonly computer: string;
  readonly namespace: string;
  readonly agentId: string;
}

export interface RecoverOutcome {
  /** `refused`: the torn line could not be cut; the spool begins a new segment behind it. */
  readonly outcome: 'done' | 'refused';
  /** Bytes behind the last whole line, cut or not. */
  readonly tornBytes: number;
  /** The last whole line, if it is an event. */
  readonly last?: LastLine;
}

/** Of a torn tail at most so much is kept: it is half a line, and often NULs to the end of a block. */
const TORN_KEPT_BYTES_MAX = 1024 * 1024;
const LINE_BYTES_MAX = 1024 * 1024;

/** Cuts a torn last line of the newest segment that holds anything. */
export function recoverSpool(folder: string, log: Log): RecoverOutcome {
  const newest = listSegments(folder).findLast((segment) => segment.size > 0);
  if (newest === undefined) return { outcome: 'done', tornBytes: 0 };
  const end = lineStartBefore(newest.path, newest.size);
  const last = lastLineOf(newest.path, end);
  const found = { tornBytes: newest.size - end, ...(last === undefined ? {} : { last }) };
  if (found.tornBytes === 0) return { outcome: 'done', ...found };
  return { outcome: cutTail(folder, newest, end, log), ...found };
}

function cutTail(folder: string, segment: Segment, end: number, log: Log): 'done' | 'refused' {
  const place = `${segment.name}@${end}-${segment.size - 1}`;
  const fields = { 'file.path': segment.path, 'launchbeat.spool.torn_bytes': segment.size - end };
  try {
    const length = Math.min(segment.size - end, TORN_KEPT_BYTES_MAX);
    const bytes = readRange(segment.path, end, length);
    quarantine(folder, { reason: 'torn line at the end of the spool', place, bytes });
    const descriptor = openSync(segment.path, 'r+');
    try {
      ftruncateSync(descriptor, end);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    log.error({ ...fields, err: error }, 'Torn last line cannot be cut; a new segment is begun.');
    return 'refused';
  }
  log.warn(fields, 'Torn last line was cut; its event was never acknowledged and is read again.');
  return 'done';
}

/** The line that ends at `end`, if it is an event. */
export function lastLineOf(path: string, end: number): LastLine | undefined {
  if (end === 0) return undefined;
  const start = lineStartBefore(path, end - 1);
  if (end - start > LINE_BYTES_MAX) return undefined;
  try {
    return lastLine(JSON.parse(readRange(path, start, end - start).toString('utf8')));
  } catch {
    return undefined;
  }
}

interface Line {
  readonly '@timestamp'?: unknown;
  readonly agent?: { readonly id?: unknown };
  readonly data_stream?: { readonly namespace?: unknown };
  readonly winlog?: { readonly record_id?: unknown; channel?: unknown; computer_name?: unknown };
}

function lastLine(line: Line): LastLine {
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return {
    recordId: Number(line.winlog?.record_id),
    timeMs: Date.parse(text(line['@timestamp'])),
    channel: text(line.winlog?.channel),
    computer: text(line.winlog?.computer_name),
    namespace: text(line.data_stream?.namespace),
    agentId: text(line.agent?.id),
  };
}
