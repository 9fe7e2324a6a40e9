/**
 * Takes a request, gives the bytes of its body.
 * Keeps: never more than the limit in memory, never longer than the deadline.
 */
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { LIMIT, type Problem, problem } from '@launchbeat/ecs-schemas';
import { compressedTooLarge } from './chunk-headers.ts';
import type { Share } from './in-flight.ts';

export type ReadBodyOutcome =
  | { readonly outcome: 'done'; readonly body: Buffer }
  | { readonly outcome: 'refused'; readonly problem: Problem };

/** A request, or its body as it comes from the socket: that is cheaper by a half of all that HTTP costs a small chunk. */
export type BodySource = Pick<Request, 'body'> | Readable;

/** Reads the whole body. What is left of a refused one is the HTTP server's to drain. */
export async function readBody(
  source: BodySource,
  share: Share,
  timeoutMs: number,
  bytesMax: number = LIMIT.compressedBytesMax,
): Promise<ReadBodyOutcome> {
  const stream = streamOf(source);
  if (stream === undefined) return refuse(problem('bad-body', 'Body is empty.'));
  if (stream.destroyed) return wentAway();
  return await new Promise((resolve) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    const end = (outcome: ReadBodyOutcome): void => {
      clearTimeout(timer);
      stream.off('data', take);
      if (!stream.readableEnded) stream.pause();
      resolve(outcome);
    };
    const take = (part: Buffer): void => {
      bytes += part.length;
      if (bytes > bytesMax) end(refuse(tooLarge(bytesMax)));
      else if (share.take(part.length)) parts.push(part);
      else end(refuse(problem('unavailable', 'Too much at once.')));
    };
    const late = problem('timeout', `Body did not come within ${timeoutMs / 1000} s.`);
    const timer = setTimeout(() => end(refuse(late)), timeoutMs);
    stream.on('data', take);
    stream.on('end', () => end({ outcome: 'done', body: Buffer.concat(parts, bytes) }));
    // They come at any time, also after the answer; then nobody listens to the outcome.
    stream.on('error', () => end(wentAway()));
    stream.on('close', () => end(wentAway()));
  });
}

function streamOf(source: BodySource): Readable | undefined {
  if (source instanceof Readable) return source;
  return source.body === null ? undefined : Readable.fromWeb(source.body as ReadableStream);
}

/** Nobody reads this answer. */
function wentAway(): ReadBodyOutcome {
  return refuse(problem('bad-body', 'Body ended early.'));
}

function tooLarge(bytesMax: number): Problem {
  return bytesMax === LIMIT.compressedBytesMax
    ? compressedTooLarge()
    : problem('too-large', `Body has more than ${bytesMax} bytes.`);
}

function refuse(what: Problem): ReadBodyOutcome {
  return { outcome: 'refused', problem: what };
}
