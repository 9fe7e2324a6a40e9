/**
 * The HTTP API as a table; openapi.ts makes the OpenAPI document from it, and docs/http-api.md is written from it.
 * Keeps: schemas are those that the code validates with, never a copy.
 */
import {
  CHECK_IN_PATH,
  CHUNKS_PATH,
  checkInAnswerSchema,
  checkInSchema,
  chunkReceiptSchema,
  ENCODINGS,
  ENROLL_PATH,
  enrollAnswerSchema,
  enrollRequestSchema,
  FACTS_PER_CHECK_IN_MAX,
  FLEET_BODY_BYTES_MAX,
  HEADER,
  LIMIT,
  NDJSON_TYPE,
  type ProblemName,
  ROTATE_KEY_PATH,
  rotateAnswerSchema,
} from '@launchbeat/ecs-schemas';
import { z } from 'zod';

/** One header of a request or an answer. */
export interface RouteHeader {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
}

/** The good answer of a route. */
export interface RouteAnswer {
  readonly status: number;
  readonly description: string;
  readonly type: string;
  /** Absent for text. */
  readonly schema?: z.ZodType;
}

export interface Route {
  readonly method: 'get' | 'post';
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  /** Whether an agent's key is needed. */
  readonly key: boolean;
  readonly headers: readonly RouteHeader[];
  /** What the body is, for those that have one. */
  readonly body?: {
    readonly type: string;
    readonly description: string;
    /** Absent for lines. */
    readonly schema?: z.ZodType;
  };
  readonly answers: readonly RouteAnswer[];
  /** Problems that the route answers with, and what the agent does then. */
  readonly problems: readonly (readonly [name: ProblemName, then: string])[];
}

export const whoamiSchema = z.object({
  key_id: z.string(),
  agent_id: z.uuid().nullable().describe('Null before the first chunk under this key.'),
  name: z.string(),
});

const checkSchema = z.object({ ok: z.boolean(), detail: z.string() });

export const readinessSchema = z.object({
  ready: z.boolean(),
  checks: z.object({ postgresql: checkSchema, elasticsearch: checkSchema.optional() }),
});

const QUARANTINE = 'Agent: puts the chunk into quarantine and goes on.';
const RETRY = 'Agent: sends it again, at the earliest after Retry-After.';
const SLOWLY = 'Agent: keeps its files, tries again slowly, says so once an hour.';
const json = 'application/json';

