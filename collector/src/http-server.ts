/**
 * Takes the app and `http:` of the config, listens; gives the address and a way to stop in good order.
 * Keeps: nobody holds a connection for ever (headers, body, TLS handshake and idling each have their time); a renewed
 * certificate is taken up without a restart; running requests are finished before the end, within a time.
 */
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { getRequestListener } from '@hono/node-server';
import { PROBLEM_TYPE, problem } from '@launchbeat/ecs-schemas';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { problemAnswer } from './answers.ts';
import type { HttpConfig } from './http-config.ts';
import { limitConnections } from './limit-connections.ts';
import {
  type CertificateFiles,
  certificateFiles,
  refuseForeignCertificates,
  tlsOptions,
  watchCertificate,
} from './server-certificate.ts';

export interface HttpServerOptions {
  readonly app: { fetch(request: Request, env: unknown): Response | Promise<Response> };
  readonly config: HttpConfig;
  /** Folder that relative file names in the config belong to. */
  readonly configFolder: string;
  /** Time that admit gives a body, in milliseconds; the server's own limit lies above it. */
  readonly bodyTimeoutMs: number;
  /** Whether the address is a proxy's, with many clients behind it; absent = no address is. */
  readonly isProxy?: (address: string) => boolean;
  /** How often the files of the certificate are looked at. */
  readonly certificateLookMs?: number;
  readonly log: Log;
}

export interface HttpServer {
  /** e.g. `https://localhost:8443`. */
  readonly url: string;
  readonly port: number;
  /** Takes a renewed certificate up now instead of within a minute. */
  lookAtCertificate(): void;
  /** Takes no new connection, finishes what runs, ends after http.stop_timeout at the latest. */
  stop(): Promise<void>;
}

const HEADERS_TIMEOUT_MS = 15_000;
/** Longer than what load balancers keep a connection (60 s), so that they close first. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const CHECK_INTERVAL_MS = 5000;
const BODY_GRACE_MS = 10_000;
const CERTIFICATE_LOOK_MS = 60_000;
const IDLE_LOOK_MS = 50;
/** Connections that the kernel holds until they are accepted (at most its somaxconn): a fleet comes at once. */
const BACKLOG = 4096;
/** So long the answer to what is no request has to leave. */
const LAST_WORD_MS = 2000;

/** Begins to listen. Rejects with a sentence that names the key to change where it cannot. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { config, log } = options;
  const files = certificateFiles(config, options.configFolder);
  const server = createServer(options, files);
  server.on('clientError', answerClientError);
  server.maxConnections = config.connections_max;
  limitConnections(server, {
    ...{ perAddress: config.connections_per_address_max, log },
    isProxy: options.isProxy ?? (() => false),
  });
  await listen(server, config);
  const watch = watching(server, files, options);
  const { port } = server.address() as AddressInfo;
  const scheme = server instanceof HttpsServer ? 'https' : 'http';
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  const url = `${scheme}://${host}:${port}`;
  log.info({ 'url.full': url }, 'Listening.');
  return {
    url,
    port,
    lookAtCertificate: () => watch?.look(),
    async stop() {
      watch?.end();
      await stop(server, config.stop_timeout);
    },
  };
}

function watching(
  server: Server | HttpsServer,
  files: CertificateFiles | undefined,
  { log, certificateLookMs = CERTIFICATE_LOOK_MS }: HttpServerOptions,
) {
  if (files === undefined || !(server instanceof HttpsServer)) return undefined;
  refuseForeignCertificates(server, files);
  return watchCertificate(server, files, { log, everyMs: certificateLookMs });
}

function createServer(
  options: HttpServerOptions,
  files: CertificateFiles | undefined,
): Server | HttpsServer {
  const answer = getRequestListener(
    (request, env) => options.app.fetch(request, env),
    // The adapter's own Response stays in place of the global one: an answer costs a third of what it does with Node's.
    {
      // Malformed targets and Host headers never reach the app.
      errorHandler: (error) =>
        error instanceof Error && error.name === 'RequestError'
          ? problemAnswer(problem('bad-request', 'URL or Host is malformed.'))
          : problemAnswer(problem('internal')),
    },
  );
  const listener: RequestListener = (incoming, outgoing) => void answer(incoming, outgoing);
  const limits = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: options.bodyTimeoutMs + HEADERS_TIMEOUT_MS + BODY_GRACE_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
  };
  if (files === undefined) return createHttpServer(limits, listener);
  return createHttpsServer({ ...limits, ...tlsOptions(files) }, listener);
}

async function listen(server: Server, config: HttpConfig): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const place = `${config.host}:${config.port}`;
      const mend = 'Change http.host or http.port, or end the program that has the port.';
      reject(new Error(`Cannot listen on ${place} (${cause.code}). ${mend}`, { cause }));
    });
    server.listen({ host: config.host, port: config.port, backlog: BACKLOG }, () => {
      server.removeAllListeners('error');
      server.on('error', () => undefined);
      resolve();
    });
  });
}

/** What is no HTTP gets an answer all the same, where anybody can still hear it. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // Before the end of a TLS handshake nothing can be said, and what is written never leaves.
  const isBare = /^(ERR_TLS|ERR_SSL|EPROTO)/.test(error.code ?? '');
  if (error.code === 'ECONNRESET' || isBare || !socket.writable) {
    socket.destroy();
    return;
  }
  // A peer that never closes its side would keep the connection for ever.
  setTimeout(() => socket.destroy(), LAST_WORD_MS).unref();
  const what =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? problem('timeout', 'Request did not come in time.')
      : problem('bad-request', 'Request is not whole HTTP/1.1, or its headers are too large.');
  const body = JSON.stringify(what);
  socket.end(
    `HTTP/1.1 ${what.status} ${what.status === 408 ? 'Request Timeout' : 'Bad Request'}\r\n` +
      `Content-Type: ${PROBLEM_TYPE}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

async function stop(server: Server, timeoutMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  const deadlineMs = Date.now() + timeoutMs;
  let open = true;
  const end = closed.then(() => {
    open = false;
  });
  while (open && Date.now() < deadlineMs) {
    // A connection that is kept alive becomes idle only when its request has ended.
    server.closeIdleConnections();
    await Promise.race([end, pause(IDLE_LOOK_MS)]);
  }
  server.closeAllConnections();
  await end;
}
