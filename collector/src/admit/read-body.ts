/**
 * Takes a request, gives the bytes of its body.
 * Keeps: never more than the limit in memory, never longer than the deadline.
 */
import { LIMIT, type Problem, problem } from '@launchbeat/ecs-schemas';
import { compressedTooLarge } from './chunk-headers.ts';
import type { Share } from './in-flight.ts';

export type ReadBodyOutcome =
  | { readonly outcome: 'done'; readonly body: Buffer }
  | { readonly outcome: 'refused'; readonly problem: Problem };

const LATE = Symbol('late');

/** Reads the whole body. What is left of a refused one is the HTTP server's to drain. */
export async function readBody(
  request: Request,
  share: Share,
  timeoutMs: number,
  bytesMax: number = LIMIT.compressedBytesMax,
): Promise<ReadBodyOutcome> {
  const reader = request.body?.getReader();
  if (reader === undefined) return refuse(problem('bad-body', 'Body is empty.'));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => resolve(LATE), timeoutMs);
  });
  const parts: Uint8Array[] = [];
  let bytes = 0;
  try {
    for (;;) {
      const next = await Promise.race([reader.read(), late]);
      if (next === LATE) {
        return refuse(problem('timeout', `Body did not come within ${timeoutMs / 1000} s.`));
      }
      if (next.done) return { outcome: 'done', body: Buffer.concat(parts, bytes) };
      const part = next.value as Uint8Array;
      bytes += part.length;
      if (bytes > bytesMax) return refuse(tooLarge(bytesMax));
      if (!share.take(part.length)) return refuse(problem('unavailable', 'Too much at once.'));
      parts.push(part);
    }
  } catch {
    // The sender went away; nobody reads this answer.
    return refuse(problem('bad-body', 'Body ended early.'));
  } finally {
    clearTimeout(timer);
  }
}

function tooLarge(bytesMax: number): Problem {
  return bytesMax === LIMIT.compressedBytesMax
    ? compressedTooLarge()
    : problem('too-large', `Body has more than ${bytesMax} bytes.`);
}

function refuse(what: Problem): ReadBodyOutcome {
  return { outcome: 'refused', problem: what };
}
