/**
 * The wire between agent and collector: paths, headers, limits and answers that both sides use.
 * Source: docs/http-api.md; the digest is RFC 9530's, the problem documents are RFC 9457's.
 */
import { hash } from 'node:crypto';
import { z } from 'zod';

export const CHUNKS_PATH = '/v1/chunks';
export const NDJSON_TYPE = 'application/x-ndjson';
export const PROBLEM_TYPE = 'application/problem+json';

/** Header names in the case in which they are documented; HTTP compares them without case. */
export const HEADER = {
  authorization: 'Authorization',
  contentType: 'Content-Type',
  contentEncoding: 'Content-Encoding',
  contentDigest: 'Content-Digest',
  lines: 'Launchbeat-Lines',
  idempotencyKey: 'Idempotency-Key',
  retryAfter: 'Retry-After',
  acceptEncoding: 'Accept-Encoding',
} as const;

/** Content encodings that a chunk may have; both sides know both. */
export const ENCODINGS = ['zstd', 'gzip'] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** The most that a collector takes; an agent stays below by its own settings. */
export const LIMIT = {
  compressedBytesMax: 8 * 1024 * 1024,
  decompressedBytesMax: 64 * 1024 * 1024,
  chunkLinesMax: 10_000,
  lineBytesMax: 256 * 1024,
  jsonDepthMax: 32,
} as const;

/** `<segment file name>@<first byte>-<last byte>` of the spool file that the chunk was cut from. */
export const idempotencyKeySchema = z
  .string()
  .regex(
    /^[A-Za-z0-9._-]{1,200}@\d{1,15}-\d{1,15}$/,
    'Idempotency-Key must be <segment>@<first byte>-<last byte>',
  );

/** Names the bytes `first` to `last` (both inclusive, from 0) of a segment. */
export function idempotencyKey(segment: string, first: number, last: number): string {
  return `${segment}@${first}-${last}`;
}

/**
 * How the key of a chunk begins that is sent once more on purpose (`spool resend`): a store may have lost it, or have it. Whoever indexes
 * it looks its events up before it sends them.
 */
export const RESENT_KEY_PREFIX = 'again.';

/** The Content-Digest of the bytes as sent (compressed): `sha-256=:<base64>:` (RFC 9530, section 2). */
export function contentDigest(bytes: Uint8Array): string {
  return `sha-256=:${hash('sha256', bytes, 'base64')}:`;
}

/** The Authorization header of a key, `ApiKey base64(id:secret)`, as in Elasticsearch. */
export function apiKeyAuthorization(id: string, secret: string): string {
  return `ApiKey ${Buffer.from(`${id}:${secret}`, 'utf8').toString('base64')}`;
}

/** The answer 200: the chunk is committed. Also given for a chunk that was seen before. */
export const chunkReceiptSchema = z.looseObject({
  /** Lines that were new to the store. */
  accepted: z.int().nonnegative(),
  /** Lines whose event the store had already. */
  duplicates: z.int().nonnegative(),
  /** Lines that will never be taken, counted from 1, each with its reason. */
  rejected: z.array(z.looseObject({ line: z.int().positive(), reason: z.string() })),
});
export type ChunkReceipt = z.infer<typeof chunkReceiptSchema>;

/** What can be wrong with a request; the last part of the problem's `type` URI. */
export const PROBLEMS = {
  'bad-request': { status: 400, title: 'Request is not as the path wants it' },
  'bad-digest': { status: 400, title: 'Body does not match its digest' },
  'bad-lines': { status: 400, title: 'Body does not have the number of lines that was announced' },
  'bad-body': { status: 400, title: 'Body cannot be decompressed' },
  unauthorized: { status: 401, title: 'Key is unknown or revoked' },
  'other-agent': { status: 403, title: 'Key belongs to another agent' },
  'other-host': { status: 403, title: 'Key is not for events of this computer' },
  'token-refused': { status: 403, title: 'Enrolment token can no longer be used' },
  'agent-known': { status: 409, title: 'Agent has a key already' },
  'rotation-not-asked': { status: 409, title: 'Nobody asked for a new key of this agent' },
  'not-found': { status: 404, title: 'No such path' },
  'method-not-allowed': { status: 405, title: 'Path has no such method' },
  timeout: { status: 408, title: 'Body came too slowly' },
  conflict: { status: 409, title: 'Idempotency-Key was used for other bytes' },
  'too-large': { status: 413, title: 'Chunk is too large' },
  'bad-encoding': { status: 415, title: 'Content-Encoding or Content-Type is not taken' },
  'nothing-valid': { status: 422, title: 'No line of the chunk is valid' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  unavailable: { status: 503, title: 'A store is down or its queue is full' },
  internal: { status: 500, title: 'Collector failed' },
} as const satisfies Record<string, { readonly status: number; readonly title: string }>;
export type ProblemName = keyof typeof PROBLEMS;

/** A problem document (RFC 9457). `rejected` is there for `nothing-valid`. */
export const problemSchema = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string().optional(),
  rejected: chunkReceiptSchema.shape.rejected.optional(),
});
export type Problem = z.infer<typeof problemSchema>;

/** Builds the problem document of a name; `detail` says what was found and what is wanted, never a secret. */
export function problem(name: ProblemName, detail?: string): Problem {
  return {
    type: `urn:launchbeat:problem:${name}`,
    ...PROBLEMS[name],
    ...(detail === undefined ? {} : { detail }),
  };
}
