/**
 * Takes the command of the bridge, gives what other PCs forwarded to this one (the ForwardedEvents log of a WEC server), live.
 * Keeps: a position is the event's place in this log, told by its bookmark: record id and time in an event are those of the PC that
 * wrote it, ids of many PCs are mixed and clocks of PCs differ. What an event says of a log, it says of that PC's: it is no fact of
 * this agent, and neither recount, canary nor process-poll could tell anything of PCs that are elsewhere.
 */
import { createAuditWatch } from './audit-watch.ts';
import { forwardedArguments, type LogStart } from './bridge-protocol.ts';
import type { ReadingContext } from './bridge-reading.ts';
import {
  type CaptureBatch,
  FORWARDED_LOG,
  type Position,
  type Source,
  type SourceFact,
} from './captured-event.ts';
import { fromOwnPosition } from './from-own-position.ts';
import { keepLogBridge } from './keep-log-bridge.ts';
import { createLogEvents } from './log-events.ts';
import { createRecount } from './recount.ts';
import type { SecurityLogOptions } from './security-log-source.ts';

export type ForwardedOptions = Omit<SecurityLogOptions, 'recountMs' | 'bootedAtMs'>;

/** What is said of the reader, of the right log. */
function ofForwarded(fact: SourceFact): SourceFact {
  if (fact.kind === 'gap') return { ...fact, log: FORWARDED_LOG };
  if (fact.kind === 'unreadable') return fact;
  return { ...fact, reason: fact.reason.replaceAll('Security log', `${FORWARDED_LOG} log`) };
}

/** Makes the source of forwarded events. */
export function createForwardedSource(options: ForwardedOptions): Source {
  const watch = createAuditWatch({ canary: undefined });
  let lastStartAtMs: number | undefined;

  async function* batches(
    from: Position | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<CaptureBatch, void> {
    const context: ReadingContext = {
      ...{ batchSize: options.batchSize, forwarded: true, watch, now: Date.now, doubt: {} },
      readerBytesMax: options.readerBytesMax ?? 0,
      // Neither is given anything: they are for events of this PC.
      logEvents: createLogEvents({ bootedAtMs: 0 }),
      recount: createRecount(Date.now()),
    };
    const settings = {
      ...{ pollMs: options.pollMs, heartbeatTimeoutMs: options.heartbeatTimeoutMs },
      ...{ parentPid: process.pid },
    };
    /** Where a position before the first record stands, the log was empty or nobody knows how far it was read: then all of it. */
    const argumentsOf = (position: Position | undefined): readonly string[] => {
      const start: LogStart = position === undefined ? (options.start ?? 'now') : 'oldest';
      return forwardedArguments(position, { ...settings, start });
    };
    const bridge = keepLogBridge(options, { from, context, watch, argumentsOf }, signal);
    for await (const batch of bridge) {
      if (batch.events.length > 0) lastStartAtMs = batch.position?.timeMs;
      yield { ...batch, facts: batch.facts.map(ofForwarded), ...placeOf(batch) };
    }
  }

  return {
    name: 'forwarded-events',
    batches: fromOwnPosition(FORWARDED_LOG, batches),
    standing: () => ({
      ...watch.standing(),
      ...(lastStartAtMs === undefined ? {} : { lastStartAtMs }),
    }),
  };
}

const placeOf = ({ position }: CaptureBatch): { position?: Position } =>
  position === undefined ? {} : { position: { ...position, log: FORWARDED_LOG } };
