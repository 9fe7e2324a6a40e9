/**
 * Takes how to read this PC's Security log and its processes, gives the live source: the log, and where the log tells nothing of
 * process starts, process-poll beside it.
 * Keeps: process-poll runs only while auditing is off or the log cannot be read, and says when it begins and ends; the log is read
 * all the while, so that auditing that comes on is seen; no start is told by both.
 */
import { pause } from '@launchbeat/ecs-schemas/beat';
import { type AuditWatch, type CanaryOptions, createAuditWatch } from './audit-watch.ts';
import { type BridgeSettings, pollArguments } from './bridge-protocol.ts';
import type { CaptureBatch, Position, Source, SourceFact } from './captured-event.ts';
import { keepBridge } from './keep-bridge.ts';
import { createPollHold, type PollHold } from './poll-hold.ts';
import { createPollReading } from './poll-reading.ts';
import { type SecurityLogOptions, securityLogBatches } from './security-log-source.ts';

export interface LiveOptions extends SecurityLogOptions {
  /** Undefined = no canary. */
  readonly canary?: CanaryOptions | undefined;
  /** How often process-poll looks; undefined = it never runs. */
  readonly processPollMs?: number | undefined;
  /** How long a polled start is held for the log to tell it; default HOLD_MS. For tests. */
  readonly holdMs?: number;
}

/** How long one look at the processes may take. */
const LOOK_MS = 5000;
/** The log is not read meanwhile. */
const ONCE_MORE_MS_MAX = 15_000;
/** The log is looked at each second; an event stands in it within another few. */
const HOLD_MS = 6000;

interface Taken {
  readonly lane: 'log' | 'poll';
  readonly step: IteratorResult<CaptureBatch, void>;
}

/** One of two streams of batches that are read side by side. */
interface Lane {
  readonly next: () => Promise<Taken>;
  /** The batch was taken: ask for another. */
  advance(): void;
}

function createLane(lane: Taken['lane'], batches: AsyncGenerator<CaptureBatch, void>): Lane {
  const ask = async (): Promise<Taken> => ({ lane, step: await batches.next() });
  let pending = ask();
  return {
    next: () => pending,
    advance: () => {
      pending = ask();
    },
  };
}

/** A process-poll that runs. */
interface Polling {
  readonly lane: Lane;
  readonly hold: PollHold;
  /** Puts what the lane gave into the hold. */
  keep(taken: Taken): void;
  /** Goes on until every process of before this call was looked at, or for as long as that may take; into the hold. */
  lookOnceMore(): Promise<void>;
  /** Ends it; what was on its way goes into the hold. */
  stop(): Promise<void>;
}

function pollNotice(level: 'warn' | 'info', reason: string): SourceFact {
  return { kind: 'notice', name: 'process_poll', level, reason };
}

const ofPoll = (fact: SourceFact): SourceFact =>
  fact.kind === 'restart'
    ? { ...fact, reason: fact.reason.replace('The reader of the Security log', 'process-poll') }
    : fact;

function startPolling(options: LiveOptions, sinceMs: number, signal: AbortSignal): Polling {
  const ending = new AbortController();
  const both = AbortSignal.any([signal, ending.signal]);
  const settings: BridgeSettings = {
    ...{ pollMs: options.processPollMs ?? 0, parentPid: process.pid },
    heartbeatTimeoutMs: options.heartbeatTimeoutMs,
  };
  let since = sinceMs;
  const batches = keepBridge(
    {
      ...options,
      command: () => [...options.command, ...pollArguments(since, settings)],
      reading: createPollReading,
      taken: ({ position }) => {
        since = position?.polledToMs ?? since;
      },
    },
    both,
  );
  const lane = createLane('poll', batches);
  const hold = createPollHold(options.holdMs ?? HOLD_MS);
  const keep = ({ step }: Taken): void => {
    if (step.done !== true) hold.put({ ...step.value, facts: step.value.facts.map(ofPoll) });
  };
  return {
    lane,
    hold,
    keep,
    async lookOnceMore() {
      const nowMs = Date.now();
      const waitMs = Math.min(2 * settings.pollMs + LOOK_MS, ONCE_MORE_MS_MAX);
      const tooLate = pause(waitMs, both).then(() => undefined);
      for (;;) {
        const taken = await Promise.race([lane.next(), tooLate]);
        if (taken === undefined || taken.step.done === true) return;
        keep(taken);
        lane.advance();
        if ((taken.step.value.position?.polledToMs ?? 0) >= nowMs) return;
      }
    },
    async stop() {
      ending.abort();
      await lane.next().then(keep, () => undefined);
      await batches.return();
    },
  };
}

