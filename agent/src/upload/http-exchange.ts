/**
 * Takes a request to the collector, gives its answer or why there is none. Never throws, never follows a redirect.
 * Keeps: every part has its time limit, an answer is read up to a bound, the key goes to the configured host alone.
 */
import { HEADER } from '@launchbeat/ecs-schemas';
import { type AgentKey, authorizationOf, createAgentKey } from './agent-key.ts';
import { explainFailure } from './explain-failure.ts';
import type { OutputConfig } from './output-config.ts';
import { plainThroughTunnel, proxyTunnel } from './proxy-tunnel.ts';
import { retryAfterMs } from './retry-delay.ts';
import { timeLimit } from './time-limit.ts';
import { proxyAuthorities, tlsConnector } from './tls-trust.ts';
import { newAgent, requestBy } from './undici-parts.ts';

export type Answer =
  | {
      readonly outcome: 'answered';
      readonly status: number;
      readonly contentType: string;
      /** The body as JSON; undefined when it is not JSON or too long. */
      readonly body: unknown;
      /** The beginning of a body that is not JSON, on one line. */
      readonly text: string;
      readonly retryAfterMs?: number;
      /** Content encodings that are taken, as an answer 415 says (header Accept-Encoding). */
      readonly encodings?: readonly string[];
      /** The collector's clock (header Date), Unix milliseconds. */
      readonly dateMs?: number;
    }
  | { readonly outcome: 'no_answer'; readonly reason: string };

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  /** Path below the collector's URL, e.g. `/v1/chunks`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  /** Leave the key out. */
  readonly anonymous?: boolean;
  /** Another key than the one in force, `id:secret`: to try it. */
  readonly apiKey?: string;
}

export interface HttpExchange {
  exchange(request: HttpRequest, signal?: AbortSignal): Promise<Answer>;
  close(): Promise<void>;
}

const BODY_BYTES_MAX = 4 * 1024 * 1024;
const TEXT_CHARACTERS_MAX = 200;
/** A whole exchange may take this many times the limit of its parts: a body that trickles for ever ends too. */
const WHOLE_FACTOR = 3;

/** Opens the way to one collector; connections are kept alive. `key` is asked with every request. Throws when a file of the config cannot be read. */
export function openHttpExchange(
  url: string,
  config: OutputConfig,
  nowMs: () => number,
  key: AgentKey = createAgentKey(config.api_key),
): HttpExchange {
  const base = new URL(url);
  const prefix = base.pathname.replace(/\/$/, '');
  const agent = newAgent({
    connections: 1,
    pipelining: 1,
    headersTimeout: config.timeout,
    bodyTimeout: config.timeout,
    allowH2: false,
    connect: connectorOf(base, config),
  });

  const exchange = async (request: HttpRequest, signal?: AbortSignal): Promise<Answer> => {
    const limit = timeLimit(config.timeout * WHOLE_FACTOR, signal);
    try {
      const response = await requestBy(agent, {
        origin: base.origin,
        path: `${prefix}${request.path}`,
        method: request.method,
        headers: {
          ...request.headers,
          'User-Agent': 'launchbeat',
          ...(request.anonymous === true
            ? {}
            : { [HEADER.authorization]: authorizationOf(request.apiKey ?? key.encoded()) }),
        },
        body: request.body ?? null,
        signal: limit.signal,
      });
      const headers = new Map(Object.entries(response.headers).map(([k, v]) => [k, String(v)]));
      const asked = retryAfterMs(headers.get(HEADER.retryAfter.toLowerCase()), nowMs());
      return {
        outcome: 'answered',
        status: response.statusCode,
        contentType: headers.get('content-type') ?? '',
        ...parseBody(await readBounded(response.body)),
        ...(asked === undefined ? {} : { retryAfterMs: asked }),
        ...encodingsOf(headers.get(HEADER.acceptEncoding.toLowerCase())),
        ...dateOf(headers.get('date')),
      };
    } catch (error) {
      return { outcome: 'no_answer', reason: explainFailure(error) };
    } finally {
      limit.end();
    }
  };
  return { exchange, close: () => agent.destroy() };
}

/** How connections are opened: directly or through the proxy, with TLS or without. */
function connectorOf(base: URL, config: OutputConfig) {
  const tunnel =
    config.proxy_url === undefined
      ? undefined
      : proxyTunnel(config.proxy_url, config.timeout, proxyAuthorities(config));
  if (base.protocol === 'https:') return tlsConnector(config, tunnel);
  return tunnel === undefined ? { timeout: config.timeout } : plainThroughTunnel(tunnel);
}

function dateOf(header: string | undefined): { dateMs?: number } {
  const dateMs = Date.parse(header ?? '');
  return Number.isNaN(dateMs) ? {} : { dateMs };
}

/** Without their weights; what has the weight 0 is not taken. */
function encodingsOf(header: string | undefined): { encodings?: readonly string[] } {
  if (header === undefined) return {};
  const taken = header.split(',').filter((one) => !/;\s*q=0(?:\.0*)?\s*$/i.test(one));
  return { encodings: taken.map((one) => (one.split(';')[0] ?? '').trim().toLowerCase()) };
}

/** The whole body, or undefined when it is longer than any answer of ours. */
async function readBounded(
  body: AsyncIterable<Uint8Array> & { destroy(): unknown },
): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of body) {
    length += part.length;
    if (length > BODY_BYTES_MAX) {
      body.destroy();
      return undefined;
    }
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function parseBody(bytes: Buffer | undefined): { body: unknown; text: string } {
  if (bytes === undefined)
    return { body: undefined, text: `a body of over ${BODY_BYTES_MAX} bytes` };
  const text = bytes.toString('utf8');
  try {
    return { body: JSON.parse(text) as unknown, text: '' };
  } catch {
    return {
      body: undefined,
      text: text.replace(/\s+/g, ' ').slice(0, TEXT_CHARACTERS_MAX).trim(),
    };
  }
}
