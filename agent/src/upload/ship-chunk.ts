/**
 * Takes one chunk, gives the verdict of the collector on it: compress, sign, post, judge.
 * Keeps: a chunk that is tried again is the same request to the byte.
 */
import {
  CHUNKS_PATH,
  contentDigest,
  type Encoding,
  HEADER,
  idempotencyKey,
  LIMIT,
  NDJSON_TYPE,
} from '@launchbeat/ecs-schemas';
import { createCompressor } from './compress-chunk.ts';
import type { HttpExchange, HttpRequest } from './http-exchange.ts';
import { judgeAnswer, type Verdict } from './judge-answer.ts';
import type { Chunk } from './next-piece.ts';

export interface Shipped {
  readonly verdict: Verdict;
  /** HTTP status, absent when there was no answer. */
  readonly status?: number | undefined;
}

/** Sends chunks one after the other; the last request is kept until another chunk comes. */
export function createShipChunk(
  http: HttpExchange,
  encodingNow: () => Encoding,
): (chunk: Chunk, signal: AbortSignal) => Promise<Shipped> {
  let last:
    | {
        readonly key: string;
        readonly encoding: Encoding;
        readonly request: HttpRequest & { body: Buffer };
      }
    | undefined;
  const compress = createCompressor();
  return async (chunk, signal) => {
    const key = idempotencyKey(
      `${chunk.keyPrefix ?? ''}${chunk.segment}`,
      chunk.first,
      chunk.end - 1,
    );
    const encoding = encodingNow();
    if (last?.key !== key || last.encoding !== encoding) {
      last = undefined;
      const body = await compress(chunk.bytes, encoding);
      last = { key, encoding, request: requestOf(chunk, { key, encoding }, body) };
    }
    const { body } = last.request;
    if (body.length > LIMIT.compressedBytesMax) {
      const reason = `chunk has ${body.length} bytes compressed, a collector takes ${LIMIT.compressedBytesMax}`;
      return { verdict: { outcome: 'halve', reason, final: true } };
    }
    const answer = await http.exchange(last.request, signal);
    const verdict = judgeAnswer(answer, chunk.lines);
    return answer.outcome === 'answered' ? { verdict, status: answer.status } : { verdict };
  };
}

function requestOf(
  { lines }: Chunk,
  named: { readonly key: string; readonly encoding: Encoding },
  body: Buffer,
): HttpRequest & { body: Buffer } {
  return {
    method: 'POST',
    path: CHUNKS_PATH,
    headers: {
      [HEADER.contentType]: NDJSON_TYPE,
      [HEADER.contentEncoding]: named.encoding,
      [HEADER.contentDigest]: contentDigest(body),
      [HEADER.lines]: String(lines),
      [HEADER.idempotencyKey]: named.key,
    },
    body,
  };
}
