/**
 * `output.collector:` of launchbeat.yml: where the collector is, this agent's key, how TLS is verified, how chunks are cut.
 */
import { ENCODINGS } from '@launchbeat/ecs-schemas';
import {
  byteSize,
  duration,
  httpUrl,
  optionalText,
  stringList,
} from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';

const CHUNK_BYTES_MIN = 64 * 1024;
const CHUNK_BYTES_MAX = 7 * 1024 * 1024;

const COLLECTORS_MAX = 16;
const BANDWIDTH_MIN = 1024;

const fingerprint = z
  .string()
  .transform((text) => text.replace(/[:\s]/g, '').toLowerCase())
  .refine(
    (text) => /^[0-9a-f]{64}$/.test(text),
    'Expected the SHA-256 of a certificate: 64 hex digits, with or without colons',
  );

/** One URL, several with commas, or a list; gives a list. */
const collectorUrls = z.union([z.string(), z.array(z.string())]).transform((value, context) => {
  const urls = stringList().parse(value);
  if (urls.length === 0 || urls.length > COLLECTORS_MAX) {
    context.addIssue({ code: 'custom', message: `Expected 1 to ${COLLECTORS_MAX} URLs` });
  }
  for (const url of urls) {
    const issue = httpUrl.safeParse(url).error?.issues[0];
    if (issue !== undefined) context.addIssue({ code: 'custom', message: issue.message });
  }
  return urls;
});

/** A text of a form; absent, or a variable that is empty, is ''. */
const textOrEmpty = (form: RegExp, message: string) =>
  z
    .string()
    .nullish()
    .transform((value) => value ?? '')
    .pipe(z.string().regex(form, message));

export const outputConfigSchema = z
  .strictObject({
    /** Addresses of collectors, `https://host:port`; a path before /v1 may follow. One is used until it fails, then the next. */
    url: collectorUrls,
    /** Key of this agent, `id:secret`; empty = the agent gets one for the enrolment token. */
    api_key: textOrEmpty(
      /^([^\s:]+:[^\s:]+)?$/,
      'Expected a key in the form id:secret, as the collector printed it',
    ),
    /** Token for which an agent without a key gets one of its own at its start; empty = none. */
    enrollment_token: textOrEmpty(
      /^([\w-]{1,64}:[\w-]{1,128})?$/,
      'Expected a token in the form id:secret',
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
    /** Proxy on the way, `http://[user:password@]host:port` or https; connections go through it by CONNECT. */
    proxy_url: httpUrl.optional(),
    /** Bytes per second that chunks may take on the wire, averaged; 0 = no limit. */
    bandwidth_limit: byteSize('0').refine(
      (bytes) => bytes === 0 || bytes >= BANDWIDTH_MIN,
      'Expected 0 or at least 1KiB',
    ),
    ssl: z
      .strictObject({
        /** PEM files of the certificate authorities that are trusted; default: those of Node.js and of the system. */
        certificate_authorities: stringList(),
        /** SHA-256 of a CA certificate that the collector sends in its chain; trusted for this connection. */
        ca_trusted_fingerprint: fingerprint.optional(),
        /** `none` trusts anybody: for a test only. */
        verification_mode: z.enum(['full', 'none']).default('full'),
        /** PEM files of a client certificate and its key, for a collector or a proxy before it that asks for one. */
        certificate: z.string().min(1).optional(),
        key: z.string().min(1).optional(),
        /** Passphrase of the key. */
        key_passphrase: optionalText,
      })
      .refine((ssl) => (ssl.certificate === undefined) === (ssl.key === undefined), {
        message: 'Expected certificate and key together',
      })
      .prefault({}),
  })
  .refine((output) => (output.api_key ?? '') !== '' || (output.enrollment_token ?? '') !== '', {
    path: ['api_key'],
    // Said beside what else is wrong.
    when: ({ value }) => typeof value === 'object' && value !== null,
    message:
      'Expected a key in the form id:secret: `launchbeat enroll` gets one, or `launchbeat keystore add LAUNCHBEAT_API_KEY`; or an enrollment_token',
  });

export type OutputConfig = z.infer<typeof outputConfigSchema>;
