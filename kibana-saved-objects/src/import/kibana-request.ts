/**
 * Takes an address, credentials and a request, gives Kibana's answer.
 * Keeps: a certificate is always checked, against the given authorities where there are some; secrets stand in headers only and
 * never in an error; an answer is read up to a limit.
 */
import { Buffer } from 'node:buffer';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

export type Credentials =
  /** `encoded` of Kibana's or Elasticsearch's answer when the key was made: Base64 of `id:key`. */
  | { readonly kind: 'api_key'; readonly encoded: string }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** Kibana without security. */
  | { readonly kind: 'none' };

export interface KibanaAddress {
  /** Base URL with the base path, e.g. `https://kibana.example.org:5601/kibana`. */
  readonly url: string;
  readonly credentials: Credentials;
  /** Certificate authorities as PEM texts instead of the built-in ones. */
  readonly certificateAuthorities?: readonly string[];
  /** For one request, from its first byte to the last of the answer. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface KibanaRequest {
  readonly method: 'GET' | 'POST';
  /** Path after the base path, with its query. */
  readonly path: string;
  readonly body?: { readonly type: string; readonly bytes: Buffer };
}

export type KibanaAnswer =
  /** `json` is undefined where the body is none. */
  | { readonly outcome: 'done'; readonly status: number; readonly json: unknown }
  | { readonly outcome: 'unreachable'; readonly reason: string };

/** An import of our bundle answers with some kilobytes. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

function authorization(credentials: Credentials): Readonly<Record<string, string>> {
  switch (credentials.kind) {
    case 'api_key':
      return { authorization: `ApiKey ${credentials.encoded}` };
    case 'basic': {
      const pair = Buffer.from(`${credentials.username}:${credentials.password}`, 'utf8');
      return { authorization: `Basic ${pair.toString('base64')}` };
    }
    case 'none':
      return {};
  }
}

async function readAnswer(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`answer of more than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

/** Errors of node:net carry a code; one for several addresses tried has it, but no message. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  return error.message === '' ? code : error.message;
}

/** Throws only when `signal` says so. */
export async function kibanaRequest(
  address: KibanaAddress,
  { method, path, body }: KibanaRequest,
): Promise<KibanaAnswer> {
  const url = new URL(`${address.url.replace(/\/+$/, '')}${path}`);
  const timeout = AbortSignal.timeout(address.timeoutMs);
  const signal =
    address.signal === undefined ? timeout : AbortSignal.any([timeout, address.signal]);
  const options = {
    method,
    signal,
    headers: {
      accept: 'application/json',
      // Kibana refuses changes without it; any value will do.
      'kbn-xsrf': 'launchbeat',
      ...authorization(address.credentials),
      ...(body === undefined
        ? {}
        : { 'content-type': body.type, 'content-length': String(body.bytes.length) }),
    },
  };
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent =
        url.protocol === 'https:'
          ? httpsRequest(
              url,
              address.certificateAuthorities === undefined
                ? options
                : { ...options, ca: [...address.certificateAuthorities] },
              resolve,
            )
          : httpRequest(url, options, resolve);
      sent.on('error', reject);
      sent.end(body?.bytes);
    });
    const json = await readAnswer(response);
    return { outcome: 'done', status: response.statusCode ?? 0, json };
  } catch (error) {
    address.signal?.throwIfAborted();
    const reason = timeout.aborted ? `no answer within ${address.timeoutMs} ms` : reasonOf(error);
    return { outcome: 'unreachable', reason };
  }
}
