/**
 * A program that sends what many agents have to send, as they would: HTTPS with keep-alive, own keys, one chunk of an agent at a
 * time, 429 and 503 waited out. Everything is made before the first request.
 * Reads its task as JSON from LOAD_TASK, prints `ready`, begins at the first line of standard input, prints the result as JSON.
 */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import {
  apiKeyAuthorization,
  CHUNKS_PATH,
  contentDigest,
  HEADER,
  idempotencyKey,
  NDJSON_TYPE,
} from '@launchbeat/ecs-schemas';
import { type ChunkToSend, type DocumentForm, makeChunks, type SimulatedAgent } from './chunks.ts';

export interface LoadTask {
  readonly url: string;
  readonly caFile: string;
  readonly agents: readonly SimulatedAgent[];
  readonly eventsEach: number;
  readonly namespace: string;
  readonly form?: DocumentForm;
  /** Agents that send at the same time. */
  readonly atOnce: number;
}

export interface LoadResult {
  readonly seconds: number;
  readonly events: number;
  readonly wireBytes: number;
  readonly rawBytes: number;
  /** Answers 429 and 503. */
  readonly waits: number;
  /** Seconds from the start to the last receipt of the first and of the last agent that was done. */
  readonly firstDoneSeconds: number;
}

const task = JSON.parse(process.env['LOAD_TASK'] ?? '{}') as LoadTask;
const https = new Agent({ keepAlive: true, maxSockets: Infinity, ca: readFileSync(task.caFile) });
const SEGMENT = 'launchbeat.20260302.1.ndjson';
let waits = 0;

function post(
  chunk: ChunkToSend,
): Promise<{ status: number; retryAfterSeconds: number; text: string }> {
  const [id = '', secret = ''] = chunk.agent.apiKey.split(':');
  return new Promise((resolve, reject) => {
    const asked = request(
      `${task.url}${CHUNKS_PATH}`,
      {
        method: 'POST',
        agent: https,
        headers: {
          [HEADER.authorization]: apiKeyAuthorization(id, secret),
          [HEADER.contentType]: NDJSON_TYPE,
          [HEADER.contentEncoding]: 'zstd',
          [HEADER.contentDigest]: contentDigest(chunk.body),
          [HEADER.lines]: String(chunk.lines),
          [HEADER.idempotencyKey]: idempotencyKey(SEGMENT, chunk.first, chunk.last),
          'content-length': chunk.body.length,
        },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            retryAfterSeconds: Number(answer.headers['retry-after'] ?? 1),
            text,
          }),
        );
        answer.on('error', reject);
      },
    );
    asked.on('error', reject);
    asked.end(chunk.body);
  });
}

async function deliver(chunk: ChunkToSend): Promise<void> {
  for (;;) {
    const answer = await post(chunk).catch(() => undefined);
    if (answer?.status === 200) {
      const { accepted } = JSON.parse(answer.text) as { accepted: number };
      if (accepted !== chunk.lines)
        throw new Error(`${accepted} of ${chunk.lines}: ${answer.text}`);
      return;
    }
    if (answer !== undefined && answer.status !== 429 && answer.status !== 503)
      throw new Error(`${answer.status}: ${answer.text}`);
    waits += 1;
    // Agents spread their waits, so that they do not all come back at once.
    await delay((answer?.retryAfterSeconds ?? 1) * 1000 * (0.5 + (waits % 100) / 100));
  }
}

const chunks = makeChunks(task.agents, task.eventsEach, task.namespace, task.form);
const byAgent = Map.groupBy(chunks, (chunk) => chunk.agent);
process.stdout.write('ready\n');
await once(process.stdin, 'data');
const startMs = performance.now();
const doneSeconds: number[] = [];
const queue = [...byAgent.values()];
await Promise.all(
  Array.from({ length: task.atOnce }, async () => {
    for (let own = queue.shift(); own !== undefined; own = queue.shift()) {
      for (const chunk of own) await deliver(chunk);
      doneSeconds.push((performance.now() - startMs) / 1000);
    }
  }),
);
const sum = (of: (chunk: ChunkToSend) => number): number =>
  chunks.reduce((total, chunk) => total + of(chunk), 0);
const result: LoadResult = {
  seconds: (performance.now() - startMs) / 1000,
  events: sum((chunk) => chunk.lines),
  wireBytes: sum((chunk) => chunk.body.length),
  rawBytes: sum((chunk) => chunk.rawBytes),
  waits,
  firstDoneSeconds: doneSeconds[0] ?? 0,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
