/**
 * A collector as far as the wire goes, for tests of the agent: checks every header and byte of a chunk, keeps a ledger by
 * Idempotency-Key, and gives whatever answer a test asks for.
 */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import {
  apiKeyAuthorization,
  countLines,
  idempotencyKeySchema,
  LIMIT,
  PROBLEM_TYPE,
  type ProblemName,
  problem,
} from '@launchbeat/ecs-schemas';

/** What the sink does with a chunk: commit it, or answer something else. */
export type Reaction =
  | { readonly kind: 'commit'; readonly rejected?: readonly { line: number; reason: string }[] }
  /** Commit it, then break the connection off before the answer. */
  | { readonly kind: 'commit_silently' }
  | {
      readonly kind: 'problem';
      readonly name: ProblemName;
      readonly retryAfter?: string;
      readonly more?: object;
    }
  | {
      readonly kind: 'raw';
      readonly status: number;
      readonly body: string;
      readonly headers?: Record<string, string>;
    }
  | { readonly kind: 'hang_up' }
  | { readonly kind: 'silence' };

export interface SinkChunk {
  readonly key: string;
  readonly digest: string;
  readonly lines: readonly string[];
  readonly body: Buffer;
}

export interface SinkOptions {
  readonly apiKey?: string;
  /** Asked for each chunk that is in order; the second argument counts requests from 1. */
  readonly react?: (chunk: SinkChunk, request: number) => Reaction;
  /** PEM texts: serve https. */
  readonly tls?: { readonly key: string; readonly cert: string };
  readonly whoami?: object;
}

export interface ChunkSink {
  readonly url: string;
  /** Every request for a chunk, in order, whatever became of it. */
  readonly requests: readonly SinkChunk[];
  /** Head and body of every other request. */
  readonly others: readonly string[];
  /** Lines that were committed, in order, each chunk once. */
  lines(): string[];
  /** Chunks whose headers or bytes were wrong; a test expects none. */
  readonly faults: readonly string[];
  stop(): Promise<void>;
}

export const SINK_KEY = 'key-1:secret-1';

/** Starts a sink on a free port of 127.0.0.1. */
export async function startChunkSink(options: SinkOptions = {}): Promise<ChunkSink> {
  const requests: SinkChunk[] = [];
  const others: string[] = [];
  const faults: string[] = [];
  const ledger = new Map<string, { digest: string; lines: readonly string[]; receipt: object }>();
  const [id = '', secret = ''] = (options.apiKey ?? SINK_KEY).split(':');

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const head = `${request.method} ${request.url} ${request.rawHeaders.join(' ')}`;
    if (request.url !== '/v1/chunks') others.push(head);
    if (request.url === '/healthz') return json(response, 200, { status: 'ok' });
    if (request.headers.authorization !== apiKeyAuthorization(id, secret)) {
      return sendProblem(response, 'unauthorized');
    }
    if (request.url === '/v1/whoami') {
      return json(response, 200, options.whoami ?? { key_id: id, agent_id: null });
    }
    if (request.url !== '/v1/chunks' || request.method !== 'POST') {
      const body = await text(request);
      others.push(body);
      return sendProblem(response, 'not-found', body);
    }
    const chunk = readChunk(request, await buffer(request), faults);
    requests.push(chunk);
    const reaction = options.react?.(chunk, requests.length) ?? { kind: 'commit' };
    return answer(response, chunk, reaction);
  };

  const answer = (response: ServerResponse, chunk: SinkChunk, reaction: Reaction): void => {
    switch (reaction.kind) {
      case 'commit':
        commit(response, chunk, reaction.rejected ?? []);
        return;
      case 'commit_silently':
        commit(undefined, chunk, []);
        response.socket?.destroy();
        return;
      case 'problem': {
        const { name, retryAfter, more } = reaction;
        if (retryAfter !== undefined) response.setHeader('Retry-After', retryAfter);
        sendProblem(response, name, 'as the test asked', more);
        return;
      }
      case 'raw':
        response.writeHead(reaction.status, { 'Content-Type': 'text/html', ...reaction.headers });
        response.end(reaction.body);
        return;
      case 'hang_up':
        response.socket?.destroy();
        return;
      case 'silence':
        return;
    }
  };

  const commit = (
    response: ServerResponse | undefined,
    chunk: SinkChunk,
    rejected: readonly { line: number; reason: string }[],
  ): void => {
    const seen = ledger.get(chunk.key);
    if (seen !== undefined && seen.digest !== chunk.digest) {
      if (response !== undefined) sendProblem(response, 'conflict');
      return;
    }
    const receipt = { accepted: chunk.lines.length - rejected.length, duplicates: 0, rejected };
    const kept = seen ?? { digest: chunk.digest, lines: chunk.lines, receipt };
    ledger.set(chunk.key, kept);
    if (response !== undefined) json(response, 200, kept.receipt);
  };

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    handle(request, response).catch((error: unknown) => {
      faults.push(String(error));
      response.destroy();
    });
  };
  const server: Server =
    options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    requests,
    others,
    faults,
    lines: () => [...ledger.values()].flatMap((one) => one.lines),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Reads a chunk and notes everything that is not as docs/http-api.md says. */
function readChunk(request: IncomingMessage, body: Buffer, faults: string[]): SinkChunk {
  const header = (name: string): string => String(request.headers[name] ?? '');
  const key = header('idempotency-key');
  const digest = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
  const encoding = header('content-encoding');
  const raw = encoding === 'zstd' ? zstdDecompressSync(body) : gunzipSync(body);
  const lines = raw.toString('utf8').split('\n').slice(0, -1);
  const range = /@(\d+)-(\d+)$/.exec(key);
  const wrong: [string, boolean][] = [
    ['key', !idempotencyKeySchema.safeParse(key).success],
    ['range', Number(range?.[2]) - Number(range?.[1]) + 1 !== raw.length],
    ['digest', header('content-digest') !== digest],
    ['type', header('content-type') !== 'application/x-ndjson'],
    ['lines', header('launchbeat-lines') !== String(countLines(raw))],
    ['last LF', raw.at(-1) !== 0x0a],
    ['limits', lines.length > LIMIT.chunkLinesMax || body.length > LIMIT.compressedBytesMax],
    ['line limit', lines.some((line) => Buffer.byteLength(line) > LIMIT.lineBytesMax)],
  ];
  for (const [what, isWrong] of wrong) if (isWrong) faults.push(`${what} of ${key}`);
  return { key, digest, lines, body };
}

function json(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(value));
}

function sendProblem(
  response: ServerResponse,
  name: ProblemName,
  detail?: string,
  more: object = {},
): void {
  const document = problem(name, detail);
  response.writeHead(document.status, { 'Content-Type': PROBLEM_TYPE });
  response.end(JSON.stringify({ ...document, ...more }));
}
