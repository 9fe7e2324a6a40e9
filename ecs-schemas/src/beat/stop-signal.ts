/**
 * Takes the process's signals, gives one AbortSignal that says "end in good order".
 * Keeps: the first SIGINT, SIGTERM or SIGHUP asks, the second of them ends at once (exit code 130).
 */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const EXIT_INTERRUPTED = 130;

/** A signal that is aborted when the process is asked to end. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED);
      controller.abort();
    });
  }
  return controller.signal;
}
