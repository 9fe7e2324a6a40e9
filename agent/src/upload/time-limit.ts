/**
 * Takes a limit in milliseconds and a signal, gives the signal of one piece of work, which either of them aborts.
 * Keeps: nothing once the work has ended. AbortSignal.any() and AbortSignal.timeout() leave both their parts until the garbage
 * collector's great round, and a backlog is many pieces of work before that comes.
 */

export interface TimeLimit {
  /** Aborts with the reason of the signal that was given, or with a TimeoutError. */
  readonly signal: AbortSignal;
  /** To be called when the work has ended, however it did. */
  end(): void;
}

/** Begins to count now; the time limit alone keeps no program running. */
export function timeLimit(limitMs: number, outer?: AbortSignal): TimeLimit {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(outer?.reason);
  const onTime = (): void =>
    controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
  const timer = setTimeout(onTime, limitMs).unref();
  if (outer?.aborted === true) onAbort();
  else outer?.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', onAbort);
    },
  };
}
