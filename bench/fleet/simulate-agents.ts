/**
 * A program that is a fleet of agents: keep-alive over HTTPS, own keys, one chunk of an agent at a time. First each has one event a
 * second for a while and sends what it has; then each has a backlog at once and drains it, while calm agents beside them have one
 * event a second. 429 and 503 are waited out.
 * Reads its task as JSON from FLEET_TASK, prints `ready`, begins at the first line of standard input, prints the result as JSON.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import {
  apiKeyAuthorization,
  CHUNKS_PATH,
  contentDigest,
  HEADER,
  idempotencyKey,
  NDJSON_TYPE,
} from '@launchbeat/ecs-schemas';
import { createAgentLines, type SimulatedAgent } from '../collector/chunks.ts';

export interface FleetTask {
  readonly url: string;
  readonly caFile: string;
  readonly agents: readonly SimulatedAgent[];
  /** Those that have one event a second while the others drain. */
  readonly calm: readonly SimulatedAgent[];
  readonly namespace: string;
  /** How long each agent has one event a second. */
  readonly seconds: number;
  /** Events of each agent afterwards, at once. */
  readonly backlog: number;
  /** A chunk is cut at so many uncompressed bytes. */
  readonly chunkBytes: number;
}

export interface FleetResult {
  /** How often each status came; `none` = no answer. */
  readonly answers: Readonly<Record<string, number>>;
  /** Lines that a receipt called new, and known. */
  readonly accepted: number;
  readonly duplicates: number;
  /** Receipts and events of the first part. */
  readonly trickled: { readonly chunks: number; readonly events: number };
  /** From event to receipt in the first part, ms. */
  readonly delayMs: Delay;
  /** The same of the calm agents while the others drain. */
  readonly calmDelayMs: Delay;
  /** From the beginning of the backlog to an agent's last receipt. */
  readonly drainSeconds: { readonly fastest: number; readonly slowest: number };
  /** The same, counted in receipts of all agents instead of seconds. */
  readonly drainReceipts: { readonly fastest: number; readonly slowest: number };
}

export interface Delay {
  readonly median: number;
  readonly p99: number;
}

const SEGMENT = 'launchbeat.20260302.1.ndjson';
const KINDS = 500;
const BACKOFF_MS_MAX = 60_000;
/** Agents compress in their own thread; here all share one, so a quick level. */
const compress = promisify(zstdCompress);

const task = JSON.parse(process.env['FLEET_TASK'] ?? '{}') as FleetTask;
const https = new Agent({ keepAlive: true, maxSockets: Infinity, ca: readFileSync(task.caFile) });
const lineOf = createAgentLines(KINDS, task.namespace);
const answers: Record<string, number> = {};
let [accepted, duplicates, receipts] = [0, 0, 0];

interface Line {
  readonly bytes: Buffer;
  readonly atMs: number;
}

interface Played {
  readonly agent: SimulatedAgent;
  readonly waiting: Line[];
  /** From event to receipt, ms. */
  readonly delaysMs: number[];
  made: number;
  sentBytes: number;
}

const give = (played: Played, count: number): void => {
  for (let n = 0; n < count; n += 1) {
    const bytes = Buffer.from(lineOf(played.agent.agentId, played.made));
    played.waiting.push({ bytes, atMs: performance.now() });
    played.made += 1;
  }
};

type Answer = { readonly status: string; readonly retryAfterMs: number; readonly text: string };

function post(headers: Record<string, string>, body: Buffer): Promise<Answer> {
  return new Promise((resolve) => {
    const none = { status: 'none', retryAfterMs: 1000, text: '' };
    const asked = request(
      `${task.url}${CHUNKS_PATH}`,
      { method: 'POST', agent: https, headers },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        const retryAfterMs = Number(answer.headers['retry-after'] ?? 1) * 1000;
        answer.on('end', () => resolve({ status: String(answer.statusCode), retryAfterMs, text }));
        answer.on('error', () => resolve(none));
      },
    );
    asked.on('error', () => resolve(none));
    asked.end(body);
  });
}

