/**
 * Takes a problem, gives the HTTP answer: application/problem+json with the headers that its status calls for.
 * Source: RFC 9457; RFC 9110, sections 11.6.1 (WWW-Authenticate), 15.5.6 (Allow), 10.2.3 (Retry-After),
 * 12.5.3 (Accept-Encoding).
 */
import { ENCODINGS, HEADER, PROBLEM_TYPE, type Problem } from '@launchbeat/ecs-schemas';

export interface ProblemHeaders {
  readonly retryAfterSeconds?: number | undefined;
  /** Methods that the path has, for 405. */
  readonly allow?: string;
  /** The request's body was not read to its end: the connection cannot be used again. */
  readonly close?: boolean;
}

/** The answer of a problem. */
export function problemAnswer(what: Problem, more: ProblemHeaders = {}): Response {
  const headers = new Headers({ [HEADER.contentType]: PROBLEM_TYPE, 'Cache-Control': 'no-store' });
  if (what.status === 401) headers.set('WWW-Authenticate', 'ApiKey');
  if (what.status === 415) headers.set(HEADER.acceptEncoding, ENCODINGS.join(', '));
  if (more.retryAfterSeconds !== undefined) {
    headers.set(HEADER.retryAfter, String(more.retryAfterSeconds));
  }
  if (more.allow !== undefined) headers.set('Allow', more.allow);
  if (more.close === true) headers.set('Connection', 'close');
  return new Response(JSON.stringify(what), { status: what.status, headers });
}

/** The answer 200 (or another status) with a JSON body. */
export function jsonAnswer(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { [HEADER.contentType]: 'application/json', 'Cache-Control': 'no-store' },
  });
}
