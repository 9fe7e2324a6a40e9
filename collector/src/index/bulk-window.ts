/**
 * Decides how many bytes may be on their way to Elasticsearch at once, over all workers: additive increase, multiplicative decrease.
 * Takes what became of each request, gives the size of the next one. Keeps: an overloaded cluster gets smaller and fewer requests,
 * down to one of FLOOR_BYTES, and full ones again when it takes them.
 */

/** Room for one request. */
export interface BulkRoom {
  /** The bytes that it may have. */
  readonly bytes: number;
  /** It has ended. `throttled`: turned away, in whole or in part, for overload. */
  leave(outcome: 'taken' | 'throttled' | 'other'): void;
}

export interface BulkWindow {
  /** Waits for room. Resolves at once when aborted. */
  enter(signal: AbortSignal): Promise<BulkRoom>;
  /** A request of so many bytes was too large: none is as large from now on. */
  tooLarge(bytes: number): void;
  /** The window as it is now. */
  bytes(): number;
}

export interface BulkWindowOptions {
  readonly requestBytesMax: number;
  /** Requests at once at most. */
  readonly workers: number;
}

const FLOOR_BYTES = 16 * 1024;
/** A request that was taken opens the window by this part of its widest. */
const OPENING = 32;

/** Makes the window; it is wide open at first. */
export function createBulkWindow(options: BulkWindowOptions): BulkWindow {
  const widest = options.requestBytesMax * options.workers;
  let requestMax = options.requestBytesMax;
  let window = widest;
  let inFlight = 0;
  /** Rises with each closing: of the requests that were on their way together only the first one closes it. */
  let epoch = 0;
  let wake = Promise.withResolvers<void>();

  const size = (): number => Math.min(requestMax, window);

  function leave(granted: number, begunIn: number, outcome: 'taken' | 'throttled' | 'other'): void {
    inFlight -= granted;
    if (outcome === 'taken') window = Math.min(widest, window + widest / OPENING);
    if (outcome === 'throttled' && begunIn === epoch) {
      window = Math.max(Math.min(FLOOR_BYTES, widest), window / 2);
      epoch += 1;
    }
    wake.resolve();
    wake = Promise.withResolvers<void>();
  }

  return {
    async enter(signal) {
      while (inFlight > 0 && inFlight + size() > window && !signal.aborted) {
        await either(wake.promise, signal);
      }
      const granted = size();
      const begunIn = epoch;
      inFlight += granted;
      return { bytes: granted, leave: (outcome) => leave(granted, begunIn, outcome) };
    },
    tooLarge(bytes) {
      requestMax = Math.max(1, Math.min(requestMax, Math.ceil(bytes / 2)));
    },
    bytes: () => Math.round(window),
  };
}

async function either(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<void>();
  const end = (): void => aborted.resolve();
  signal.addEventListener('abort', end, { once: true });
  await Promise.race([promise, aborted.promise]);
  signal.removeEventListener('abort', end);
}
