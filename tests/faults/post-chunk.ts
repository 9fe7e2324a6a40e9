/**
 * Posts a chunk to the collector under test past every agent: what an attacker, or a person with curl, would send.
 */
import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { CHUNKS_PATH } from '@launchbeat/ecs-schemas';
import { chunkHeaders } from '../support/collector-app.ts';
import type { Installation } from '../support/launchbeat.ts';

export interface PostedChunk {
  /** Before compression, for the headers. */
  readonly raw: Buffer;
  /** Gzipped. */
  readonly body: Buffer;
  /** What the header says; default what is true. */
  readonly lines?: number;
}

/** Makes a key, which belongs to no agent yet. */
export async function newKey(
  installation: Installation,
): Promise<{ readonly id: string; readonly secret: string }> {
  const added = await installation.collector('agents', 'add', 'stranger');
  const [id = '', secret = ''] = added.stdout.trim().split(':');
  return { id, secret };
}

/** Sends it over a connection of its own. */
export function postChunk(
  { caFile, url }: Installation,
  key: { readonly id: string; readonly secret: string },
  { raw, body, lines }: PostedChunk,
): Promise<{ readonly status: number; readonly headers: IncomingHttpHeaders }> {
  const headers = chunkHeaders(key, raw, body, {
    encoding: 'gzip',
    ...(lines === undefined ? {} : { lines }),
  });
  return new Promise((resolve, reject) => {
    const sent = request(
      `${url}${CHUNKS_PATH}`,
      { method: 'POST', ca: readFileSync(caFile), headers: { ...headers }, agent: false },
      (answer) => {
        answer.resume();
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
