/**
 * What an attack is made against: the real collector program over HTTPS on a real PostgreSQL, with keys of agents, ways to send to
 * it rightly and wrongly, and what the kernel says of its memory.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { zstdCompressSync } from 'node:zlib';
import { CHUNKS_PATH } from '@launchbeat/ecs-schemas';
import { openDatabase } from '../../collector/src/commit/database.ts';
import { createKeyStore, type NewKey } from '../../collector/src/fleet/keys.ts';
import { chunkHeaders } from '../support/collector-app.ts';
import { ndjsonLines, processStart } from '../support/documents.ts';
import { installLaunchbeat } from '../support/launchbeat.ts';
import type { Program } from '../support/processes.ts';

export interface AttackAgent {
  readonly agentId: string;
  readonly key: NewKey;
}

export interface AttackSite {
  readonly agents: readonly AttackAgent[];
  readonly collector: Program;
  /** Sends a request; gives its status, or how the connection ended. */
  send(options: Sent): Promise<string>;
  /** A chunk that is right in every way. Gives its status and how long it took. */
  sendGood(agent: AttackAgent): Promise<{ readonly status: string; readonly ms: number }>;
  /** A connection, with TLS or bare. */
  socket(kind: 'tls' | 'tcp'): Socket;
  /** Memory in MiB: now, and the most since the last call. */
  memory(): { readonly nowMiB: number; readonly peakMiB: number };
  stop(): Promise<void>;
}

export interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

const AGENTS = 16;
const SEND_TIMEOUT_MS = 60_000;

/** Starts it. `bodyTimeout` is shortened, so that slow bodies are seen to their end. */
export async function startSite(
  folder: string,
  postgresUrl: string,
  bodyTimeout: string,
): Promise<AttackSite> {
  const installation = await installLaunchbeat({
    ...{ folder, postgresUrl, namespace: 'default' },
    collector: { admit: { body_timeout: bodyTimeout } },
  });
  const collector = await installation.startCollector();
  const ca = readFileSync(installation.caFile);
  const agents = await makeAgents(postgresUrl);
  const { port } = installation;
  const keepAlive = new Agent({ keepAlive: true, ca, maxSockets: 64 });

  const send = ({ method = 'POST', path = CHUNKS_PATH, headers = {}, body }: Sent) =>
    new Promise<string>((resolve) => {
      const asked = request(
        {
          ...{ host: 'localhost', port, agent: keepAlive, method, path, timeout: SEND_TIMEOUT_MS },
          headers: {
            ...headers,
            ...(body === undefined ? {} : { 'content-length': String(body.length) }),
          },
        },
        (answer) => {
          answer.resume();
          answer.on('end', () => resolve(String(answer.statusCode)));
          answer.on('error', () => resolve('closed'));
        },
      );
      asked.on('timeout', () => asked.destroy());
      asked.on('error', () => resolve('closed'));
      asked.end(body);
    });

  return {
    agents,
    collector,
    send,
    async sendGood({ agentId, key }) {
      const agent = { ...processStart({}).agent, id: agentId };
      const raw = ndjsonLines([processStart({ agent })]);
      const body = zstdCompressSync(raw);
      const startMs = performance.now();
      const status = await send({ headers: chunkHeaders(key, raw, body), body });
      return { status, ms: performance.now() - startMs };
    },
    socket(kind) {
      const socket =
        kind === 'tls'
          ? connectTls({ host: 'localhost', port, ca })
          : connectTcp({ host: 'localhost', port });
      return socket.on('error', () => undefined);
    },
    memory: () => memoryOf(collector.pid),
    async stop() {
      keepAlive.destroy();
      const end = await collector.stop();
      if (end.code !== 0) throw new Error(`The collector ended with ${end.code}.`);
    },
  };
}

async function makeAgents(url: string): Promise<AttackAgent[]> {
  const sql = openDatabase({ url, connections_max: 2 });
  try {
    const keys = createKeyStore(sql);
    return await Promise.all(
      Array.from({ length: AGENTS }, async (_, number) => {
        const agentId = randomUUID();
        return { agentId, key: await keys.create({ name: `PC ${number}`, agentId }) };
      }),
    );
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** Source: proc(5): writing 5 to clear_refs sets VmHWM back to what is resident now. */
function memoryOf(pid: number): { readonly nowMiB: number; readonly peakMiB: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mib = (key: string): number =>
    Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024;
  const found = { nowMiB: mib('VmRSS'), peakMiB: mib('VmHWM') };
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  return found;
}
