/**
 * Takes the process's signals, gives one AbortSignal that says "end in good order".
 * Keeps: the first SIGINT, SIGTERM or SIGHUP asks, the second of them ends at once (exit code 130). A program that reads its config
 * again at SIGHUP is not ended by it.
 */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const EXIT_INTERRUPTED = 130;

/** A signal that is aborted when the process is asked to end; `onHangup` is what SIGHUP does instead. */
export function stopSignal(onHangup?: () => void): AbortSignal {
  const controller = new AbortController();
  for (const name of SIGNALS) {
    if (name === 'SIGHUP' && onHangup !== undefined) {
      process.on(name, onHangup);
      continue;
    }
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED);
      controller.abort();
    });
  }
  return controller.signal;
}