/** Sends what waits, as one chunk, until it has its receipt; as a real agent does, always the same bytes. */
async function sendChunk(played: Played): Promise<void> {
  const { agent, waiting } = played;
  let [count, bytes] = [0, 0];
  for (const line of waiting) {
    if (count > 0 && bytes + line.bytes.length > task.chunkBytes) break;
    count += 1;
    bytes += line.bytes.length;
  }
  const lines = waiting.slice(0, count);
  const raw = Buffer.concat(lines.map((line) => line.bytes));
  // As the agent does: a frame says its size.
  const body = await compress(raw, { pledgedSrcSize: raw.length });
  const [id = '', secret = ''] = agent.apiKey.split(':');
  const headers = {
    [HEADER.authorization]: apiKeyAuthorization(id, secret),
    [HEADER.contentType]: NDJSON_TYPE,
    [HEADER.contentEncoding]: 'zstd',
    [HEADER.contentDigest]: contentDigest(body),
    [HEADER.lines]: String(count),
    [HEADER.idempotencyKey]: idempotencyKey(
      SEGMENT,
      played.sentBytes,
      played.sentBytes + raw.length - 1,
    ),
    'content-length': String(body.length),
  };
  for (let backoffMs = 1000; ; backoffMs = Math.min(BACKOFF_MS_MAX, backoffMs * 2)) {
    const { status, retryAfterMs, text } = await post(headers, body);
    answers[status] = (answers[status] ?? 0) + 1;
    if (status === '200') {
      const receipt = JSON.parse(text) as { accepted: number; duplicates: number };
      accepted += receipt.accepted;
      duplicates += receipt.duplicates;
      break;
    }
    await delay(Math.max(retryAfterMs, backoffMs) * (0.5 + Math.random()));
  }
  receipts += 1;
  const nowMs = performance.now();
  for (const line of waiting.splice(0, count)) played.delaysMs.push(nowMs - line.atMs);
  played.sentBytes += raw.length;
}

/** One event a second until it is over, each agent at its own moment of it; what waits when a receipt is there goes together. */
async function trickle(played: Played, over: Promise<unknown>): Promise<void> {
  await delay(Math.random() * 1000);
  let ended = false;
  let wake = Promise.withResolvers<void>();
  const timer = setInterval(() => {
    give(played, 1);
    wake.resolve();
  }, 1000);
  const end = over.then(() => {
    clearInterval(timer);
    ended = true;
    wake.resolve();
  });
  while (!ended || played.waiting.length > 0) {
    if (played.waiting.length === 0) {
      await wake.promise;
      wake = Promise.withResolvers<void>();
    } else await sendChunk(played);
  }
  await end;
}

const asPlayed = (agent: SimulatedAgent): Played => ({
  ...{ agent, waiting: [], delaysMs: [], made: 0, sentBytes: 0 },
});
function delayOf(some: readonly Played[]): Delay {
  const sorted = some.flatMap((played) => played.delaysMs).sort((one, two) => one - two);
  const percentile = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { median: percentile(0.5), p99: percentile(0.99) };
}

const fleet = task.agents.map(asPlayed);
const calm = task.calm.map(asPlayed);
process.stdout.write('ready\n');
await once(process.stdin, 'data');
await Promise.all(fleet.map((played) => trickle(played, delay(task.seconds * 1000))));
const delayMs = delayOf(fleet);
const trickled = { chunks: receipts, events: accepted + duplicates };
for (const played of fleet) give(played, task.backlog);
process.stdout.write('backlog\n');
const startMs = performance.now();
receipts = 0;
const drained = Promise.withResolvers<void>();
const calmEnd = calm.map((played) => trickle(played, drained.promise));
const done = await Promise.all(
  fleet.map(async (played) => {
    while (played.waiting.length > 0) await sendChunk(played);
    return { seconds: (performance.now() - startMs) / 1000, receipts };
  }),
);
drained.resolve();
await Promise.all(calmEnd);
const range = (of: (one: { seconds: number; receipts: number }) => number) => ({
  fastest: Math.min(...done.map(of)),
  slowest: Math.max(...done.map(of)),
});
const result: FleetResult = {
  ...{ answers, accepted, duplicates, delayMs, calmDelayMs: delayOf(calm), trickled },
  drainSeconds: range((one) => one.seconds),
  drainReceipts: range((one) => one.receipts),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
