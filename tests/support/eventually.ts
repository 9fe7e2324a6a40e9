/**
 * Takes a check of something that happens in its own time, gives its result once it holds. Tests wait with this, never by sleeping.
 */
import { setTimeout as delay } from 'node:timers/promises';

const TIMEOUT_DEFAULT_MS = 60_000;
const INTERVAL_DEFAULT_MS = 20;

export interface EventuallyOptions {
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
}

type Nothing = ReturnType<() => void> | undefined;

/** `find()` gives undefined for "not yet", an assertion gives undefined for "yes": only the second may be passed in. */
type NotOptional<T> = undefined extends T ? ([T] extends [Nothing] ? unknown : never) : unknown;

/**
 * Runs `check` until it neither throws nor gives `false` or `null`, and gives what it gave. Assertions (which give nothing) pass when
 * they do not throw. After `timeoutMs` it throws the last error of `check`.
 */
export async function eventually<T>(
  check: (() => T) & NotOptional<Awaited<T>>,
  options: EventuallyOptions = {},
): Promise<Exclude<Awaited<T>, false | null>> {
  const { timeoutMs = TIMEOUT_DEFAULT_MS, intervalMs = INTERVAL_DEFAULT_MS } = options;
  const run = check as () => T;
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      const result = await run();
      if (result !== false && result !== null) return result as Exclude<Awaited<T>, false | null>;
      failure = new Error(`the check still gives ${result} after ${timeoutMs} ms: ${run}`);
    } catch (error) {
      failure = error;
    }
    if (performance.now() >= deadlineMs) throw failure;
    await delay(intervalMs);
  }
}
