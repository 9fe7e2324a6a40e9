/**
 * Takes the lines of one bridge, gives batches with the position that each one reaches.
 * Keeps: a position never lies past an event that was not handed on; a batch is bounded by events and characters.
 */
import type { BoundedLine } from './bounded-lines.ts';
import { BRIDGE_PROTOCOL, type BridgeLine, readBridgeLine } from './bridge-protocol.ts';
import {
  type CaptureBatch,
  type CapturedEvent,
  EVENT_UNITS_MAX,
  type Position,
  type SourceFact,
  unreadable,
} from './captured-event.ts';

export interface BridgeReading {
  /** Takes the next line; gives a batch where one is full. */
  take(line: BoundedLine): CaptureBatch | undefined;
  /** What has come since the last batch, if anything. */
  flush(): CaptureBatch | undefined;
  /** Why this bridge is not to be read any further; undefined = it is. */
  refusal(): string | undefined;
}

const BATCH_UNITS_MAX = 4 * 1024 * 1024;
/** A bridge that babbles must not fill the memory with facts. */
const FACTS_MAX = 100;

/** What happened to the log itself, by event id: told as a warning besides the event, since it says why events may be missing. */
const LOG_EVENTS: Readonly<Record<string, string>> = {
  1100: 'The Windows Event Log service was stopped.',
  1101: 'Windows dropped audit events.',
  1102: 'The Security log was cleared.',
  1104: 'The Security log is full and keeps no new events.',
  4719: 'The audit policy was changed.',
};

const field = (xml: string, pattern: RegExp): string | undefined => pattern.exec(xml)?.[1];
const EVENT_ID = /<EventID[^>]*>(\d{1,9})</;
const RECORD_ID = /<EventRecordID>(\d{1,15})</;
const SYSTEM_TIME = /SystemTime=['"]([^'"]{1,40})/;

/** Makes the reading of one bridge that was started at `from`. */
export function createBridgeReading(from: Position | undefined, batchSize: number): BridgeReading {
  return new Reading(from, batchSize);
}

class Reading implements BridgeReading {
  readonly #batchSize: number;
  #events: CapturedEvent[] = [];
  #facts: SourceFact[] = [];
  #units = 0;
  #lineNumber = 0;
  #refusal: string | undefined;
  #position: Position | undefined;
  /** The position of the last batch. */
  #given: Position | undefined;

  constructor(from: Position | undefined, batchSize: number) {
    this.#position = from;
    this.#given = from;
    this.#batchSize = batchSize;
  }

  refusal(): string | undefined {
    return this.#refusal;
  }

  take(line: BoundedLine): CaptureBatch | undefined {
    this.#lineNumber += 1;
    if (line.overlong || line.text.length > EVENT_UNITS_MAX) {
      this.#unreadable(`Line is longer than ${EVENT_UNITS_MAX} characters.`, line.text);
    } else if (line.text !== '' && this.#takeLine(readBridgeLine(line.text), line.text)) {
      return this.flush();
    }
    return this.#facts.length >= FACTS_MAX ? this.flush() : undefined;
  }

  flush(): CaptureBatch | undefined {
    const position = this.#position;
    const moved =
      position?.recordId !== this.#given?.recordId ||
      position?.scannedId !== this.#given?.scannedId;
    if (this.#events.length + this.#facts.length === 0 && !moved) return undefined;
    const batch = {
      events: this.#events,
      facts: this.#facts,
      ...(position === undefined ? {} : { position }),
    };
    this.#events = [];
    this.#facts = [];
    this.#units = 0;
    this.#given = position;
    return batch;
  }

  /** True when what has come is to be handed on now. */
  #takeLine(line: BridgeLine, text: string): boolean {
    switch (line.kind) {
      case 'event':
        return this.#takeEvent(line.xml);
      case 'heartbeat':
        this.#moveTo(line);
        return true;
      case 'start':
        this.#moveTo({ recordId: line.newest, scannedId: line.newest });
        return false;
      case 'gap':
        this.#gap(line.scannedId + 1, line.oldest - 1, 'cleared_or_rolled');
        this.#moveTo({ recordId: line.oldest - 1, scannedId: line.oldest - 1 });
        return false;
      case 'recreated':
        this.#gap(line.scannedId, line.oldest, 'log_recreated');
        this.#moveTo({ recordId: line.oldest - 1, scannedId: line.oldest - 1 });
        return false;
      case 'warning':
        this.#facts.push({ kind: 'warning', reason: line.reason });
        return false;
      case 'refusal':
        this.#refusal = line.reason;
        return false;
      case 'version':
        if (line.version !== BRIDGE_PROTOCOL)
          this.#refusal = `The bridge speaks protocol ${line.version}, this agent ${BRIDGE_PROTOCOL}. Install agent and windows/bridge.ps1 of one version.`;
        return false;
      case 'unknown':
        this.#unreadable("Line is not of the bridge's protocol.", text);
        return false;
    }
  }

  #takeEvent(xml: string): boolean {
    const recordId = Number(field(xml, RECORD_ID) ?? Number.NaN);
    if (!xml.endsWith('</Event>') || Number.isNaN(recordId)) {
      this.#unreadable('Event is not whole or has no record id.', xml);
      return false;
    }
    this.#events.push({ xml, readAtMs: Date.now() });
    this.#units += xml.length;
    const time = Date.parse(field(xml, SYSTEM_TIME) ?? '');
    const scannedId = Math.max(recordId, this.#position?.scannedId ?? -1);
    this.#moveTo({ recordId, scannedId, timeMs: Number.isNaN(time) ? undefined : time });
    const code = field(xml, EVENT_ID) ?? '';
    const words = LOG_EVENTS[code];
    if (words !== undefined) {
      const reason = `${words} (event ${code}, record ${recordId})`;
      this.#facts.push({ kind: 'warning', reason });
    }
    return this.#events.length >= this.#batchSize || this.#units >= BATCH_UNITS_MAX;
  }

  #moveTo(next: { recordId: number; scannedId: number; timeMs?: number | undefined }): void {
    this.#position = {
      recordId: next.recordId,
      scannedId: next.scannedId,
      timeMs: next.timeMs ?? this.#position?.timeMs ?? Date.now(),
    };
  }

  #gap(from: number, to: number, cause: 'cleared_or_rolled' | 'log_recreated'): void {
    this.#facts.push({ kind: 'gap', from, to, cause });
  }

  #unreadable(reason: string, text: string): void {
    this.#facts.push(unreadable(`line ${this.#lineNumber} of the bridge`, reason, text));
  }
}
