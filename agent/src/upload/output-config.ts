/**
 * `output.collector:` of launchbeat.yml: where the collector is, this agent's key, how TLS is verified, how chunks are cut.
 */
import { ENCODINGS } from '@launchbeat/ecs-schemas';
import { byteSize, duration, httpUrl, stringList } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';

const CHUNK_BYTES_MIN = 64 * 1024;
const CHUNK_BYTES_MAX = 7 * 1024 * 1024;

const fingerprint = z
  .string()
  .transform((text) => text.replace(/[:\s]/g, '').toLowerCase())
  .refine(
    (text) => /^[0-9a-f]{64}$/.test(text),
    'Expected the SHA-256 of a certificate: 64 hex digits, with or without colons',
  );

export const outputConfigSchema = z.strictObject({
  /** Address of the collector, `https://host:port`; a path before /v1 may follow. */
  url: httpUrl,
  /** Key of this agent, `id:secret`. */
  api_key: z
    .string()
    .regex(
      /^[^\s:]+:[^\s:]+$/,
      'Expected a key in the form id:secret, as the collector printed it',
    ),
  /** Compression of chunks. */
  encoding: z.enum(ENCODINGS).default('zstd'),
  /** Lines are sent together up to this many bytes before compression. */
  chunk_bytes: byteSize('1MiB').refine(
    (bytes) => bytes >= CHUNK_BYTES_MIN && bytes <= CHUNK_BYTES_MAX,
    'Expected a size from 64KiB to 7MiB',
  ),
  /** How long the collector may take to connect, to answer, and between two parts of an answer. */
  timeout: duration('30s').refine((ms) => ms > 0, 'Expected more than 0'),
  backoff: z
    .strictObject({
      /** First wait after a failure. */
      init: duration('1s').refine((ms) => ms > 0, 'Expected more than 0'),
      /** Longest wait. */
      max: duration('60s').refine((ms) => ms > 0, 'Expected more than 0'),
    })
    .prefault({}),
  ssl: z
    .strictObject({
      /** PEM files of the certificate authorities that are trusted; default: those of Node.js and of the system. */
      certificate_authorities: stringList(),
      /** SHA-256 of a CA certificate that the collector sends in its chain; trusted for this connection. */
      ca_trusted_fingerprint: fingerprint.optional(),
      /** `none` trusts anybody: for a test only. */
      verification_mode: z.enum(['full', 'none']).default('full'),
    })
    .prefault({}),
});

export type OutputConfig = z.infer<typeof outputConfigSchema>;
