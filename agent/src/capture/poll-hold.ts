/**
 * Takes what process-poll found, holds it until the log had time to tell the same; gives it on, or, when auditing comes on meanwhile,
 * only what happened before.
 * Keeps: no start is told by both; bounded by the time that it holds.
 */
import type { FirstAudited } from './audit-watch.ts';
import { newProcessId } from './canary.ts';
import type { CaptureBatch, CapturedEvent } from './captured-event.ts';

export interface PollHold {
  put(batch: CaptureBatch): void;
  /** What was held long enough. */
  release(): CaptureBatch | undefined;
  /** All that is left; without what the log tells from its first audited start on. */
  end(first: FirstAudited | undefined): CaptureBatch | undefined;
}

const SYSTEM_TIME = /SystemTime=['"]([^'"]{1,40})/;
const timeOf = ({ xml }: CapturedEvent): number => Date.parse(SYSTEM_TIME.exec(xml)?.[1] ?? '');

/** Makes the hold. `now` is Unix milliseconds, for tests. */
export function createPollHold(holdMs: number, now: () => number = Date.now): PollHold {
  let held: { readonly batch: CaptureBatch; readonly atMs: number }[] = [];

  function merged(batches: readonly CaptureBatch[]): CaptureBatch | undefined {
    const last = batches.findLast(({ position }) => position !== undefined)?.position;
    return batches.length === 0
      ? undefined
      : {
          events: batches.flatMap(({ events }) => events),
          facts: batches.flatMap(({ facts }) => facts),
          ...(last === undefined ? {} : { position: last }),
        };
  }

  return {
    put: (batch) => void held.push({ batch, atMs: now() }),
    release() {
      const due = held.filter(
        ({ batch, atMs }) => batch.events.length === 0 || atMs + holdMs <= now(),
      );
      // In order: what is behind one that waits, waits too.
      const first = held.findIndex((one) => !due.includes(one));
      const ready = first === -1 ? held : held.slice(0, first);
      held = held.slice(ready.length);
      return merged(ready.map(({ batch }) => batch));
    },
    end(first) {
      const rest = merged(held.map(({ batch }) => batch));
      held = [];
      if (rest === undefined || first === undefined) return rest;
      const isOurs = (event: CapturedEvent): boolean =>
        timeOf(event) < first.timeMs && newProcessId(event.xml) !== first.pid;
      return { ...rest, events: rest.events.filter(isOurs) };
    },
  };
}
