/**
 * An HTTP server that behaves as Kibana's status, spaces and import API do, and as strictly: headers, rights, multipart, versions
 * of objects, duplicates, missing references, conflicts, one object of an id in all spaces. As lax, too: it imports into a space
 * that nobody made (elastic/kibana#67164). It keeps what was imported, per space. No part of it is Kibana's.
 */
import { Buffer } from 'node:buffer';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import {
  type Answer,
  boom,
  importInto,
  refusalOf,
  type Space,
  type Stored,
} from './kibana-objects.ts';

export interface StandInOptions {
  readonly version: string;
  /** Value of `authorization` that is let in; absent: everybody is. */
  readonly authorization?: string;
  /** A proxy asks for the credentials before Kibana does: no status for strangers either. */
  readonly guarded?: boolean;
  /** The credentials may sign in but not write. */
  readonly readOnly?: boolean;
  readonly basePath?: string;
  readonly spaces?: readonly string[];
  /** Statuses to answer first, one per request: a Kibana that starts, a proxy that loses it. 0: this request is served. */
  readonly first?: readonly number[];
  /** Serve HTTPS with this key and certificate, PEM. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Types that this Kibana does not know. */
  readonly unknownTypes?: readonly string[];
}

export interface StandIn {
  readonly url: string;
  /** Objects of a space by `type id`. */
  readonly objects: (space: string) => ReadonlyMap<string, unknown>;
  /** `METHOD path` of each request. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Reads the field `file`; a text says what is wrong with the body. */
function fileOf(type: string, body: Buffer): { readonly text: string } | string {
  const boundary = /^multipart\/form-data; boundary=(?<boundary>[^\s;]{1,70})$/.exec(type)
    ?.groups?.['boundary'];
  if (boundary === undefined) return 'Invalid content-type';
  const all = body.toString('utf8');
  const opening = `--${boundary}\r\n`;
  const closing = `\r\n--${boundary}--\r\n`;
  if (!all.startsWith(opening) || !all.endsWith(closing)) return 'Invalid multipart payload format';
  const part = all.slice(opening.length, -closing.length);
  const headersEnd = part.indexOf('\r\n\r\n');
  const name = /name="file"; filename="(?<name>[^"]+)"/.exec(part.slice(0, headersEnd))?.groups?.[
    'name'
  ];
  if (headersEnd < 0 || name === undefined)
    return '[request body.file]: expected value of type [Stream]';
  if (!name.endsWith('.ndjson')) return `Invalid file extension .${name.split('.').at(-1)}`;
  return { text: part.slice(headersEnd + 4) };
}

/** `isKnown`: the credentials are right. A stranger is told the level and nothing else. */
function statusAnswer(options: StandInOptions, isKnown: boolean): Answer {
  if (!isKnown) return { status: 200, json: { status: { overall: { level: 'available' } } } };
  const status = { overall: { level: 'available', summary: 'All services are available' } };
  return { status: 200, json: { name: 'kibana', version: { number: options.version }, status } };
}

/** One import request that has come in whole. */
interface ImportRequest {
  readonly headers: IncomingMessage['headers'];
  readonly url: URL;
  readonly spaceId: string;
  readonly body: Buffer;
}

interface Spaces {
  /** The spaces that somebody made. */
  readonly made: ReadonlySet<string>;
  /** What is in each, made or not. */
  readonly contents: Map<string, Space>;
}

function answerImport(request: ImportRequest, spaces: Spaces, options: StandInOptions): Answer {
  const { headers, url, spaceId, body } = request;
  const space: Space = spaces.contents.get(spaceId) ?? new Map();
  const others = [...spaces.contents.values()].filter((one) => one !== space);
  spaces.contents.set(spaceId, space);
  if (headers['kbn-xsrf'] === undefined)
    return boom(400, 'Bad Request', 'Request must contain a kbn-xsrf header.');
  if (options.readOnly === true) return boom(403, 'Forbidden', 'Unable to bulk_create dashboard');
  const file = fileOf(headers['content-type'] ?? '', body);
  if (typeof file === 'string') return boom(400, 'Bad Request', file);
  const objects = file.text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Stored)
    .filter((object) => !('exportedCount' in object));
  const overwrite = url.searchParams.get('overwrite') === 'true';
  return (
    refusalOf(objects, options.version) ??
    importInto(space, objects, { overwrite, unknown: options.unknownTypes ?? [], others })
  );
}

async function answer(
  request: IncomingMessage,
  spaces: Spaces,
  options: StandInOptions,
): Promise<Answer> {
  const url = new URL(request.url ?? '/', 'http://kibana');
  const body = await bodyOf(request);
  const base = options.basePath ?? '';
  if (!url.pathname.startsWith(base)) return NOT_FOUND;
  const wanted = options.authorization;
  const isKnown = wanted === undefined || request.headers.authorization === wanted;
  const inner = url.pathname.slice(base.length);
  const asksStatus = request.method === 'GET' && inner === '/api/status';
  if (asksStatus && (isKnown || options.guarded !== true)) return statusAnswer(options, isKnown);
  if (!isKnown) return boom(401, 'Unauthorized', '[security_exception]: unable to authenticate');
  if (request.method === 'GET') return spaceAnswer(inner, spaces);
  const target = IMPORT_PATH.exec(inner);
  if (request.method !== 'POST' || target === null) return NOT_FOUND;
  const spaceId = target.groups?.['space'] ?? 'default';
  return answerImport({ headers: request.headers, url, spaceId, body }, spaces, options);
}

const NOT_FOUND = boom(404, 'Not Found', 'Not Found');

function spaceAnswer(path: string, { made }: Spaces): Answer {
  const id = SPACE_PATH.exec(path)?.groups?.['space'] ?? '';
  return made.has(id) ? { status: 200, json: { id, name: id, disabledFeatures: [] } } : NOT_FOUND;
}

const SPACE_PATH = /^\/api\/spaces\/space\/(?<space>[^/]+)$/;
const IMPORT_PATH = /^(?:\/s\/(?<space>[^/]+))?\/api\/saved_objects\/_import$/;

/** Starts it on a free port of 127.0.0.1. */
export async function startKibanaStandIn(options: StandInOptions): Promise<StandIn> {
  const spaces: Spaces = {
    made: new Set(['default', ...(options.spaces ?? [])]),
    contents: new Map(),
  };
  const requests: string[] = [];
  const first = [...(options.first ?? [])];

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests.push(`${request.method} ${request.url?.split('?')[0]}`);
    const early = first.shift();
    const { status, json } = early
      ? boom(early, 'Unavailable', 'Kibana server is not ready yet')
      : await answer(request, spaces, options);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
  }

  const listener = (request: IncomingMessage, response: ServerResponse): void =>
    void respond(request, response);
  const server =
    options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}${options.basePath ?? ''}`,
    objects: (space) => spaces.contents.get(space) ?? new Map(),
    requests,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