/** Processes made before this were told by the log, or before the agent. */
function pollSince(position: Position | undefined, watch: AuditWatch, startedMs: number): number {
  const known = [
    position?.polledToMs ?? 0,
    (watch.standing().lastStartAtMs ?? -1) + 1,
    position === undefined || position.recordId < 0 ? 0 : position.timeMs,
  ];
  // A log whose times lie in the future must not make it blind.
  return Math.min(Date.now(), Math.max(...known) || startedMs);
}

const BEGINS =
  'Process starts are now looked for by process-poll: marked launchbeat.source: poll, short-lived ones are missed';
const ENDS = 'process-poll ends: the log tells process starts again';

/** Makes the source of the live log. */
export function createLiveSource(options: LiveOptions): Source {
  const watch = createAuditWatch({ canary: options.canary });
  let polling: Polling | undefined;

  async function* batches(
    from: Position | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<CaptureBatch, void> {
    const startedMs = Date.now();
    const ending = new AbortController();
    const both = AbortSignal.any([signal, ending.signal]);
    const reader = securityLogBatches(options, watch, from, both);
    const log = createLane('log', reader);
    let position = from;

    /** The batch with the one position of both lanes. */
    const moved = (batch: CaptureBatch, lane: Taken['lane']): CaptureBatch => {
      const next = batch.position;
      if (next === undefined) return batch;
      const before = position ?? { recordId: -1, scannedId: -1, timeMs: next.timeMs };
      const { polledToMs } = lane === 'log' ? before : next;
      const base = lane === 'log' ? next : before;
      position = polledToMs === undefined ? base : { ...base, polledToMs };
      return { ...batch, position };
    };

    /** Begins or ends process-poll; gives what is to be told of it. */
    async function* switchOver(): AsyncGenerator<CaptureBatch, void> {
      const wanted = options.processPollMs !== undefined && watch.isBlind();
      if (wanted && polling === undefined) {
        yield { events: [], facts: [pollNotice('warn', BEGINS)] };
        polling = startPolling(options, pollSince(position, watch, startedMs), both);
      } else if (!wanted && polling !== undefined) {
        yield* endPolling();
        yield { events: [], facts: [pollNotice('info', ENDS)] };
      }
    }

    async function* endPolling(): AsyncGenerator<CaptureBatch, void> {
      const ended = polling;
      polling = undefined;
      // Between its last look and the first start that the log tells, others were made.
      if (!signal.aborted) await ended?.lookOnceMore();
      await ended?.stop();
      const rest = ended?.hold.end(watch.firstAudited());
      if (rest !== undefined) yield moved(rest, 'poll');
    }

    async function* handOn(taken: Taken): AsyncGenerator<CaptureBatch, void> {
      const { lane, step } = taken;
      if (step.done === true) return;
      if (lane === 'log') yield moved(step.value, lane);
      else {
        polling?.keep(taken);
        const ready = polling?.hold.release();
        if (ready !== undefined) yield moved(ready, lane);
      }
    }

    try {
      for (;;) {
        const lanes = polling === undefined ? [log] : [log, polling.lane];
        const taken = await Promise.race(lanes.map((lane) => lane.next()));
        yield* handOn(taken);
        if (taken.step.done === true) break;
        (taken.lane === 'log' ? log : polling?.lane)?.advance();
        if (!signal.aborted) yield* switchOver();
      }
      // Asked to end: what is held is handed on, since who is alive now may be gone at the next start.
      yield* endPolling();
    } finally {
      ending.abort();
      await polling?.stop();
      polling = undefined;
      await log.next().catch(() => undefined);
      await reader.return();
    }
  }

  return {
    name: 'security-log',
    batches,
    standing: () => ({ ...watch.standing(), polling: polling !== undefined }),
  };
}
