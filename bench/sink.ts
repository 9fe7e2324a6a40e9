/**
 * A bare sink as a program of its own: reads request bodies, keeps nothing, says yes as fast as it can.
 * POST /v1/chunks gets a receipt for its lines, POST …/_bulk a verdict on each action; GET / is answered as Elasticsearch does, since some
 * loaders ask for its version first; GET /counts tells what came.
 * The first line of its output is its address.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CHUNKS_PATH, HEADER } from '@launchbeat/ecs-schemas';

const LF = 0x0a;
const counts = { events: 0, requests: 0, bytes: 0 };

function lineFeeds(part: Buffer): number {
  let count = 0;
  for (let at = part.indexOf(LF); at !== -1; at = part.indexOf(LF, at + 1)) count += 1;
  return count;
}

function answerJson(response: ServerResponse, body: string): void {
  response.writeHead(200, {
    'content-type': 'application/json',
    'x-elastic-product': 'Elasticsearch',
    'content-length': Buffer.byteLength(body),
  });
  response.end(body);
}

function onChunk(request: IncomingMessage, response: ServerResponse): void {
  const lines = Number(request.headers[HEADER.lines.toLowerCase()]);
  request.on('data', (part: Buffer) => {
    counts.bytes += part.length;
  });
  request.on('end', () => {
    counts.events += lines;
    counts.requests += 1;
    answerJson(response, JSON.stringify({ accepted: lines, duplicates: 0, rejected: [] }));
  });
}

/** Two lines an event: action and document. */
function onBulk(request: IncomingMessage, response: ServerResponse): void {
  let lines = 0;
  request.on('data', (part: Buffer) => {
    counts.bytes += part.length;
    lines += lineFeeds(part);
  });
  request.on('end', () => {
    const events = Math.floor(lines / 2);
    counts.events += events;
    counts.requests += 1;
    const items = Array.from({ length: events }, () => '{"create":{"status":201}}').join(',');
    answerJson(response, `{"took":1,"errors":false,"items":[${items}]}`);
  });
}

const CLUSTER = JSON.stringify({
  name: 'sink',
  cluster_name: 'sink',
  status: 'green',
  version: { number: '8.19.0', build_flavor: 'default' },
  license: { status: 'active', type: 'basic', mode: 'basic' },
  tagline: 'You Know, for Search',
});

/** A check-in is no chunk: counted as one it would make the counts no numbers. */
function refuse(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  response.writeHead(404).end();
}

const server = createServer((request, response) => {
  if (request.url === '/counts') answerJson(response, JSON.stringify(counts));
  else if (request.url?.includes('_bulk') === true) onBulk(request, response);
  else if (request.url === CHUNKS_PATH) onChunk(request, response);
  else if (request.method === 'POST') refuse(request, response);
  else answerJson(response, CLUSTER);
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
