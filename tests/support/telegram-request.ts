/**
 * Takes an HTTP request to the Bot API, gives its method and parameters: from the query, JSON, urlencoded or multipart.
 * Source: https://core.telegram.org/bots/api#making-requests
 */
import type { IncomingMessage } from 'node:http';

/** Telegram takes uploads up to 50 MB; nothing here needs more than this. */
const BODY_BYTES_MAX = 8 * 1024 * 1024;

export interface UploadedFile {
  readonly fileName: string;
  readonly bytes: Buffer;
}

export interface ApiCall {
  readonly token: string;
  /** As written; Telegram compares it without case. */
  readonly method: string;
  /** JSON values as they are, anything else as a string. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly files: ReadonlyMap<string, UploadedFile>;
}

export type ReadCall =
  | { readonly outcome: 'done'; readonly call: ApiCall }
  | { readonly outcome: 'refused'; readonly status: number; readonly description: string };

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes <= BODY_BYTES_MAX) parts.push(part); // the rest is read and forgotten, so that the answer arrives
  }
  return bytes <= BODY_BYTES_MAX ? Buffer.concat(parts) : undefined;
}

async function readForm(
  body: Buffer,
  contentType: string,
  into: { params: Record<string, unknown>; files: Map<string, UploadedFile> },
): Promise<void> {
  const form = await new Response(new Uint8Array(body), {
    headers: { 'content-type': contentType },
  }).formData();
  for (const [name, value] of form) {
    if (typeof value === 'string') into.params[name] = value;
    else
      into.files.set(name, { fileName: value.name, bytes: Buffer.from(await value.arrayBuffer()) });
  }
}

const isWellFormed = (value: unknown): boolean =>
  JSON.stringify(value ?? null).search(/\\ud[89a-f]/) < 0;

/** Reads one call. Its path must be `/bot<token>/<method>`. */
export async function readCall(request: IncomingMessage): Promise<ReadCall> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const body = await readBody(request);
  const path = /^\/bot([^/]+)\/([^/]+)\/?$/.exec(url.pathname);
  if (!path) return { outcome: 'refused', status: 404, description: 'Not Found' };
  if (!body) return { outcome: 'refused', status: 413, description: 'Request Entity Too Large' };
  const params: Record<string, unknown> = Object.fromEntries(url.searchParams);
  const files = new Map<string, UploadedFile>();
  const contentType = request.headers['content-type'] ?? '';
  try {
    if (/^application\/json/i.test(contentType)) {
      const json: unknown = JSON.parse(body.toString('utf8'));
      if (typeof json !== 'object' || json === null || Array.isArray(json))
        throw new Error('no object');
      Object.assign(params, json);
    } else if (/^(multipart\/form-data|application\/x-www-form-urlencoded)/i.test(contentType)) {
      await readForm(body, contentType, { params, files });
    }
  } catch {
    return {
      outcome: 'refused',
      status: 400,
      description: `Bad Request: can't parse the body as ${contentType}`,
    };
  }
  if (!isWellFormed(params)) {
    return {
      outcome: 'refused',
      status: 400,
      description: 'Bad Request: strings must be encoded in UTF-8',
    };
  }
  const [, token = '', method = ''] = path;
  return { outcome: 'done', call: { token: decodeURIComponent(token), method, params, files } };
}
