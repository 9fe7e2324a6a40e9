/**
 * The HTTP API as a table, and the OpenAPI 3.1 document made from it; docs/http-api.md is written from the same table.
 * Keeps: schemas are those that the code validates with, never a copy.
 */
import {
  CHUNKS_PATH,
  chunkReceiptSchema,
  ENCODINGS,
  HEADER,
  LIMIT,
  NDJSON_TYPE,
  PROBLEM_TYPE,
  PROBLEMS,
  type ProblemName,
  problemSchema,
  processStartSchema,
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
  readonly body?: { readonly type: string; readonly description: string };
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
      ['timeout', RETRY],
      ['conflict', 'Agent: puts the chunk into quarantine; two PCs may share one agent id.'],
      ['too-large', 'Agent: sends halves. Also for lines of two namespaces in one chunk.'],
      ['bad-encoding', QUARANTINE],
      ['nothing-valid', QUARANTINE],
      ['too-many-requests', RETRY],
      ['internal', RETRY],
      ['unavailable', RETRY],
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

type Json = { readonly [key: string]: unknown };

/** The OpenAPI 3.1 document; `version` is the collector's. */
export function openApiDocument(version: string): Json {
  const paths: Record<string, Json> = {};
  for (const route of ROUTES) {
    paths[route.path] = { ...paths[route.path], [route.method]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Launchbeat collector', version, license: { name: 'Apache-2.0' } },
    paths,
    components: {
      securitySchemes: {
        apiKey: {
          type: 'apiKey',
          in: 'header',
          name: HEADER.authorization,
          description: 'ApiKey base64(id:secret), as in Elasticsearch',
        },
      },
      schemas: {
        ProcessStart: jsonSchema(processStartSchema),
        Problem: jsonSchema(problemSchema),
      },
    },
  };
}

function operation(route: Route): Json {
  return {
    summary: route.summary,
    description: route.description,
    ...(route.key ? { security: [{ apiKey: [] }] } : {}),
    ...(route.headers.length === 0 ? {} : { parameters: route.headers.map(parameter) }),
    ...(route.body === undefined ? {} : { requestBody: requestBody(route.body) }),
    responses: { ...goodAnswers(route), ...problemAnswers(route) },
  };
}

function parameter({ name, description, required }: RouteHeader): Json {
  return { in: 'header', name, description, required, schema: { type: 'string' } };
}

function requestBody({ type, description }: { type: string; description: string }): Json {
  const schema = {
    type: 'string',
    description: 'Lines of #/components/schemas/ProcessStart.',
  };
  return { required: true, description, content: { [type]: { schema } } };
}

function goodAnswers(route: Route): Json {
  return Object.fromEntries(
    route.answers.map(({ status, description, type, schema }) => [
      String(status),
      {
        description,
        content: {
          [type]: { schema: schema === undefined ? { type: 'string' } : jsonSchema(schema) },
        },
      },
    ]),
  );
}

/** Several problems may have one status: they share its answer. */
function problemAnswers(route: Route): Json {
  const byStatus = new Map<number, string[]>();
  for (const [name, then] of route.problems) {
    const { status, title } = PROBLEMS[name];
    byStatus.set(status, [...(byStatus.get(status) ?? []), `${name}: ${title}. ${then}`]);
  }
  const content = { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } };
  return Object.fromEntries(
    [...byStatus].map(([status, lines]) => [
      String(status),
      { description: lines.join('\n'), ...retryHeader(status), content },
    ]),
  );
}

function retryHeader(status: number): Json {
  if (status !== 429 && status !== 503) return {};
  const description = 'Seconds';
  return { headers: { [HEADER.retryAfter]: { description, schema: { type: 'integer' } } } };
}

function jsonSchema(schema: z.ZodType): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
}
