/**
 * Takes the lines of one bridge, gives batches with the position that each one reaches.
 * Keeps: a position never lies past an event that was not handed on; a batch is bounded by events and characters. A line that is
 * none of the protocol may have been an event: the bridge is read again from there once, before that line is given up.
 */
import type { AuditWatch } from './audit-watch.ts';
import type { BoundedLine } from './bounded-lines.ts';
import {
  BRIDGE_PROTOCOL,
  type BridgeLine,
  otherVersion,
  type RecountLine,
  readBridgeLine,
} from './bridge-protocol.ts';
import {
  type CaptureBatch,
  CapturedEvent,
  EVENT_UNITS_MAX,
  type Position,
  type SourceFact,
  unreadable,
} from './captured-event.ts';
import { createGapJudge, type GapJudge } from './gap-judge.ts';
import type { LogEvents } from './log-events.ts';
import { createReadShare, type ReadShareCount } from './read-share.ts';
import type { Recount } from './recount.ts';

export interface BridgeReading {
  /** Takes the next line; gives a batch where one is full. */
  take(line: BoundedLine): CaptureBatch | undefined;
  /** What has come since the last batch, if anything. */
  flush(): CaptureBatch | undefined;
  /** Why this bridge is not to be read any further; undefined = it is. */
  refusal(): string | undefined;
}

/** What outlives a bridge: shared by all readings of one source. */
export interface ReadingContext {
  readonly batchSize: number;
  /** Forwarded events are read: of another PC each, with record ids and facts of that one. Default: events of this PC. */
  readonly forwarded?: boolean;
  readonly watch: AuditWatch;
  readonly logEvents: LogEvents;
  readonly recount: Recount;
  /** Record behind which the last line stood that was none of the protocol. */
  readonly doubt: { recordId?: number };
  /** A bridge that needs more memory is begun anew. */
  readonly readerBytesMax: number;
  readonly now: () => number;
}

const BATCH_UNITS_MAX = 4 * 1024 * 1024;
/** A bridge that babbles must not fill the memory with facts. */
const FACTS_MAX = 100;
const PROCESS_START = '4688';
const MIB = 1024 * 1024;
const OTHER_LOG =
  'The bridge reads another log than it was asked for. Install agent and windows/bridge.ps1 of one version.';

