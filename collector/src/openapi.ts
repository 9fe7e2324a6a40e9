/**
 * The OpenAPI 3.1 document, made from the table of routes.
 */
import {
  HEADER,
  PROBLEM_TYPE,
  PROBLEMS,
  problemSchema,
  processStartSchema,
} from '@launchbeat/ecs-schemas';
import { z } from 'zod';
import { ROUTES, type Route, type RouteHeader } from './http-routes.ts';

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

function requestBody({ type, description, schema }: NonNullable<Route['body']>): Json {
  const lines = { type: 'string', description: 'Lines of #/components/schemas/ProcessStart.' };
  const shape = schema === undefined ? lines : jsonSchema(schema);
  return { required: true, description, content: { [type]: { schema: shape } } };
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
