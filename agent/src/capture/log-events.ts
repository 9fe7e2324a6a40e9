/**
 * Takes the events that Windows writes about the log itself, about its clock and its audit policy; gives what they mean as facts.
 * Keeps: a service that was stopped while Windows ran is told apart from a shutdown, by the start of Windows that follows it; nothing
 * of an event but its number stands in a fact.
 * Source: Microsoft's pages on events 1100 to 1108, 4608, 4616, 4719, and the manifests of their providers.
 */
import type { SourceFact } from './captured-event.ts';
import type { NoticeName } from './notice-names.ts';

/** Where an event stands in the log. */
export interface LogPlace {
  readonly recordId: number;
  /** Unix milliseconds. */
  readonly timeMs: number;
}

export interface LogEvents {
  /** Takes every event of the log in its order, process starts too; gives what is found out by it. */
  take(code: string, xml: string, place: LogPlace): readonly SourceFact[];
  /** The log has nothing more for now. */
  idle(nowMs: number): SourceFact[];
}

export interface LogEventsOptions {
  /** When Windows was started, in Unix milliseconds: what was stopped before that ended with a shutdown. */
  readonly bootedAtMs: number;
}

/** A clock that is set back by less is one that is kept right. */
const BACK_MS_MIN = 5000;
const AHEAD_MS_MIN = 60_000;
/** Events of several processors are not quite in the order of their times. */
const OUT_OF_ORDER_MS_MAX = 60_000;
/** After a start of Windows its event 4608 comes within the first records. */
const BOOT_WAIT_MS = 60_000;
const PROCESS_CREATION = '0cce922b-69ae-11d9-bed3-505054503030';
const SUCCESS_REMOVED = '%%8448';
const SUCCESS_ADDED = '%%8449';

/** Value of an EventData part by its name, '' where it is absent. Names are ours, so they need no escaping. */
function dataOf(xml: string, name: string): string {
  return new RegExp(`<Data Name=['"]${name}['"]>([^<]{0,200})<`).exec(xml)?.[1] ?? '';
}

const seconds = (ms: number): string => `${Math.round(Math.abs(ms) / 1000)} s`;
const timeOf = (ms: number): string => new Date(ms).toISOString();

function notice(
  name: NoticeName,
  level: 'error' | 'warn' | 'info',
  reason: string,
  range: { from?: number; to?: number } = {},
): SourceFact {
  return { kind: 'notice', name, level, reason, ...range };
}

/** What 4719 says of process starts; a change of another subcategory is only good to know. */
function policyChange(xml: string, { recordId }: LogPlace): SourceFact {
  const guid = dataOf(xml, 'SubcategoryGuid').replace(/[{}]/g, '').toLowerCase();
  const changes = dataOf(xml, 'AuditPolicyChanges');
  const at = `(event 4719, record ${recordId})`;
  if (guid !== PROCESS_CREATION)
    return notice('audit_policy', 'info', `Audit policy of another subcategory was changed ${at}`);
  if (changes.includes(SUCCESS_REMOVED)) {
    const reason = `Auditing of process starts was switched off ${at}`;
    return notice('audit_policy', 'error', reason);
  }
  const what = changes.includes(SUCCESS_ADDED) ? 'switched on' : 'changed';
  return notice('audit_policy', 'warn', `Auditing of process starts was ${what} ${at}`);
}

/** What 4616 says; undefined where the clock was only kept right. */
function clockChange(xml: string, { recordId }: LogPlace): SourceFact | undefined {
  const from = Date.parse(dataOf(xml, 'PreviousTime'));
  const to = Date.parse(dataOf(xml, 'NewTime'));
  if (Number.isNaN(from) || Number.isNaN(to)) return undefined;
  const byMs = to - from;
  if (byMs > -BACK_MS_MIN && byMs < AHEAD_MS_MIN) return undefined;
  const way = byMs < 0 ? 'back' : 'ahead';
  const reason = `Clock of the PC was set ${way} by ${seconds(byMs)} (event 4616, record ${recordId}); events stay in the order of the log`;
  return notice('clock_set', 'warn', reason);
}

