/**
 * Takes how to look at the processes, gives what was found, in a lane beside the log's: process-poll.
 * Keeps: when the log tells process starts again it looks once more, at all that was made before, and only then has finished; what
 * was on its way when it ends is handed on; no start is told by both.
 */
import type { FirstAudited } from './audit-watch.ts';
import { type BridgeSettings, pollArguments } from './bridge-protocol.ts';
import type { CaptureBatch, SourceFact } from './captured-event.ts';
import { type KeepOptions, keepBridge } from './keep-bridge.ts';
import { createLane, type Lane } from './lane.ts';
import { createPollHold } from './poll-hold.ts';
import { createPollReading } from './poll-reading.ts';

export interface ProcessPollOptions
  extends Pick<
    KeepOptions,
    'heartbeatTimeoutMs' | 'backoffInitMs' | 'backoffMaxMs' | 'startTimeoutMs'
  > {
  /** Program and arguments, to which its own are added. */
  readonly command: readonly string[];
  readonly processPollMs: number;
  /** How long a polled start is held for the log to tell it; default HOLD_MS. For tests. */
  readonly holdMs?: number;
  /** How long the last look may take beside two intervals; default LAST_LOOK_MS_MAX. For tests. */
  readonly lastLookMs?: number;
}

/** A process-poll that runs. */
export interface ProcessPoll {
  readonly lane: Lane;
  /** Takes a batch of its lane; gives what was held long enough. */
  take(batch: CaptureBatch): CaptureBatch | undefined;
  /** The log tells process starts from that one on; undefined = from now on. Only the first call counts. */
  finish(first: FirstAudited | undefined): void;
  isFinishing(): boolean;
  /** Whether all that was made before was looked at. */
  isFinished(): boolean;
  /** Ends it; gives all that is left. */
  stop(): Promise<CaptureBatch | undefined>;
}

/** The log is looked at each second; an event stands in it within another few. */
const HOLD_MS = 6000;
/** A last look that does not come (the reader hangs, the clock was set) is waited for no longer than this and two intervals. */
const LAST_LOOK_MS_MAX = 10_000;

const ofPoll = (fact: SourceFact): SourceFact =>
  fact.kind === 'restart'
    ? { ...fact, reason: fact.reason.replace('The reader of the Security log', 'process-poll') }
    : fact;

/** Starts to look for processes that were made since. */
export function startProcessPoll(
  options: ProcessPollOptions,
  sinceMs: number,
  signal: AbortSignal,
): ProcessPoll {
  const ending = new AbortController();
  const settings: BridgeSettings = {
    ...{ pollMs: options.processPollMs, parentPid: process.pid },
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
    AbortSignal.any([signal, ending.signal]),
  );
  const lane = createLane('poll', batches);
  const hold = createPollHold(options.holdMs ?? HOLD_MS);
  let lookedToMs = -1;
  let last: (FirstAudited & { readonly deadlineMs: number }) | undefined;

  const put = (batch: CaptureBatch): void => {
    lookedToMs = batch.position?.polledToMs ?? lookedToMs;
    hold.put({ ...batch, facts: batch.facts.map(ofPoll) });
  };

  return {
    lane,
    take(batch) {
      put(batch);
      // Once the log tells again, what is held may be told by it: that is sorted out at the end.
      return last === undefined ? hold.release() : undefined;
    },
    finish(first = { timeMs: Date.now(), pid: -1 }) {
      const waitMs = 2 * options.processPollMs + (options.lastLookMs ?? LAST_LOOK_MS_MAX);
      last ??= { ...first, deadlineMs: performance.now() + waitMs };
    },
    isFinishing: () => last !== undefined,
    isFinished: () =>
      last !== undefined && (lookedToMs >= last.timeMs || performance.now() >= last.deadlineMs),
    async stop() {
      ending.abort();
      try {
        for (let taken = await lane.next(); taken.step.done !== true; taken = await lane.next()) {
          put(taken.step.value);
          lane.advance();
        }
      } finally {
        await batches.return();
      }
      return hold.end(last);
    },
  };
}
