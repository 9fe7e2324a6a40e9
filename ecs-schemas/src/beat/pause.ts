/**
 * Waits, and stops waiting when asked to end.
 */
import { setTimeout as delay } from 'node:timers/promises';

/** Resolves after `ms`, or as soon as the signal is aborted; never rejects. `ref: false` lets the process end meanwhile. */
export async function pause(
  ms: number,
  signal: AbortSignal,
  options: { readonly ref?: boolean } = {},
): Promise<void> {
  await delay(ms, undefined, { signal, ...options }).catch(() => undefined);
}
