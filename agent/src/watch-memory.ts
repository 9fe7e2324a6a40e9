/**
 * Takes the memory that this process may have, watches what it has; says why and asks for the end when it has more.
 * Keeps: what a garbage collection frees is not counted, and a moment's peak is not judged. The whole process ends, in good order, to
 * be started again by its service: memory that a pipeline holds on to by mistake would not be given back by another pipeline beside it.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Log } from '@launchbeat/ecs-schemas/beat';

/** Ended for its memory; EX_TEMPFAIL of sysexits.h. Services start it again, as after every exit but 0 and 78. */
export const EXIT_MEMORY = 75;
/** An idle agent needs more than half of it. */
export const MEMORY_BYTES_MIN = 64 * 1024 * 1024;

const LOOK_MS = 2000;
const LOOKS_OVER = 3;
const END_WAIT_MS = 30_000;
const MIB = 1024 * 1024;

export interface WatchMemoryOptions {
  /** Resident memory; 0 = no limit. */
  readonly bytesMax: number;
  readonly log: Log;
  /** Called once, with one sentence that says how much it was. */
  readonly onExceeded: (reason: string) => void;
  /** For tests. */
  readonly usage?: () => NodeJS.MemoryUsage;
  readonly lookMs?: number;
}

/** Begins to watch; gives how to end it. */
export function watchMemory(options: WatchMemoryOptions): () => void {
  const { bytesMax, log, onExceeded, usage = process.memoryUsage, lookMs = LOOK_MS } = options;
  if (bytesMax === 0) return () => undefined;
  let over = 0;
  const timer = setInterval(() => {
    if (usage().rss <= bytesMax) {
      over = 0;
      return;
    }
    over += 1;
    collectGarbage();
    if (over < LOOKS_OVER) return;
    clearInterval(timer);
    const { rss, heapUsed, heapTotal, external, arrayBuffers } = usage();
    const mib = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`;
    const reason = `Agent had ${mib(rss)} of memory and may have ${mib(bytesMax)} (max_memory); it ended in good order to be started again`;
    log.error(
      {
        'process.memory.rss': rss,
        'process.memory.heap_used': heapUsed,
        'process.memory.heap_total': heapTotal,
        'process.memory.external': external,
        'process.memory.array_buffers': arrayBuffers,
      },
      `Memory is at ${mib(rss)}, max_memory is ${mib(bytesMax)} (heap ${mib(heapUsed)}, outside of it ${mib(external)}). The agent ends with exit code ${EXIT_MEMORY} and its service starts it again; nothing is lost.`,
    );
    onExceeded(reason);
    // What cannot even end in good order is ended: the spool is made for that.
    setTimeout(() => process.exit(EXIT_MEMORY), END_WAIT_MS).unref();
  }, lookMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Node.js has no call for it without a flag; the flag can be set late. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  setFlagsFromString('--no-expose-gc');
}
