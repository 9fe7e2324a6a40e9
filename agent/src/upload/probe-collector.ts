/**
 * Takes the config of the output, gives step by step whether events could be shipped: name, port, TLS, collector, key.
 * Keeps: nothing is sent but two GET requests; every failure says in words what to mend.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { z } from 'zod';
import { SKEW_MS_MAX, skewWords } from './clock-skew.ts';
import type { Collector } from './failover-exchange.ts';
import type { Answer } from './http-exchange.ts';
import type { OutputConfig } from './output-config.ts';

export interface ProbeStep {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

export interface ProbeResult {
  /** Every collector can be used. */
  readonly ok: boolean;
  /** One at least can be used. */
  readonly usable: boolean;
  /** In order; the last one of a collector is the first that failed, if any did. */
  readonly steps: readonly ProbeStep[];
}

/** Asks each collector in turn; with several, the name of a step begins with the URL. */
export async function probeCollectors(
  collectors: readonly Collector[],
  config: Pick<OutputConfig, 'api_key' | 'proxy_url' | 'ssl'>,
  agentId: string,
): Promise<ProbeResult> {
  const results: ProbeResult[] = [];
  for (const { url, http } of collectors) {
    const result = await probeCollector({ url, http }, config, agentId);
    const named = result.steps.map((step) => ({ ...step, name: `${url}: ${step.name}` }));
    results.push(collectors.length === 1 ? result : { ...result, steps: named });
  }
  return {
    ok: results.every((one) => one.ok),
    usable: results.some((one) => one.ok),
    steps: results.flatMap((one) => one.steps),
  };
}

const whoSchema = z.looseObject({ key_id: z.string(), agent_id: z.string().nullable() });

type Step = readonly [name: string, run: () => Promise<{ ok: boolean; detail: string }>];

/** Asks the collector whether it is there and knows the key of this agent. */
async function probeCollector(
  { url, http }: Collector,
  config: Pick<OutputConfig, 'api_key' | 'proxy_url' | 'ssl'>,
  agentId: string,
): Promise<ProbeResult> {
  const { protocol } = new URL(url);
  // Through a proxy it is the proxy that looks up the collector's name.
  const first = new URL(config.proxy_url ?? url).hostname.replace(/^\[|\]$/g, '');
  let health: Answer | undefined;
  const plan: readonly Step[] = [
    [
      config.proxy_url === undefined ? 'dns lookup' : 'dns lookup of the proxy',
      () => resolveName(first),
    ],
    [
      protocol === 'https:' ? 'connect, TLS, GET /healthz' : 'connect, GET /healthz',
      async () => {
        health = await http.exchange({ method: 'GET', path: '/healthz', anonymous: true });
        return healthOf(health, protocol === 'https:' && config.ssl.certificate === undefined);
      },
    ],
    ['clock', async () => clockOf(health)],
    [
      'key, GET /v1/whoami',
      async () =>
        config.api_key === ''
          ? { ok: true, detail: 'WARN none yet: the agent gets one for its enrolment token' }
          : keyOf(await http.exchange({ method: 'GET', path: '/v1/whoami' }), agentId),
    ],
  ];
  const steps: ProbeStep[] = [];
  for (const [name, run] of plan) {
    const { ok, detail } = await run();
    steps.push({ name, ok, detail });
    if (!ok) return { ok: false, usable: false, steps };
  }
  return { ok: true, usable: true, steps };
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

/** `bare`: TLS without a client certificate; servers that want one close the connection without another word. */
function healthOf(answer: Answer, bare: boolean): { ok: boolean; detail: string } {
  if (answer.outcome === 'no_answer') {
    const hint =
      bare && answer.reason.includes('broken off')
        ? '. Does it want a client certificate (output.collector.ssl.certificate)?'
        : '';
    return { ok: false, detail: `ERROR ${answer.reason}${hint}` };
  }
  if (answer.status === 200) return { ok: true, detail: 'OK' };
  return {
    ok: false,
    detail: `ERROR answer ${answer.status} ${answer.text}: what answers there is no healthy collector; see output.collector.url`,
  };
}

/** A clock that is wrong keeps no event from being shipped: it is said, and goes on. */
function clockOf(answer: Answer | undefined): { ok: boolean; detail: string } {
  const dateMs = answer?.outcome === 'answered' ? answer.dateMs : undefined;
  if (dateMs === undefined) return { ok: true, detail: 'not known, the answer has no Date' };
  const skewMs = Date.now() - dateMs;
  if (Math.abs(skewMs) <= SKEW_MS_MAX) return { ok: true, detail: 'OK (less than a minute apart)' };
  return { ok: true, detail: `WARN ${skewWords(skewMs)} See the time service of both.` };
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
