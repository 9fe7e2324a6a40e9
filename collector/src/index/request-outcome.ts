/**
 * Takes what a request to Elasticsearch threw, gives what it means for the request.
 * Keeps: one table for every request of the stage (docs/http-api.md has the agents' side of it).
 */
import { errors } from '@elastic/elasticsearch';

/**
 * What became of a request that did not succeed:
 * - `not_applied`: nothing of it happened; send it again after the back-off.
 * - `unknown`: it may have happened; look up before sending again.
 * - `too_large`: send it in smaller parts.
 * - `needs_person`: nothing happened, and nothing will until somebody mends it; repeat slowly.
 */
export type FailureKind = 'not_applied' | 'unknown' | 'too_large' | 'needs_person';

export interface Failure {
  readonly kind: FailureKind;
  /** HTTP status; 0 = no answer. */
  readonly status: number;
  /** What was found, and what to do where a person must; never a secret. */
  readonly reason: string;
}

const REASON_LENGTH_MAX = 500;

/** The client passes on the message of the socket's error, not its code. In these cases no byte of the request was sent. */
const NOT_SENT =
  /ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|Connect Timeout|certificate|self[- ]signed|unable to verify|fingerprint|altnames/i;
const CERTIFICATE = /certificate|self[- ]signed|unable to verify|fingerprint|altnames/i;

/** Explains an error that the client threw. Rethrows what is no outcome of a request (a bug). */
export function explainFailure(error: unknown): Failure {
  if (error instanceof errors.ResponseError) return explainStatus(error);
  if (error instanceof errors.ProductNotSupportedError) {
    return {
      kind: 'needs_person',
      status: 0,
      reason: 'what answers is not Elasticsearch; check elasticsearch.hosts',
    };
  }
  if (error instanceof errors.NoLivingConnectionsError) {
    return {
      kind: 'not_applied',
      status: 0,
      reason: 'no node of elasticsearch.hosts can be reached',
    };
  }
  if (error instanceof errors.ConnectionError) {
    const reason = shorten(error.message);
    if (CERTIFICATE.test(reason)) {
      return { kind: 'needs_person', status: 0, reason: `TLS: ${reason}; check elasticsearch.ssl` };
    }
    return { kind: NOT_SENT.test(reason) ? 'not_applied' : 'unknown', status: 0, reason };
  }
  if (error instanceof errors.ElasticsearchClientError) {
    // Timed out, aborted, or an answer that cannot be read: the request itself went out.
    return { kind: 'unknown', status: 0, reason: shorten(error.message) };
  }
  throw error;
}

function explainStatus(error: errors.ResponseError): Failure {
  const status = error.statusCode ?? 0;
  const reason = `HTTP ${status}: ${shorten(errorReason(error.body) ?? error.message)}`;
  const person = (mend: string): Failure => ({
    kind: 'needs_person',
    status,
    reason: `${reason}; ${mend}`,
  });
  if (status === 413) return { kind: 'too_large', status, reason };
  if (status === 429) return { kind: 'not_applied', status, reason };
  // A proxy answers 502 to 504 for a request that Elasticsearch may have taken.
  if (status >= 500) return { kind: 'unknown', status, reason };
  if (status === 401) return person('check api_key, or username and password, of elasticsearch');
  if (status === 403) {
    return person(
      'the user needs auto_configure, create_doc, read and maintenance on the data stream',
    );
  }
  return person('check elasticsearch.hosts');
}

/** `error.reason` of an answer of Elasticsearch, with its type. */
export function errorReason(body: unknown): string | undefined {
  const error = (body as { error?: unknown } | undefined)?.error;
  if (typeof error === 'string') return error;
  const { type, reason } = (error ?? {}) as { type?: string; reason?: string };
  if (type === undefined && reason === undefined) return undefined;
  return `${type ?? 'error'}: ${reason ?? 'no reason given'}`;
}

/** One line of at most 500 characters, without NUL (which PostgreSQL does not store). */
export function shorten(text: string): string {
  const line = text.replaceAll('\0', ' ').replace(/\s+/g, ' ').trim();
  return line.length <= REASON_LENGTH_MAX ? line : `${line.slice(0, REASON_LENGTH_MAX)}…`;
}
