/**
 * The parts of undici that the way to the collector is made of, and their types.
 * The whole package brings a browser's fetch, caches, mocks and WebSockets, which cost each idle agent 13 MiB of memory.
 */
import { setFlagsFromString } from 'node:v8';
import type { Agent, buildConnector, Dispatcher } from 'undici';
// @ts-expect-error as above
import requestPart from 'undici/lib/api/api-request.js';
// @ts-expect-error undici types its whole package only.
import connectPart from 'undici/lib/core/connect.js';
// @ts-expect-error as above
import agentPart from 'undici/lib/dispatcher/agent.js';

// undici's parser of HTTP is WebAssembly. V8's second compiler for it takes 12 MiB that it never gives back.
setFlagsFromString('--no-wasm-dynamic-tiering');
setFlagsFromString('--no-wasm-tier-up');

export type { Agent, buildConnector } from 'undici';

/** undici's `new Agent(…)`. */
export const newAgent = (options: Agent.Options): Agent =>
  new (agentPart as new (given: Agent.Options) => Agent)(options);

/** undici's `agent.request(…)`. */
export const requestBy = (
  agent: Agent,
  options: Dispatcher.RequestOptions,
): Promise<Dispatcher.ResponseData<unknown>> =>
  (requestPart as typeof Agent.prototype.request).call(agent, options);

/** undici's `buildConnector(…)`. */
export const newConnector: typeof buildConnector = connectPart as typeof buildConnector;
