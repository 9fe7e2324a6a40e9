/**
 * Takes documents, gives the columns of their rows in table events, ready for unnest().
 * Keeps: rows stand in order of their id, so that two chunks with the same events wait for each other and never lock up.
 */
import { eventIdTimeMs, type ProcessStart } from '@launchbeat/ecs-schemas';
import { actorOf } from '../assess/alert-fields.ts';
import { storableOrNull, storableText } from './storable-text.ts';

/** Values of each column, the same row at the same place; arrays of text that the statement casts. */
export type EventColumns = { readonly [Name in keyof EventRow]: readonly EventRow[Name][] };

type EventRow = ReturnType<typeof eventRow>;

const BIGINT = /^\d{1,18}$/;

/** A document, and which of the chunks that are written together brought it. */
export interface EventOfChunk {
  readonly document: ProcessStart;
  /** From 1. */
  readonly chunk: number;
}

/** One row of a document. The time is the id's: cut to milliseconds, where PostgreSQL would round. */
function eventRow({ document, chunk }: EventOfChunk) {
  const { event, host, launchbeat, process, winlog } = document;
  const actor = actorOf(document);
  return {
    event_id: event.id,
    timestamp: new Date(eventIdTimeMs(event.id)).toISOString(),
    username: storableOrNull(actor.name),
    user_domain: storableOrNull(actor.domain),
    user_sid: storableOrNull(actor.id),
    process_name: storableOrNull(process.name),
    executable: storableOrNull(process.executable),
    command_line: storableOrNull(process.command_line),
    process_pid: textOrNull(process.pid),
    parent_name: storableOrNull(process.parent?.name),
    parent_executable: storableOrNull(process.parent?.executable),
    parent_pid: textOrNull(process.parent?.pid),
    host_name: storableText(host.name),
    program: storableOrNull(launchbeat.program),
    launch: String(launchbeat.launch),
    flags: textArray(launchbeat.flags ?? []),
    record_id: BIGINT.test(winlog.record_id) ? winlog.record_id : null,
    chunk: String(chunk),
  };
}

/** The columns of all documents, which must have an id each of their own. */
export function eventColumns(events: readonly EventOfChunk[]): EventColumns {
  const rows = events.map(eventRow).sort((one, two) => (one.event_id < two.event_id ? -1 : 1));
  const [first] = rows;
  if (first === undefined) throw new RangeError('eventColumns() needs at least one document.');
  const names = Object.keys(first) as (keyof EventRow)[];
  return Object.fromEntries(
    names.map((name) => [name, rows.map((row) => row[name])]),
  ) as unknown as EventColumns;
}

function textOrNull(value: number | undefined): string | null {
  return value === undefined ? null : String(value);
}

/** A literal of text[]: unnest() would flatten an array of arrays. */
function textArray(values: readonly string[]): string {
  const quoted = values.map((value) => `"${storableText(value).replace(/["\\]/g, '\\$&')}"`);
  return `{${quoted.join(',')}}`;
}
