/**
 * Takes how many bytes are about to be sent, gives how long to wait first: a token bucket of one second.
 * Keeps: what is sent stays below the limit on average; a chunk goes out whole, and the next one waits for its bytes.
 */

const BURST_MS = 1000;

/** Books bytes; gives the milliseconds to wait before they are sent. `bytesPerSecond` 0 = never. */
export function createBandwidth(bytesPerSecond: number): (bytes: number, nowMs: number) => number {
  let freeAtMs = Number.NEGATIVE_INFINITY;
  return (bytes, nowMs) => {
    if (bytesPerSecond === 0) return 0;
    const from = Math.max(freeAtMs, nowMs - BURST_MS);
    freeAtMs = from + (bytes / bytesPerSecond) * 1000;
    return Math.max(0, Math.ceil(from - nowMs));
  };
}
