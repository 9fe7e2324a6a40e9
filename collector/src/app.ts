/**
 * The collector's HTTP face, and the way of a chunk through its stages:
 *
 *   admit    Request → Admission              key, limits, digest, each line looked at
 *   assess   ProcessStart[] → Alert[]         rules; called by commit, pure
 *   commit   Admission → ChunkReceipt         one PostgreSQL transaction
 *   index    CommittedChunk → Elasticsearch   by itself, from memory or the ledger
 *   notify   Alert → Telegram                 by itself, from the outbox
 *   report   states, facts, fates → Elasticsearch   by itself, from an outbox of its own
 *
 * Beside it fleet: who the agents are (enrolment, keys) and how they do (check-ins).
 */
import type { IncomingMessage } from 'node:http';
import {
  CHECK_IN_PATH,
  CHUNKS_PATH,
  ENROLL_PATH,
  problem,
  ROTATE_KEY_PATH,
} from '@launchbeat/ecs-schemas';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { Hono } from 'hono';
import type { Authenticate } from './admit/authenticate.ts';
import { jsonAnswer, problemAnswer } from './answers.ts';
import { answerChunk, type ChunkStages, type Connection } from './chunk-route.ts';
import type { ClientAddresses } from './client-address.ts';
import type { FleetRoutes } from './fleet-routes.ts';
import type { Health } from './health.ts';
import { ROUTES } from './http-routes.ts';
import { openApiDocument } from './openapi.ts';

export interface AppStages extends ChunkStages {
  readonly authenticate: Authenticate;
  readonly fleet: FleetRoutes;
  readonly health: Health;
  /** Absent: the peer is the client. */
  readonly addresses?: ClientAddresses;
  readonly version: string;
  readonly log: Log;
}

/** What @hono/node-server hands in; absent when a test calls app.request(). */
interface Bindings {
  readonly incoming?: IncomingMessage;
}

/** Puts the routes together. */
export function createApp(stages: AppStages): Hono<{ Bindings: Bindings }> {
  const app = new Hono<{ Bindings: Bindings }>();
  const connectionOf = (env: Bindings | undefined, headers: Headers): Connection => {
    const peer = env?.incoming?.socket.remoteAddress ?? 'unknown';
    return {
      address: stages.addresses?.of(peer, headers) ?? peer,
      complete: () => env?.incoming?.complete ?? true,
      ...(env?.incoming === undefined ? {} : { body: env.incoming }),
    };
  };

  app.post(CHUNKS_PATH, (c) =>
    answerChunk(stages, c.req.raw, connectionOf(c.env, c.req.raw.headers)),
  );

  app.post(ENROLL_PATH, (c) =>
    stages.fleet.enroll(c.req.raw, connectionOf(c.env, c.req.raw.headers)),
  );
  app.post(CHECK_IN_PATH, (c) =>
    stages.fleet.checkIn(c.req.raw, connectionOf(c.env, c.req.raw.headers)),
  );
  app.post(ROTATE_KEY_PATH, (c) =>
    stages.fleet.rotateKey(c.req.raw, connectionOf(c.env, c.req.raw.headers)),
  );

  app.get('/v1/whoami', async (c) => {
    const who = await stages.authenticate(
      c.req.raw.headers,
      connectionOf(c.env, c.req.raw.headers).address,
    );
    if (who.outcome === 'refused') return problemAnswer(who.problem, who);
    const { id, agentId = null, name } = who.key;
    return jsonAnswer({ key_id: id, agent_id: agentId, name });
  });

  app.get('/healthz', () => jsonAnswer({ status: 'alive' }));

  app.get('/readyz', async () => {
    const readiness = await stages.health.ready();
    return jsonAnswer(readiness, readiness.ready ? 200 : 503);
  });

  app.get('/metrics', async (c) =>
    c.body(await stages.metrics.text(), 200, { 'Content-Type': stages.metrics.contentType }),
  );

  app.get('/openapi.json', () => jsonAnswer(openApiDocument(stages.version)));

  for (const { path, method } of ROUTES) {
    const allow = method === 'get' ? 'GET, HEAD' : method.toUpperCase();
    app.all(path, () =>
      problemAnswer(problem('method-not-allowed', `${path} has ${allow}.`), { allow }),
    );
  }
  app.notFound(() => problemAnswer(problem('not-found', 'See /openapi.json for the paths.')));
  app.onError((err, c) => {
    stages.log.error({ err, 'url.path': c.req.path }, 'Request failed; this is a bug.');
    return problemAnswer(problem('internal', 'See the log of the collector.'));
  });
  return app;
}
