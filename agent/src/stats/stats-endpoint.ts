/**
 * The agent's local HTTP endpoint: `/`, `/stats`, `/inputs/`, each with `?pretty`.
 * Keeps: it only answers GET and HEAD, tells nothing secret, and an agent runs on where it cannot listen. A page in a browser
 * that has a name of its own pointed at this PC is refused by its Host header.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { agentStats, inputStats, type StatsInput } from './agent-stats.ts';
import { type HttpConfig, listenPlace } from './http-config.ts';

export interface StatsEndpointOptions {
  readonly config: HttpConfig;
  /** Name of the source. */
  readonly source: string;
  /** The statistics at the time of a question. */
  readonly read: () => StatsInput;
  readonly log: Log;
}

export interface StatsEndpoint {
  /** The port that was taken; absent on a socket or where it does not listen. */
  readonly port?: number;
  close(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 10_000;
const CONNECTIONS_MAX = 16;
const LOOPBACK = /^(localhost|127\..*|::1|\[::1\])$/;

/** Begins to listen, where the config says so. Never rejects: what stands in the way is an ERROR of the log. */
export async function startStatsEndpoint(options: StatsEndpointOptions): Promise<StatsEndpoint> {
  const { config, log } = options;
  if (!config.enabled) return { close: async () => undefined };
  const place = listenPlace(config);
  const server = createServer((request, response) => answer(request, response, options));
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.headersTimeout = REQUEST_TIMEOUT_MS;
  server.maxConnections = CONNECTIONS_MAX;
  const where = 'path' in place ? place.path : `${place.host}:${place.port}`;
  const failure = await new Promise<Error | undefined>((resolve) => {
    server.once('error', resolve);
    server.listen(place, () => resolve(undefined));
  });
  if (failure !== undefined) {
    log.error(
      { err: failure },
      `Statistics cannot be given on ${where}; the agent runs without them. Is another program there? See http.port.`,
    );
    return { close: async () => undefined };
  }
  server.on('error', (error) => log.warn({ err: error }, 'Statistics endpoint had an error.'));
  if ('host' in place && !LOOPBACK.test(place.host)) {
    log.warn(
      { 'server.address': where },
      'Statistics can be read from other computers (http.host), without a key. Set http.host: localhost.',
    );
  }
  server.unref();
  const address = server.address();
  return {
    ...(typeof address === 'object' && address !== null ? { port: address.port } : {}),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: StatsEndpointOptions,
): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const send = (status: number, value: unknown): void => {
    const body = JSON.stringify(value, undefined, searchParams.has('pretty') ? 2 : undefined);
    response.writeHead(status, {
      'Content-Type': 'application/json',
      'X-Content-Type-Options': 'nosniff',
    });
    response.end(request.method === 'HEAD' ? undefined : `${body}\n`);
  };
  if (!isOwnName(request.headers.host, options.config.host)) {
    send(421, { error: 'Host header is not of this endpoint; ask by http.host or by address.' });
  } else if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    send(405, { error: 'Only GET and HEAD.' });
  } else {
    const found = lookUp(pathname, options);
    if (found === undefined) send(404, { error: 'There are /, /stats and /inputs/.' });
    else send(200, found);
  }
}

function lookUp(path: string, { source, read }: StatsEndpointOptions): unknown {
  switch (path) {
    case '/':
      return read().info;
    case '/stats':
      return agentStats(read());
    case '/inputs':
    case '/inputs/':
      return inputStats(source, read().metrics);
    default:
      return undefined;
  }
}

/** An address, localhost, the configured name, or none (a socket). */
function isOwnName(header: string | undefined, host: string): boolean {
  if (header === undefined || header === '') return true;
  const name = header.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return isIP(name) !== 0 || name === 'localhost' || name === host;
}
