/**
 * Takes the table of routes that the OpenAPI document is made from, gives docs/http-api.md.
 */
import { PROBLEMS } from '@launchbeat/ecs-schemas';
import { z } from 'zod';
import { ROUTES, type Route } from '../../collector/src/http-routes.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|');

function headers(route: Route): string {
  if (route.headers.length === 0) return '';
  const rows = route.headers.map(
    ({ name, description, required }) =>
      `| \`${name}\` | ${required ? 'yes' : 'no'} | ${cell(description)} |`,
  );
  return `\n| header | required | what |\n|---|---|---|\n${rows.join('\n')}\n`;
}

function answers(route: Route): string {
  const good = route.answers.map(({ status, description, type, schema }) => {
    const shape = schema === undefined ? '' : ` \`${keysOf(schema)}\``;
    return `| ${status} | | ${cell(description)} \`${type}\`${cell(shape)} |`;
  });
  const bad = route.problems.map(
    ([name, then]) =>
      `| ${PROBLEMS[name].status} | \`${name}\` | ${PROBLEMS[name].title}. ${cell(then)} |`,
  );
  return `\n| status | problem | what |\n|---|---|---|\n${[...good, ...bad].join('\n')}\n`;
}

/** `{accepted, duplicates, …}` of an object's schema. */
function keysOf(schema: z.ZodType): string {
  const { properties = {} } = z.toJSONSchema(schema, { unrepresentable: 'any' }) as {
    properties?: Record<string, unknown>;
  };
  return `{${Object.keys(properties).join(', ')}}`;
}

function section(route: Route): string {
  const key = route.key ? ' Needs a key.' : '';
  const body =
    route.body === undefined ? '' : `\nBody (\`${route.body.type}\`): ${route.body.description}\n`;
  return `## ${route.method.toUpperCase()} ${route.path}

${route.summary}. ${route.description}${key}
${headers(route)}${body}${answers(route)}`;
}

/** The page as Markdown. */
export function httpApiPage(): string {
  return `# HTTP API

<!-- Written by \`make docs\`; do not edit by hand. -->

What the collector offers. The machine-readable form is at \`/openapi.json\` (OpenAPI 3.1); both are made from the same table.

A key is sent as in Elasticsearch: \`Authorization: ApiKey <base64 of id:secret>\`. Every answer that is not good is a problem
document (\`application/problem+json\`, RFC 9457) with \`type\`, \`title\`, \`status\` and \`detail\`; the type is
\`urn:launchbeat:problem:<name>\`.

${ROUTES.map(section).join('\n')}`;
}
