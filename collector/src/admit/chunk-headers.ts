/**
 * Takes the headers of a chunk, gives what they say, or the problem with them.
 * Keeps: whatever can be refused without the body is refused before it is read.
 */
import {
  ENCODINGS,
  type Encoding,
  HEADER,
  idempotencyKeySchema,
  LIMIT,
  NDJSON_TYPE,
  type Problem,
  problem,
} from '@launchbeat/ecs-schemas';

export interface ChunkHeaders {
  readonly encoding: Encoding;
  /** SHA-256 that the bytes as sent must have. */
  readonly digest: Buffer;
  /** Lines that must come out. */
  readonly lines: number;
  readonly idempotencyKey: string;
}

/** One member of the dictionary of RFC 9530, section 2; others may stand beside it. */
const SHA_256 = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?:,|;|$)/;

/** Reads the headers; the first thing that is wrong comes back as the problem. */
export function parseChunkHeaders(headers: Headers): ChunkHeaders | { readonly problem: Problem } {
  const type = (headers.get(HEADER.contentType) ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== NDJSON_TYPE) {
    return { problem: problem('bad-encoding', `Content-Type must be ${NDJSON_TYPE}.`) };
  }
  const named = (headers.get(HEADER.contentEncoding) ?? '').trim().toLowerCase();
  const encoding = ENCODINGS.find((one) => one === named);
  if (encoding === undefined) {
    const wanted = ENCODINGS.join(' or ');
    return { problem: problem('bad-encoding', `Content-Encoding must be ${wanted}.`) };
  }
  const digest = SHA_256.exec(headers.get(HEADER.contentDigest) ?? '')?.[1];
  if (digest === undefined) {
    return { problem: problem('bad-request', 'Content-Digest must be sha-256=:<base64>:.') };
  }
  const key = idempotencyKeySchema.safeParse(headers.get(HEADER.idempotencyKey));
  if (!key.success) {
    const wanted = 'Idempotency-Key must be <segment>@<first byte>-<last byte>.';
    return { problem: problem('bad-request', wanted) };
  }
  const lines = headers.get(HEADER.lines) ?? '';
  if (!/^[1-9]\d{0,8}$/.test(lines)) {
    return { problem: problem('bad-request', 'Launchbeat-Lines must be a number from 1.') };
  }
  const sizes = tooLarge(Number(lines), Number(headers.get('Content-Length') ?? 0));
  if (sizes !== undefined) return { problem: sizes };
  return {
    encoding,
    digest: Buffer.from(digest, 'base64'),
    lines: Number(lines),
    idempotencyKey: key.data,
  };
}

function tooLarge(lines: number, bytes: number): Problem | undefined {
  if (lines > LIMIT.chunkLinesMax) {
    return problem('too-large', `A chunk has at most ${LIMIT.chunkLinesMax} lines. Send halves.`);
  }
  // A lying or absent Content-Length is found out while reading.
  return bytes > LIMIT.compressedBytesMax ? compressedTooLarge() : undefined;
}

/** The answer to a body over the limit. */
export function compressedTooLarge(): Problem {
  return problem(
    'too-large',
    `A chunk has at most ${LIMIT.compressedBytesMax} compressed bytes. Send halves.`,
  );
}