export const ROUTES: readonly Route[] = [
  {
    method: 'post',
    path: CHUNKS_PATH,
    summary: 'Send a chunk of events',
    description:
      'Takes whole lines of NDJSON. 200 comes only when everything valid in it is committed. The same chunk may be sent ' +
      'again at any time and gets the same receipt. Bad lines are reported by number; the others are stored.',
    key: true,
    headers: [
      { name: HEADER.contentType, description: NDJSON_TYPE, required: true },
      { name: HEADER.contentEncoding, description: ENCODINGS.join(' or '), required: true },
      {
        name: HEADER.contentDigest,
        description: 'sha-256=:<base64>: of the bytes as sent (RFC 9530)',
        required: true,
      },
      {
        name: HEADER.lines,
        description: `number of lines that come out, 1 to ${LIMIT.chunkLinesMax}`,
        required: true,
      },
      {
        name: HEADER.idempotencyKey,
        description: '<segment>@<first byte>-<last byte>: names the chunk within its agent',
        required: true,
      },
    ],
    body: {
      type: NDJSON_TYPE,
      description:
        `One ProcessStart a line, each ended by LF, compressed. At most ${LIMIT.compressedBytesMax} bytes compressed, ` +
        `${LIMIT.decompressedBytesMax} decompressed, ${LIMIT.lineBytesMax} a line, JSON ${LIMIT.jsonDepthMax} levels deep. ` +
        'agent.id of every line must be the one that the key is bound to; the first chunk binds a new key. ' +
        'One data_stream.namespace a chunk, among those that the collector takes.',
    },
    answers: [{ status: 200, description: 'Committed.', type: json, schema: chunkReceiptSchema }],
    problems: [
      ['bad-request', QUARANTINE],
      ['bad-digest', QUARANTINE],
      ['bad-lines', QUARANTINE],
      ['bad-body', QUARANTINE],
      ['unauthorized', SLOWLY],
      ['other-agent', SLOWLY],
      ['other-host', SLOWLY],
      ['timeout', RETRY],
      ['conflict', 'Agent: puts the chunk into quarantine; two PCs may share one agent id.'],
      ['too-large', 'Agent: sends halves. Also for lines of two namespaces in one chunk.'],
      [
        'bad-encoding',
        `${HEADER.acceptEncoding} has what is taken. Agent: compresses with that from then on; if it does already, puts the chunk into quarantine.`,
      ],
      ['nothing-valid', QUARANTINE],
      ['too-many-requests', RETRY],
      ['internal', RETRY],
      ['unavailable', RETRY],
    ],
  },
  {
    method: 'post',
    path: ENROLL_PATH,
    summary: 'Enrol an agent',
    description:
      'Gives an agent a key of its own for an enrolment token, which stands in Authorization as a key does. May be asked again ' +
      'with the same token until the key is used for the first time.',
    key: true,
    headers: [],
    body: {
      type: json,
      description: `Who enrols, at most ${FLEET_BODY_BYTES_MAX} bytes: {agent_id, name, version, host: {name, os}}.`,
      schema: enrollRequestSchema,
    },
    answers: [
      { status: 200, description: 'The agent has a key.', type: json, schema: enrollAnswerSchema },
    ],
    problems: [
      ['bad-request', 'Body has not what it should.'],
      ['bad-body', 'Body is not JSON.'],
      ['unauthorized', 'Counts like a wrong key.'],
      ['token-refused', 'It is expired, used up or revoked.'],
      ['timeout', 'Try again.'],
      ['agent-known', 'Only a token made with --known-agents gives it another key.'],
      ['too-large', 'Send less.'],
      ['too-many-requests', 'Too many wrong keys or tokens from this address.'],
      ['internal', 'Try again.'],
      ['unavailable', 'PostgreSQL cannot be asked.'],
    ],
  },
  {
    method: 'post',
    path: CHECK_IN_PATH,
    summary: 'Tell how an agent does',
    description:
      'Each agent, each minute: version, host, spool, lag, counters, and the health facts since the check-in before. 200 comes ' +
      'when every fact is stored; a fact that is sent again (same id) changes nothing. The answer has the time of the collector.',
    key: true,
    headers: [],
    body: {
      type: json,
      description:
        `At most ${FLEET_BODY_BYTES_MAX} bytes and ${FACTS_PER_CHECK_IN_MAX} facts. agent_id must be the one that the key is ` +
        'bound to; a new key is bound to it.',
      schema: checkInSchema,
    },
    answers: [{ status: 200, description: 'Stored.', type: json, schema: checkInAnswerSchema }],
    problems: [
      ['bad-request', 'Agent: says so once and goes on shipping.'],
      ['bad-body', 'Agent: says so once and goes on shipping.'],
      ['unauthorized', 'Agent: tries again with its next check-in.'],
      ['other-agent', 'Agent: tries again with its next check-in.'],
      ['timeout', 'Agent: tries again with its next check-in.'],
      ['too-large', 'Agent: sends fewer facts.'],
      ['too-many-requests', 'Agent: tries again after Retry-After.'],
      ['internal', 'Agent: tries again with its next check-in.'],
      ['unavailable', 'Agent: tries again with its next check-in.'],
    ],
  },
  {
    method: 'post',
    path: ROTATE_KEY_PATH,
    summary: 'Get a new key in the place of the one in use',
    description:
      'For an agent whose check-in was answered with rotate_key: true. Both keys are good until the new one is used for the first ' +
      'time. Who asks again before that gets another one, and the one before is dropped.',
    key: true,
    headers: [],
    answers: [{ status: 200, description: 'The new key.', type: json, schema: rotateAnswerSchema }],
    problems: [
      ['unauthorized', 'Agent: tries again after its next check-in.'],
      ['rotation-not-asked', 'Agent: keeps its key.'],
      ['too-many-requests', 'Agent: tries again after its next check-in.'],
      ['internal', 'Agent: tries again after its next check-in.'],
      ['unavailable', 'Agent: tries again after its next check-in.'],
    ],
  },
  {
    method: 'get',
    path: '/v1/whoami',
    summary: 'Ask what a key is',
    description: 'For `launchbeat test output`: whether the key is right, and whose it is.',
    key: true,
    headers: [],
    answers: [{ status: 200, description: 'The key.', type: json, schema: whoamiSchema }],
    problems: [
      ['unauthorized', 'Key is unknown, wrong or revoked.'],
      ['too-many-requests', 'Too many wrong keys from this address.'],
      ['unavailable', 'PostgreSQL cannot be asked.'],
    ],
  },
  {
    method: 'get',
    path: '/healthz',
    summary: 'Ask whether the process is alive',
    description: 'Asks no store.',
    key: false,
    headers: [],
    answers: [
      {
        status: 200,
        description: 'Alive.',
        type: json,
        schema: z.object({ status: z.literal('alive') }),
      },
    ],
    problems: [],
  },
  {
    method: 'get',
    path: '/readyz',
    summary: 'Ask whether chunks are taken',
    description:
      'Ready means: PostgreSQL answers and has the tables. Elasticsearch is told but does not count.',
    key: false,
    headers: [],
    answers: [
      { status: 200, description: 'Ready.', type: json, schema: readinessSchema },
      { status: 503, description: 'Not ready.', type: json, schema: readinessSchema },
    ],
    problems: [],
  },
  {
    method: 'get',
    path: '/metrics',
    summary: 'Counters of every stage',
    description: "Prometheus' text format. Names begin with launchbeat_collector_.",
    key: false,
    headers: [],
    answers: [{ status: 200, description: 'The counters.', type: 'text/plain' }],
    problems: [],
  },
  {
    method: 'get',
    path: '/openapi.json',
    summary: 'This description',
    description: 'OpenAPI 3.1.',
    key: false,
    headers: [],
    answers: [{ status: 200, description: 'The document.', type: json, schema: z.looseObject({}) }],
    problems: [],
  },
];
