/**
 * Takes text in pieces, gives the `<Event>…</Event>` in it, whatever stands around them: one a line, an `<Events>` list,
 * an indented export.
 * Keeps: what is no event is reported with its line and skipped, never a stop; memory bounded by the longest event taken.
 */
import { EVENT_UNITS_MAX, type SourceFact, unreadable } from './captured-event.ts';

/** What a piece of text held, in its order. */
export interface Scanned {
  readonly events: string[];
  readonly facts: SourceFact[];
}

export interface EventScanner {
  /** Takes the next piece; gives what it completes. */
  push(text: string): Scanned;
  /** Says that no more comes; gives what is left over as unreadable. */
  end(): Scanned;
}

/** The start of an event (no `<Events>`, no `<EventData>`) or its end: one search for both costs a third of two. */
const MARK = /<Event[\s>]|<\/Event>/g;
const END_UNITS = '</Event>'.length;
const START_MARK_UNITS = '<Event>'.length;
const LESS = 0x3c;
/** What stands between most events. */
const LINE_END_UNITS_MAX = 2;
/** A start may be cut by the end of a piece. */
const START_UNITS = 8;
/** What may stand between events: XML declaration, list element, comments. */
const BETWEEN = /<\?xml[^>]*\?>|<\/?Events\b[^>]*>|<!--[\s\S]*?-->|\ufeff/g;

function lineFeeds(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

interface Mark {
  readonly place: number;
  readonly isStart: boolean;
}

/** The next start or end of an event in the text, from `from` on; its place is counted from `origin`. */
function nextMark(text: string, from: number, origin: number): Mark | undefined {
  MARK.lastIndex = from;
  if (!MARK.test(text)) return undefined;
  const end = MARK.lastIndex - origin;
  const isStart = text.charCodeAt(MARK.lastIndex - START_MARK_UNITS) === LESS;
  return { place: end - (isStart ? START_MARK_UNITS : END_UNITS), isStart };
}

/** Text that comes in pieces and is used up from its start. */
function createWindow() {
  let buffer = '';
  /** What stands before is done with; it is cut off when the next piece comes. */
  let at = 0;
  /** Line of the buffer's place `counted`: lines are counted when somebody asks, not for each event. */
  let line = 1;
  let counted = 0;
  const lineHere = (): number => {
    line += lineFeeds(buffer.slice(counted, at));
    counted = at;
    return line;
  };
  return {
    lineHere,
    add(text: string): void {
      lineHere();
      buffer = buffer.slice(at) + text;
      at = 0;
      counted = 0;
    },
    /** Units that wait. */
    units: (): number => buffer.length - at,
    /** The next start or end of an event, `from` units on; its place is counted from here. */
    mark: (from: number): Mark | undefined => nextMark(buffer, at + from, at),
    isBlank: (length: number): boolean => buffer.slice(at, at + length).trim() === '',
    /** Goes on behind `length` units; gives them. */
    drop(length: number): string {
      const text = buffer.slice(at, at + length);
      at += text.length;
      return text;
    },
  };
}

/** Makes a scanner; `name` is the file's name for places. */
export function createEventScanner(name: string): EventScanner {
  const { add, drop, isBlank, lineHere, mark, units } = createWindow();
  let tooLong = false;
  let scanned: Scanned = { events: [], facts: [] };

  const report = (atLine: number, reason: string, text: string): void => {
    scanned.facts.push(unreadable(`${name}:${atLine}`, reason, text));
  };

  /** Reports what stands between events and is not known, line by line. */
  function dropBetween(length: number): void {
    if (length <= LINE_END_UNITS_MAX && isBlank(length)) {
      drop(length);
      return;
    }
    const firstLine = lineHere();
    const known = drop(length).replace(BETWEEN, (text) => '\n'.repeat(lineFeeds(text)));
    // What follows an event that was too long is the rest of it.
    if (!tooLong && known.trim() !== '') {
      for (const [index, text] of known.split('\n').entries())
        if (text.trim() !== '') report(firstLine + index, 'Text is no <Event>.', text);
    }
  }

  /** Where the next event begins; -1 = nowhere in what waits. */
  function nextStart(): number {
    let found = mark(0);
    while (found?.isStart === false) found = mark(found.place + END_UNITS);
    return found?.place ?? -1;
  }

  /** No event begins in the buffer: keeps it while it may still be of use. */
  function waitForStart(): void {
    const sure = units() - START_UNITS;
    if (sure > EVENT_UNITS_MAX || (tooLong && sure > 0)) dropBetween(sure);
  }

  /** Reports and drops `length` units from the start of an event that cannot be taken. */
  function refuse(length: number, reason: string): true {
    const atLine = lineHere();
    report(atLine, reason, drop(length));
    return true;
  }

  /** Takes the event that begins here; false when its end has not come yet. */
  function takeEvent(): boolean {
    const next = mark(1);
    if (next?.isStart === true)
      return refuse(next.place, 'Event has no end before the next one begins.');
    const length = next === undefined ? units() : next.place + END_UNITS;
    if (length > EVENT_UNITS_MAX) {
      tooLong = next === undefined;
      const reason = `Event is longer than ${EVENT_UNITS_MAX} characters.`;
      return refuse(tooLong ? length - START_UNITS : length, reason);
    }
    if (next === undefined) return false;
    scanned.events.push(drop(length));
    return true;
  }

  /** Takes one event off the buffer; false when more text is needed for the next one. */
  function takeOne(): boolean {
    const start = nextStart();
    if (start === -1) {
      waitForStart();
      return false;
    }
    if (start > 0) dropBetween(start);
    tooLong = false;
    return takeEvent();
  }

  function take(): Scanned {
    while (takeOne());
    const taken = scanned;
    scanned = { events: [], facts: [] };
    return taken;
  }

  return {
    push(text) {
      add(text);
      return take();
    },
    end() {
      const taken = take();
      const atLine = lineHere();
      if (nextStart() !== -1) {
        taken.facts.push(unreadable(`${name}:${atLine}`, 'Event has no end.', drop(units())));
      } else {
        dropBetween(units());
        taken.facts.push(...scanned.facts);
      }
      return taken;
    },
  };
}
