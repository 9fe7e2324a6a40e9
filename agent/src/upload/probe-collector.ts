/**
 * Takes the config of the output, gives step by step whether events could be shipped: name, port, TLS, collector, key.
 * Keeps: nothing is sent but two GET requests; every failure says in words what to mend.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { z } from 'zod';
import type { Answer, HttpExchange } from './http-exchange.ts';

export interface ProbeStep {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

export interface ProbeResult {
  readonly ok: boolean;
  /** In order; the last one is the first that failed, if any did. */
  readonly steps: readonly ProbeStep[];
}

const whoSchema = z.looseObject({ key_id: z.string(), agent_id: z.string().nullable() });

type Step = readonly [name: string, run: () => Promise<{ ok: boolean; detail: string }>];

/** Asks the collector whether it is there and knows the key of this agent. */
export async function probeCollector(
  url: string,
  http: HttpExchange,
  agentId: string,
): Promise<ProbeResult> {
  const { protocol, hostname } = new URL(url);
  const plan: readonly Step[] = [
    ['dns lookup', () => resolveName(hostname.replace(/^\[|\]$/g, ''))],
    [
      protocol === 'https:' ? 'connect, TLS, GET /healthz' : 'connect, GET /healthz',
      async () =>
        healthOf(await http.exchange({ method: 'GET', path: '/healthz', anonymous: true })),
    ],
    [
      'key, GET /v1/whoami',
      async () => keyOf(await http.exchange({ method: 'GET', path: '/v1/whoami' }), agentId),
    ],
  ];
  const steps: ProbeStep[] = [];
  for (const [name, run] of plan) {
    const { ok, detail } = await run();
    steps.push({ name, ok, detail });
    if (!ok) return { ok: false, steps };
  }
  return { ok: true, steps };
}

async function resolveName(host: string): Promise<{ ok: boolean; detail: string }> {
  if (isIP(host) !== 0) return { ok: true, detail: `OK (${host} is an address)` };
  try {
    const found = await lookup(host, { all: true });
    return { ok: true, detail: `OK (${found.map((one) => one.address).join(', ')})` };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return {
      ok: false,
      detail: `ERROR ${host} is not known to DNS (${code}): see output.collector.url`,
    };
  }
}

function healthOf(answer: Answer): { ok: boolean; detail: string } {
  if (answer.outcome === 'no_answer') return { ok: false, detail: `ERROR ${answer.reason}` };
  if (answer.status === 200) return { ok: true, detail: 'OK' };
  return {
    ok: false,
    detail: `ERROR answer ${answer.status} ${answer.text}: what answers there is no healthy collector; see output.collector.url`,
  };
}

function keyOf(answer: Answer, agentId: string): { ok: boolean; detail: string } {
  if (answer.outcome === 'no_answer') return { ok: false, detail: `ERROR ${answer.reason}` };
  if (answer.status === 401) {
    return {
      ok: false,
      detail:
        'ERROR the collector does not know this key, or it was revoked; see output.collector.api_key',
    };
  }
  const who = whoSchema.safeParse(answer.body);
  if (answer.status !== 200 || !who.success) {
    return {
      ok: false,
      detail: `ERROR answer ${answer.status} ${answer.text} is none of a collector`,
    };
  }
  const bound = who.data.agent_id;
  if (bound !== null && bound !== agentId) {
    return {
      ok: false,
      detail: `ERROR key ${who.data.key_id} belongs to agent ${bound}, this one is ${agentId}: give it a key of its own`,
    };
  }
  const owner = bound === null ? 'not bound yet, the first events bind it' : `agent ${bound}`;
  return { ok: true, detail: `OK (key ${who.data.key_id}, ${owner})` };
}