/** Asked for each event: no new list for each. */
const NONE: readonly SourceFact[] = [];
const DROPPED = 'Windows dropped audit events, how many it does not say';
const SIMPLE: Readonly<Record<string, (place: LogPlace) => SourceFact>> = {
  1101: ({ recordId }) =>
    notice('events_dropped', 'error', `${DROPPED} (event 1101, record ${recordId})`),
  1102: ({ recordId }) =>
    notice('log_cleared', 'warn', `Security log was cleared (event 1102, record ${recordId})`),
  1104: ({ recordId }) =>
    notice(
      ...(['log_full', 'error'] as const),
      `Security log is full and keeps no new events (event 1104, record ${recordId}); its retention must be "overwrite as needed"`,
    ),
  1105: ({ recordId }) =>
    notice(
      ...(['log_archived', 'info'] as const),
      `Security log was full; Windows put it aside as a file and began it anew (event 1105, record ${recordId})`,
    ),
  1108: ({ recordId }) =>
    notice(
      'events_dropped',
      'error',
      `Windows could not write an event (1108, record ${recordId})`,
    ),
};

/** A service that was stopped, and since when it writes again. */
interface Stop {
  readonly at: LogPlace;
  back?: LogPlace;
}

/** Makes the reader of one log; it outlives the bridges that read it. */
export function createLogEvents({ bootedAtMs }: LogEventsOptions): LogEvents {
  let last: LogPlace | undefined;
  let stop: Stop | undefined;

  /** Tells a stop of the service once it is sure that it was no shutdown. */
  function afterStop(code: string, place: LogPlace): SourceFact[] {
    if (stop === undefined) return [];
    if (code === '4608') {
      stop = undefined;
      return [];
    }
    stop.back ??= place;
    return judgeStop(place.timeMs);
  }

  function judgeStop(nowMs: number): SourceFact[] {
    if (stop?.back === undefined) return [];
    const { at, back } = stop;
    const shutDown = at.timeMs < bootedAtMs && bootedAtMs <= back.timeMs + BOOT_WAIT_MS;
    if (!shutDown && at.timeMs < bootedAtMs && nowMs < back.timeMs + BOOT_WAIT_MS) return [];
    stop = undefined;
    if (shutDown) return [];
    const reason = `Windows Event Log service was stopped for ${seconds(back.timeMs - at.timeMs)} while Windows ran (event 1100, record ${at.recordId}); starts between ${timeOf(at.timeMs)} and ${timeOf(back.timeMs)} may be missing`;
    return [notice('log_service', 'error', reason, { from: at.recordId, to: back.recordId })];
  }

  /** A time that lies before the one of an older record, with no event that says so. */
  function backwards(code: string, place: LogPlace): readonly SourceFact[] {
    const before = last;
    last = place;
    if (before === undefined || code === '4616' || place.recordId <= before.recordId) return NONE;
    const byMs = place.timeMs - before.timeMs;
    if (byMs > -OUT_OF_ORDER_MS_MAX) return NONE;
    const reason = `Clock of the PC went back by ${seconds(byMs)} between records ${before.recordId} and ${place.recordId}; events stay in the order of the log`;
    return [notice('clock_set', 'warn', reason)];
  }

  return {
    take(code, xml, place) {
      // Nearly every event is such a one.
      if (code === '4688' && stop === undefined) return backwards(code, place);
      const facts = [...afterStop(code, place), ...backwards(code, place)];
      if (code === '1100') stop = { at: place };
      const simple = SIMPLE[code];
      if (simple !== undefined) facts.push(simple(place));
      if (code === '4719') facts.push(policyChange(xml, place));
      const clock = code === '4616' ? clockChange(xml, place) : undefined;
      return clock === undefined ? facts : [...facts, clock];
    },
    idle: judgeStop,
  };
}
