/**
 * Takes documents, gives their rows in table events, and the rows' columns as arrays for unnest().
 * Keeps: rows stand in order of their id, so that two chunks with the same events wait for each other and never lock up.
 */
import type { ProcessStart } from '@launchbeat/ecs-schemas';
import { actorOf } from '../assess/alert-fields.ts';
import { textArray } from './array-literal.ts';
import { storableOrNull, storableText } from './storable-text.ts';

/** The texts of one row; the statement casts them. */
export type EventRow = ReturnType<typeof eventRow>;

/** A row, and which of the chunks that are written together brought it. */
export interface RowOfChunk {
  readonly row: EventRow;
  /** From 1. */
  readonly chunk: number;
}

/** An array literal of each column, the same row at the same place. */
export type EventColumns = { readonly [Name in keyof EventRow | 'chunk']: string };

const BIGINT = /^\d{1,18}$/;

/** The row of a document. */
export function eventRow(document: ProcessStart) {
  const { event, host, launchbeat, process, winlog } = document;
  const actor = actorOf(document);
  return {
    event_id: event.id,
    timestamp: cutToMilliseconds(document['@timestamp']),
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
    // An array in an array: unnest() would flatten it, so it stays a text.
    flags: textArray((launchbeat.flags ?? []).map(storableText)),
    record_id: BIGINT.test(winlog.record_id) ? winlog.record_id : null,
  };
}

/** The columns of all rows, each of which must have an id of its own. */
export function eventColumns(events: readonly RowOfChunk[]): EventColumns {
  const sorted = events.toSorted((one, two) => (one.row.event_id < two.row.event_id ? -1 : 1));
  const [first] = sorted;
  if (first === undefined) throw new RangeError('eventColumns() needs at least one row.');
  const names = Object.keys(first.row) as (keyof EventRow)[];
  const columns = names.map((name) => [name, textArray(sorted.map(({ row }) => row[name]))]);
  const chunk = textArray(sorted.map((one) => String(one.chunk)));
  return { ...(Object.fromEntries(columns) as Record<keyof EventRow, string>), chunk };
}

/** `2026-03-02T06:00:00.040Z` */
const MILLISECONDS_UNITS = 24;

/** A time with at most three digits behind the second: the id's, where PostgreSQL would round the others. */
function cutToMilliseconds(time: string): string {
  return time.length <= MILLISECONDS_UNITS ? time : `${time.slice(0, MILLISECONDS_UNITS - 1)}Z`;
}

function textOrNull(value: number | undefined): string | null {
  return value === undefined ? null : String(value);
}
