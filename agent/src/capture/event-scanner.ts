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

/** The start of an event: no `<Events>`, no `<EventData>`. */
const START = /<Event[\s>]/g;
const END = '</Event>';
/** A start may be cut by the end of a piece. */
const START_UNITS = 8;
/** What may stand between events: XML declaration, list element, comments. */
const BETWEEN = /<\?xml[^>]*\?>|<\/?Events\b[^>]*>|<!--[\s\S]*?-->|\ufeff/g;

/** Makes a scanner; `name` is the file's name for places. */
export function createEventScanner(name: string): EventScanner {
  let buffer = '';
  let line = 1;
  let tooLong = false;
  let scanned: Scanned = { events: [], facts: [] };

  const report = (atLine: number, reason: string, text: string): void => {
    scanned.facts.push(unreadable(`${name}:${atLine}`, reason, text));
  };

  const lineFeeds = (text: string): number => {
    let count = 0;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1;
    return count;
  };

  /** Drops the first `length` units of the buffer, counts their lines. */
  function drop(length: number): string {
    const text = buffer.slice(0, length);
    buffer = buffer.slice(length);
    line += lineFeeds(text);
    return text;
  }

  /** Reports what stands between events and is not known, line by line. */
  function dropBetween(length: number): void {
    const firstLine = line;
    const known = drop(length).replace(BETWEEN, (text) => '\n'.repeat(lineFeeds(text)));
    // What follows an event that was too long is the rest of it.
    if (!tooLong && known.trim() !== '') {
      for (const [index, text] of known.split('\n').entries())
        if (text.trim() !== '') report(firstLine + index, 'Text is no <Event>.', text);
    }
  }

  const startFrom = (at: number): number => {
    START.lastIndex = at;
    return START.exec(buffer)?.index ?? -1;
  };

  /** No event begins in the buffer: keeps it while it may still be of use. */
  function waitForStart(): void {
    const sure = buffer.length - START_UNITS;
    if (sure > EVENT_UNITS_MAX || (tooLong && sure > 0)) dropBetween(sure);
  }

  /** Reports and drops `length` units from the start of an event that cannot be taken. */
  function refuse(length: number, reason: string): true {
    const atLine = line;
    report(atLine, reason, drop(length));
    return true;
  }

  /** Takes the event that the buffer begins with; false when its end has not come yet. */
  function takeEvent(): boolean {
    const end = buffer.indexOf(END);
    const next = startFrom(1);
    if (next !== -1 && (end === -1 || next < end))
      return refuse(next, 'Event has no end before the next one begins.');
    const length = end === -1 ? buffer.length : end + END.length;
    if (length > EVENT_UNITS_MAX) {
      tooLong = end === -1;
      const reason = `Event is longer than ${EVENT_UNITS_MAX} characters.`;
      return refuse(tooLong ? length - START_UNITS : length, reason);
    }
    if (end === -1) return false;
    scanned.events.push(drop(length));
    return true;
  }

  /** Takes one event off the buffer; false when more text is needed for the next one. */
  function takeOne(): boolean {
    const start = startFrom(0);
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
      buffer += text;
      return take();
    },
    end() {
      const taken = take();
      const at = line;
      if (startFrom(0) !== -1) {
        taken.facts.push(unreadable(`${name}:${at}`, 'Event has no end.', drop(buffer.length)));
      } else {
        dropBetween(buffer.length);
        taken.facts.push(...scanned.facts);
      }
      return taken;
    },
  };
}
