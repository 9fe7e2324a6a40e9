/**
 * Takes how to read this PC's Security log and its processes, gives the live source: the log, and where the log tells nothing of
 * process starts, process-poll beside it.
 * Keeps: process-poll runs only while auditing is off or the log cannot be read, and says when it begins and ends; the log is read
 * all the while, so that auditing that comes on is seen; no start is told by both.
 */
import { type AuditWatch, type CanaryOptions, createAuditWatch } from './audit-watch.ts';
import type { CaptureBatch, Position, Source, SourceFact } from './captured-event.ts';
import { fromOwnPosition } from './from-own-position.ts';
import { createLane, type Taken } from './lane.ts';
import { type ProcessPoll, startProcessPoll } from './process-poll.ts';
import { type SecurityLogOptions, securityLogBatches } from './security-log-source.ts';

export interface LiveOptions extends SecurityLogOptions {
  /** How long the last look of process-poll may take; default its own. For tests. */
  readonly lastLookMs?: number;
  /** Undefined = no canary. */
  readonly canary?: CanaryOptions | undefined;
  /** How often process-poll looks; undefined = it never runs. */
  readonly processPollMs?: number | undefined;
  /** How long a polled start is held for the log to tell it; default HOLD_MS. For tests. */
  readonly holdMs?: number;
}

function pollNotice(level: 'warn' | 'info', reason: string): SourceFact {
  return { kind: 'notice', name: 'process_poll', level, reason };
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
  let polling: ProcessPoll | undefined;

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
      const { processPollMs } = options;
      if (processPollMs === undefined) return;
      const wanted = watch.isBlind();
      if (!wanted) polling?.finish(watch.firstAudited());
      if (wanted && polling === undefined) {
        yield { events: [], facts: [pollNotice('warn', BEGINS)] };
        const sinceMs = pollSince(position, watch, startedMs);
        polling = startProcessPoll({ ...options, processPollMs }, sinceMs, both);
      } else if (polling?.isFinished() === true || (wanted && polling?.isFinishing() === true)) {
        yield* endPolling();
        yield { events: [], facts: [pollNotice('info', ENDS)] };
      }
    }

    async function* endPolling(): AsyncGenerator<CaptureBatch, void> {
      const ended = polling;
      polling = undefined;
      const rest = await ended?.stop();
      if (rest !== undefined) yield moved(rest, 'poll');
    }

    async function* handOn({ lane, step }: Taken): AsyncGenerator<CaptureBatch, void> {
      if (step.done === true) return;
      const batch = lane === 'log' ? step.value : polling?.take(step.value);
      if (batch !== undefined) yield moved(batch, lane);
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
      await polling?.stop().catch(() => undefined);
      polling = undefined;
      await log.next().catch(() => undefined);
      await reader.return();
    }
  }

  return {
    name: 'security-log',
    batches: fromOwnPosition(undefined, batches),
    standing: () => ({ ...watch.standing(), polling: polling !== undefined }),
  };
}