const field = (xml: string, pattern: RegExp): string | undefined => pattern.exec(xml)?.[1];
const EVENT_ID = /<EventID[^>]*>(\d{1,9})</;
const RECORD_ID = /<EventRecordID>(\d{1,15})</;
const SYSTEM_TIME = /SystemTime=['"]([^'"]{1,40})/;

/** Makes the reading of one bridge that was started at `from`. */
export function createBridgeReading(
  from: Position | undefined,
  context: ReadingContext,
): BridgeReading {
  return new Reading(from, context);
}

class Reading implements BridgeReading {
  readonly #context: ReadingContext;
  readonly #share: ReadShareCount;
  readonly #gaps: GapJudge;
  #events: CapturedEvent[] = [];
  #facts: SourceFact[] = [];
  #units = 0;
  #lineNumber = 0;
  #refusal: string | undefined;
  #position: Position | undefined;
  /** The position of the last batch. */
  #given: Position | undefined;

  constructor(from: Position | undefined, context: ReadingContext) {
    this.#context = context;
    this.#position = from;
    this.#given = from;
    this.#share = createReadShare(from);
    this.#gaps = createGapJudge((records) => this.#share.startsAmong(records));
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
    this.#facts.push(...this.#context.watch.facts());
    const position = this.#position;
    const moved =
      position?.recordId !== this.#given?.recordId ||
      position?.scannedId !== this.#given?.scannedId;
    if (this.#events.length + this.#facts.length === 0 && !moved) return undefined;
    const batch = {
      events: this.#events,
      facts: this.#facts,
      ...(position === undefined ? {} : { position: { ...position, ...this.#share.kept() } }),
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
      case 'forwarded':
        if ((line.kind === 'forwarded') === (this.#context.forwarded ?? false))
          return this.#takeEvent(line);
        this.#refusal = OTHER_LOG;
        return false;
      case 'heartbeat':
        this.#settleGap();
        this.#moveTo(line);
        this.#context.watch.heartbeat(line);
        if (line.newestId >= 0 && line.scannedId >= line.newestId)
          this.#facts.push(...this.#context.logEvents.idle(this.#context.now()));
        return true;
      case 'start':
        this.#jumpTo(line.newest);
        return false;
      case 'gap':
        // The position stays until it is told: a bridge that ends here says it again.
        this.#gaps.open(line.scannedId + 1, line.oldest - 1);
        return false;
      case 'recreated':
        this.#facts.push({
          ...{ kind: 'gap', cause: 'log_recreated', from: line.scannedId, to: line.oldest },
        });
        this.#jumpTo(line.oldest - 1);
        return false;
      case 'info':
        this.#context.watch.info(line.info);
        this.#lookAtMemory(line.info.readerBytes);
        return false;
      case 'recount':
        this.#recount(line);
        return true;
      case 'passed_over':
        this.#passOver(line.recordId, line.reason);
        return false;
      case 'warning':
        this.#facts.push({ kind: 'warning', reason: line.reason });
        return false;
      case 'refusal':
        this.#refusal = line.reason;
        return false;
      case 'version':
        if (line.version !== BRIDGE_PROTOCOL) this.#refusal = otherVersion(line.version);
        return false;
      case 'polled':
      case 'polled_to':
      case 'unknown':
        this.#unreadable("Line is not of the bridge's protocol.", text);
        return false;
    }
  }

  #takeEvent(line: BridgeLine & { kind: 'event' | 'forwarded' }): boolean {
    const { xml } = line;
    const own = Number(field(xml, RECORD_ID) ?? Number.NaN);
    const recordId = line.kind === 'event' ? own : line.recordId;
    if (!xml.endsWith('</Event>') || Number.isNaN(own)) {
      this.#unreadable('Event is not whole or has no record id.', xml);
      return false;
    }
    const { now } = this.#context;
    const parsed = Date.parse(field(xml, SYSTEM_TIME) ?? '');
    const timeMs = Number.isNaN(parsed) ? undefined : parsed;
    const code = field(xml, EVENT_ID) ?? '';
    this.#settleGap(recordId, line.kind === 'event' ? code : '');
    const scannedId = Math.max(recordId, this.#position?.scannedId ?? -1);
    this.#moveTo({ recordId, scannedId, timeMs });
    if (code === PROCESS_START) this.#share.start();
    const isCanary = line.kind === 'event' && this.#look(xml, code, recordId, timeMs ?? now());
    if (!isCanary) {
      this.#events.push(new CapturedEvent(xml, now()));
      this.#units += xml.length;
    }
    return this.#events.length >= this.#context.batchSize || this.#units >= BATCH_UNITS_MAX;
  }

  /** What an event of this PC says of its log. True = it is the agent's own canary. */
  #look(xml: string, code: string, recordId: number, timeMs: number): boolean {
    const { watch, logEvents, recount } = this.#context;
    const told = logEvents.take(code, xml, { recordId, timeMs });
    if (told.length > 0) this.#tell(told);
    if (code === '4719') watch.doubt();
    if (code !== PROCESS_START) return false;
    recount.count(timeMs);
    return watch.start(xml, timeMs);
  }

  #passOver(recordId: number, reason: string): void {
    this.#settleGap(recordId);
    this.#moveTo({ recordId, scannedId: Math.max(recordId, this.#position?.scannedId ?? -1) });
    const range = { from: recordId, to: recordId };
    this.#facts.push({ kind: 'notice', name: 'events_dropped', level: 'error', reason, ...range });
  }

  #tell(told: readonly SourceFact[]): void {
    this.#facts.push(...told);
    if (!told.some((fact) => fact.kind === 'notice' && fact.name === 'clock_set')) return;
    // Neither what was counted nor when the canary was started can be compared any more.
    this.#context.recount.restart(this.#context.now());
    this.#context.watch.doubt();
  }

  #settleGap(recordId?: number, code?: string): void {
    for (const gap of this.#gaps.settle(recordId, code)) {
      this.#facts.push(gap);
      if (gap.kind === 'gap') this.#jumpTo(gap.to);
    }
  }

  /** Moves over records that were looked at. */
  #moveTo(next: { recordId: number; scannedId: number; timeMs?: number | undefined }): void {
    const before = this.#position;
    if (before !== undefined) this.#share.records(next.scannedId - before.scannedId);
    this.#position = {
      recordId: next.recordId,
      scannedId: next.scannedId,
      timeMs: next.timeMs ?? before?.timeMs ?? this.#context.now(),
    };
  }

  /** Moves to a record without having looked at those before. */
  #jumpTo(recordId: number): void {
    const timeMs = this.#position?.timeMs ?? this.#context.now();
    this.#position = { recordId, scannedId: recordId, timeMs };
  }

  #recount(line: RecountLine): void {
    const judged = this.#context.recount.judge(line);
    if (judged.outcome === 'right') return;
    const { missing } = judged;
    if (judged.outcome === 'lost') {
      const to = Math.max(line.firstId, this.#position?.recordId ?? line.firstId);
      this.#facts.push({ kind: 'gap', cause: 'missed', from: line.firstId, to, starts: missing });
      return;
    }
    const reason = `A recount found ${missing} process starts in the log that had not been read; it is read again from record ${line.firstId}`;
    this.#facts.push({ kind: 'notice', name: 'recount', level: 'warn', reason });
    this.#jumpTo(line.firstId - 1);
    this.#refusal = `${reason}.`;
  }

  #lookAtMemory(bytes: number): void {
    const { readerBytesMax } = this.#context;
    if (readerBytesMax === 0 || bytes <= readerBytesMax) return;
    const [has, may] = [bytes, readerBytesMax].map((size) => `${Math.round(size / MIB)} MiB`);
    this.#refusal = `The reader of the Security log needs ${has} of memory and may have ${may} (capture.max_memory).`;
  }

  #unreadable(reason: string, text: string): void {
    const { doubt } = this.#context;
    const place = `line ${this.#lineNumber} of the bridge`;
    const recordId = this.#position?.recordId ?? -1;
    if (doubt.recordId === recordId) {
      this.#facts.push(unreadable(place, reason, text));
      return;
    }
    // It may have been an event that was spoilt on the way: ask for it once more.
    doubt.recordId = recordId;
    this.#refusal = `Its output is spoilt (${place}: ${reason}) and is asked for again.`;
  }
}
