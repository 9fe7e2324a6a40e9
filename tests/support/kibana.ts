/**
 * An HTTP server that behaves as Kibana's status and import API do, and as strictly: headers, rights, multipart, versions
 * of objects, duplicates, missing references, conflicts. It keeps what was imported, per space. No part of it is Kibana's.
 */
import { Buffer } from 'node:buffer';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface StandInOptions {
  readonly version: string;
  /** Value of `authorization` that is let in; absent: everybody is. */
  readonly authorization?: string;
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

interface Stored {
  readonly type: string;
  readonly id: string;
  readonly coreMigrationVersion?: string;
  readonly typeMigrationVersion?: string;
  readonly references: readonly { readonly type: string; readonly id: string }[];
}

/** An answer before it is written. */
interface Answer {
  readonly status: number;
  readonly json: unknown;
}

const boom = (statusCode: number, error: string, message: string): Answer => ({
  status: statusCode,
  json: { statusCode, error, message },
});

/** Newest version of each type that a Kibana knows, by its own (measured on exports of those versions). */
const KNOWN: Readonly<Record<string, readonly (readonly [from: string, newest: string])[]>> = {
  dashboard: [
    ['8.11', '8.9.0'],
    ['8.14', '10.1.0'],
    ['8.15', '10.2.0'],
    ['9.1', '10.3.0'],
  ],
  search: [
    ['8.11', '10.1.0'],
    ['8.15', '10.4.0'],
    ['8.16', '10.5.0'],
    ['9.4', '10.12.0'],
  ],
  'index-pattern': [['8.11', '8.0.0']],
  tag: [['8.11', '8.0.0']],
};

const parts = (version: string): number[] => version.split('.').map(Number);

/** Whether one version comes after another. */
function isNewer(one: string, other: string): boolean {
  const [a, b] = [parts(one), parts(other)];
  const index = a.findIndex((part, place) => part !== (b[place] ?? 0));
  return index >= 0 && (a[index] ?? 0) > (b[index] ?? 0);
}

function newestOf(type: string, kibana: string): string | undefined {
  return KNOWN[type]?.findLast(([from]) => !isNewer(`${from}.0`, kibana))?.[1];
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

const keyOf = ({ type, id }: { readonly type: string; readonly id: string }): string =>
  `${type} ${id}`;

/** What a whole import fails for, as Kibana does before it writes anything. */
function refusalOf(objects: readonly Stored[], version: string): Answer | undefined {
  const keys = objects.map(keyOf);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined)
    return boom(
      400,
      'Bad Request',
      `Non-unique import objects detected: [${twice.replace(' ', ':')}]`,
    );
  for (const object of objects) {
    const { type, typeMigrationVersion = '', coreMigrationVersion = '' } = object;
    const newest = newestOf(type, version);
    if (newest !== undefined && typeMigrationVersion === '')
      return boom(
        500,
        'Internal Server Error',
        "Cannot read properties of undefined (reading 'layers')",
      );
    if (newest !== undefined && isNewer(typeMigrationVersion, newest))
      return boom(
        422,
        'Unprocessable Entity',
        `Document "${object.id}" belongs to a more recent version of Kibana [${typeMigrationVersion}] when the last known version is [${newest}].`,
      );
    if (isNewer(coreMigrationVersion, version))
      return boom(422, 'Unprocessable Entity', `Document "${object.id}" has a newer core version`);
  }
  return undefined;
}

function importInto(
  space: Map<string, unknown>,
  objects: readonly Stored[],
  options: { readonly overwrite: boolean; readonly unknown: readonly string[] },
): Answer {
  const sent = new Set(objects.map(keyOf));
  const faultOf = (object: Stored): object | undefined => {
    if (options.unknown.includes(object.type)) return { type: 'unsupported_type' };
    const missing = object.references.filter(
      (one) =>
        ['index-pattern', 'search'].includes(one.type) &&
        !sent.has(keyOf(one)) &&
        !space.has(keyOf(one)),
    );
    if (missing.length > 0)
      return {
        type: 'missing_references',
        references: missing.map(({ type, id }) => ({ type, id })),
      };
    return space.has(keyOf(object)) && !options.overwrite ? { type: 'conflict' } : undefined;
  };
  const judged = objects.map((object) => ({ object, error: faultOf(object) }));
  const errors = judged.flatMap(({ object: { id, type }, error }) =>
    error === undefined ? [] : [{ id, type, meta: { title: `title of ${id}` }, error }],
  );
  const good = judged.filter(({ error }) => error === undefined).map(({ object }) => object);
  for (const object of good) space.set(keyOf(object), object);
  return {
    status: 200,
    json: {
      successCount: good.length,
      success: errors.length === 0,
      warnings: [],
      successResults: good.map(({ type, id }) => ({ type, id })),
      ...(errors.length === 0 ? {} : { errors }),
    },
  };
}

function statusAnswer(options: StandInOptions): Answer {
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

type Spaces = ReadonlyMap<string, Map<string, unknown>>;

function answerImport(request: ImportRequest, spaces: Spaces, options: StandInOptions): Answer {
  const { headers, url, spaceId, body } = request;
  const space = spaces.get(spaceId);
  if (space === undefined) return boom(404, 'Not Found', 'Not Found');
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
    importInto(space, objects, { overwrite, unknown: options.unknownTypes ?? [] })
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
  if (!url.pathname.startsWith(base)) return boom(404, 'Not Found', 'Not Found');
  if (
    options.authorization !== undefined &&
    request.headers.authorization !== options.authorization
  )
    return boom(401, 'Unauthorized', '[security_exception]: unable to authenticate');
  const inner = url.pathname.slice(base.length);
  if (request.method === 'GET' && inner === '/api/status') return statusAnswer(options);
  const target = IMPORT_PATH.exec(inner);
  if (request.method !== 'POST' || target === null) return boom(404, 'Not Found', 'Not Found');
  const spaceId = target.groups?.['space'] ?? 'default';
  return answerImport({ headers: request.headers, url, spaceId, body }, spaces, options);
}

const IMPORT_PATH = /^(?:\/s\/(?<space>[^/]+))?\/api\/saved_objects\/_import$/;

/** Starts it on a free port of 127.0.0.1. */
export async function startKibanaStandIn(options: StandInOptions): Promise<StandIn> {
  const spaces: Spaces = new Map(
    ['default', ...(options.spaces ?? [])].map((id) => [id, new Map<string, unknown>()]),
  );
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
    objects: (space) => spaces.get(space) ?? new Map(),
    requests,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
