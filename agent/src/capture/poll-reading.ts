/**
 * Takes the lines of a bridge that looks at the processes, gives the ones that were made since, in batches.
 * Keeps: bounded; a line that is none of the protocol is reported. A batch's position says only up to when was looked.
 */
import {
  BRIDGE_PROTOCOL,
  type BridgeLine,
  otherVersion,
  readBridgeLine,
} from './bridge-protocol.ts';
import {
  type CaptureBatch,
  CapturedEvent,
  EVENT_UNITS_MAX,
  type SourceFact,
  unreadable,
} from './captured-event.ts';
import type { LineReading } from './keep-bridge.ts';

const BATCH_EVENTS_MAX = 500;
const FACTS_MAX = 100;

/** Makes the reading of one bridge. */
export function createPollReading(): LineReading {
  let events: CapturedEvent[] = [];
  let facts: SourceFact[] = [];
  let polledToMs: number | undefined;
  let refusal: string | undefined;
  let lineNumber = 0;

  function flush(): CaptureBatch | undefined {
    if (events.length + facts.length === 0 && polledToMs === undefined) return undefined;
    const batch = {
      ...{ events, facts },
      ...(polledToMs === undefined
        ? {}
        : { position: { recordId: -1, scannedId: -1, timeMs: polledToMs, polledToMs } }),
    };
    [events, facts, polledToMs] = [[], [], undefined];
    return batch;
  }

  /** True when what has come is to be handed on now. */
  function takeLine(line: BridgeLine, text: string): boolean {
    switch (line.kind) {
      case 'polled':
        events.push(new CapturedEvent(line.xml, Date.now()));
        return events.length >= BATCH_EVENTS_MAX;
      case 'polled_to':
        polledToMs = line.timeMs;
        return true;
      case 'warning':
        facts.push({ kind: 'warning', reason: line.reason });
        return false;
      case 'refusal':
        refusal = line.reason;
        return false;
      case 'version':
        if (line.version !== BRIDGE_PROTOCOL) refusal = otherVersion(line.version);
        return false;
      case 'event':
      case 'forwarded':
      case 'heartbeat':
      case 'start':
      case 'gap':
      case 'recreated':
      case 'info':
      case 'recount':
      case 'passed_over':
      case 'unknown': {
        const reason = "Line is not of the bridge's protocol.";
        facts.push(unreadable(`line ${lineNumber} of process-poll`, reason, text));
        return facts.length >= FACTS_MAX;
      }
    }
  }

  return {
    take({ text, overlong }) {
      lineNumber += 1;
      if (text === '') return undefined;
      const line: BridgeLine =
        overlong || text.length > EVENT_UNITS_MAX ? { kind: 'unknown' } : readBridgeLine(text);
      return takeLine(line, text) ? flush() : undefined;
    },
    flush,
    refusal: () => refusal,
  };
}
