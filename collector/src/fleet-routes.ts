/**
 * POST /v1/enroll, /v1/checkin and /v1/rotate-key: who asks, a small JSON body, then fleet; gives the answer.
 * Keeps: a wrong token counts like a wrong key; bodies are small and few in memory; an agent speaks for itself alone.
 */
import {
  type CheckIn,
  checkInSchema,
  enrollRequestSchema,
  FLEET_BODY_BYTES_MAX,
  HEADER,
  type Problem,
  problem,
} from '@launchbeat/ecs-schemas';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import type { z } from 'zod';
import { type Authenticate, parseAuthorization, tooMany } from './admit/authenticate.ts';
import { createFailedKeys, type FailedKeys } from './admit/failed-keys.ts';
import { createInFlight } from './admit/in-flight.ts';
import { readBody } from './admit/read-body.ts';
import { jsonAnswer, type ProblemHeaders, problemAnswer } from './answers.ts';
import type { Connection } from './chunk-route.ts';
import { faultOf } from './commit/postgresql-faults.ts';
import type { Fleet } from './fleet/create-fleet.ts';
import type { Key, KeyStore } from './fleet/keys.ts';

export interface FleetRoutesOptions {
  readonly fleet: Fleet;
  readonly keys: KeyStore;
  readonly authenticate: Authenticate;
  /** The count that `authenticate` uses too. */
  readonly failed: FailedKeys;
  /** Requests a minute of one key; asked with each request. */
  readonly perMinute: () => number;
  /** A body must have come by then; asked with each request. */
  readonly bodyTimeoutMs: () => number;
  readonly log: Log;
}

export interface FleetRoutes {
  enroll(request: Request, connection: Connection): Promise<Response>;
  checkIn(request: Request, connection: Connection): Promise<Response>;
  /** Has no body. */
  rotateKey(request: Request, connection: Connection): Promise<Response>;
}

const IN_FLIGHT_BYTES_MAX = 32 * 1024 * 1024;
const STORE_RETRY_S = 5;
const BUSY_RETRY_S = 2;
const LIMIT_RETRY_S = 60;
const DETAIL_UNITS_MAX = 200;

interface Arrival {
  readonly request: Request;
  readonly connection: Connection;
}

type Refused = { readonly problem: Problem; readonly retryAfterSeconds?: number };
type Given<T> = { readonly value: T } | Refused;

/** Makes both routes. */
export function createFleetRoutes(options: FleetRoutesOptions): FleetRoutes {
  const { fleet, keys, authenticate, failed, log } = options;
  const inFlight = createInFlight(() => IN_FLIGHT_BYTES_MAX);
  const asked = createFailedKeys(options.perMinute);

  async function bodyOf<Schema extends z.ZodType>(
    { request, connection }: Arrival,
    schema: Schema,
  ): Promise<Given<z.infer<Schema>>> {
    const share = inFlight.share();
    try {
      const source = connection.body ?? request;
      const read = await readBody(source, share, options.bodyTimeoutMs(), FLEET_BODY_BYTES_MAX);
      if (read.outcome === 'refused') {
        const busy = read.problem.status === 503;
        return { problem: read.problem, ...(busy ? { retryAfterSeconds: BUSY_RETRY_S } : {}) };
      }
      return parseBody(read.body, schema);
    } finally {
      share.release();
    }
  }

  function tooOften(key: Key): Refused | undefined {
    if (asked.count(key.id) <= options.perMinute()) return undefined;
    const detail = `At most ${options.perMinute()} check-ins a minute.`;
    return { problem: problem('too-many-requests', detail), retryAfterSeconds: LIMIT_RETRY_S };
  }

  /** The key of a check-in is that of its agent; a key that has none yet takes this one. */
  async function own(key: Key, checkIn: CheckIn): Promise<Refused | undefined> {
    const bound = key.agentId ?? checkIn.agent_id;
    const mine =
      bound === checkIn.agent_id &&
      (key.agentId !== undefined || (await keys.bind(key.id, bound)) === 'bound');
    if (mine) return undefined;
    log.warn(
      { 'launchbeat.key.id': key.id, 'agent.id': checkIn.agent_id },
      'Check-in of another agent came under this key and was refused.',
    );
    if (key.agentId !== undefined) {
      const reason = `Key ${key.id} was used for a check-in of agent ${checkIn.agent_id}, which was refused`;
      fleet.noteSecurity({ agentId: key.agentId, kind: 'foreign_agent', reason });
    }
    return { problem: problem('other-agent', 'agent_id is not the one that the key is bound to.') };
  }

  return {
    enroll: async (request, connection) =>
      await answer(connection, log, async () => {
        const { address } = connection;
        if (failed.over(address)) return tooMany();
        const token = parseAuthorization(request.headers.get(HEADER.authorization));
        if (token === undefined) {
          failed.count(address);
          const detail = 'Authorization is missing or not ApiKey base64(token).';
          return { problem: problem('unauthorized', detail) };
        }
        const body = await bodyOf({ request, connection }, enrollRequestSchema);
        if ('problem' in body) return body;
        const outcome = await fleet.enroll(token, body.value);
        if (outcome.outcome === 'done') return { value: outcome.answer };
        if (outcome.problem === 'unauthorized') failed.count(address);
        return { problem: problem(outcome.problem, outcome.detail) };
      }),
    checkIn: async (request, connection) =>
      await answer(connection, log, async () => {
        const who = await authenticate(request.headers, connection.address);
        if (who.outcome === 'refused') return who;
        const often = tooOften(who.key);
        if (often !== undefined) return often;
        const body = await bodyOf({ request, connection }, checkInSchema);
        if ('problem' in body) return body;
        const refused = await own(who.key, body.value);
        if (refused !== undefined) return refused;
        return { value: (await fleet.checkIn(body.value, who.key)).answer };
      }),
    rotateKey: async (request, connection) =>
      await answer(connection, log, async () => {
        const who = await authenticate(request.headers, connection.address);
        if (who.outcome === 'refused') return who;
        const often = tooOften(who.key);
        if (often !== undefined) return often;
        const outcome = await fleet.rotate(who.key);
        return outcome.outcome === 'done'
          ? { value: outcome.answer }
          : { problem: problem(outcome.problem, outcome.detail) };
      }),
  };
}

/** Runs the route; a store that fails is told as something that passes. */
async function answer(
  connection: Connection,
  log: Log,
  route: () => Promise<Given<unknown>>,
): Promise<Response> {
  let given: Given<unknown>;
  try {
    given = await route();
  } catch (err) {
    if (faultOf(err) === 'bug') throw err;
    log.warn({ err }, 'Fleet could not be asked; the agent will try again.');
    given = {
      problem: problem('unavailable', 'PostgreSQL cannot be asked. Try again.'),
      retryAfterSeconds: STORE_RETRY_S,
    };
  }
  if ('value' in given) return jsonAnswer(given.value);
  const headers: ProblemHeaders = {
    retryAfterSeconds: given.retryAfterSeconds,
    close: !connection.complete(),
  };
  return problemAnswer(given.problem, headers);
}

function parseBody<Schema extends z.ZodType>(body: Buffer, schema: Schema): Given<z.infer<Schema>> {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    return { problem: problem('bad-body', 'Body is not JSON.') };
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return { value: parsed.data };
  const [issue] = parsed.error.issues;
  const detail = `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'not valid'}`;
  return { problem: problem('bad-request', detail.slice(0, DETAIL_UNITS_MAX)) };
}
