/**
 * Reads what the cluster has of the index template, and tells whether it is ours, as we made it, and in force.
 * Keeps: nothing is changed here; set-up-template.ts does.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Client, errors } from '@elastic/elasticsearch';
import {
  indexTemplate,
  STREAMS,
  type StreamKey,
  streamName,
  type TemplateBuild,
  templateName,
} from '@launchbeat/ecs-schemas';

/** As the cluster gives it back. */
export interface ExistingTemplate {
  readonly version?: number;
  readonly priority?: number;
  readonly _meta?: { readonly managed_by?: string; readonly build?: TemplateBuild };
  readonly template?: {
    readonly lifecycle?: { readonly data_retention?: string };
    readonly mappings?: unknown;
  };
}

export const templatePath = (stream: StreamKey): string =>
  `/_index_template/${templateName(stream)}`;

/** The template under our name for a stream; undefined where there is none. Throws what the client throws. */
export async function readTemplate(
  client: Client,
  stream: StreamKey,
): Promise<ExistingTemplate | undefined> {
  try {
    const answer = await client.transport.request<{
      index_templates?: readonly { readonly index_template: ExistingTemplate }[];
    }>({ method: 'GET', path: templatePath(stream) });
    return answer.index_templates?.[0]?.index_template;
  } catch (error) {
    if (error instanceof errors.ResponseError && error.statusCode === 404) return undefined;
    throw error;
  }
}

/** Whether Launchbeat made it. */
export const isOurs = (existing: ExistingTemplate): boolean =>
  existing._meta?.managed_by === 'launchbeat';

/** Whether somebody changed its mapping. Of another version it cannot be told. */
export function isChanged(existing: ExistingTemplate, stream: StreamKey): boolean {
  if (existing.version !== STREAMS[stream].version) return false;
  const { template } = indexTemplate({ build: existing._meta?.build ?? 'ecs', stream }) as {
    template: { mappings: unknown };
  };
  return !isDeepStrictEqual(existing.template?.mappings, template.mappings);
}

interface TemplateHead {
  readonly name: string;
  readonly index_template: {
    readonly index_patterns?: readonly string[];
    readonly priority?: number;
  };
}

/**
 * Names another template that takes one of our streams before ours does: it matches and has a higher priority. Gives a sentence
 * with its mend. (Of equal priority there is none: Elasticsearch refuses the second one.)
 */
export async function findRival(
  client: Client,
  stream: StreamKey,
  namespaces: readonly string[],
  priority: number,
): Promise<string | undefined> {
  const own = templateName(stream);
  const heads =
    'index_templates.name,index_templates.index_template.index_patterns,index_templates.index_template.priority';
  const { index_templates: templates = [] } = await client.transport.request<{
    index_templates?: readonly TemplateHead[];
  }>({ method: 'GET', path: '/_index_template', querystring: { filter_path: heads } });
  for (const { name, index_template: one } of templates) {
    const rank = one.priority ?? 0;
    if (name === own || rank <= priority) continue;
    const taken = namespaces
      .map((namespace) => streamName(stream, namespace))
      .find((it) => (one.index_patterns ?? []).some((pattern) => isMatch(pattern, it)));
    if (taken !== undefined) {
      return `index template ${name} (priority ${rank}) takes ${taken} before ${own} (priority ${priority}) does; lower its priority, or narrow its index_patterns`;
    }
  }
  return undefined;
}

/** Patterns of index templates have `*` alone. */
function isMatch(pattern: string, name: string): boolean {
  const parts = pattern.split('*');
  const first = parts.shift() ?? '';
  const last = parts.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts) {
    const found = name.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return at <= name.length - last.length;
}

type Properties = {
  readonly [name: string]: { readonly type?: string; readonly properties?: Properties };
};

/**
 * Names a field of the stream's newest backing index that has another type than our template gives it: it was made while another
 * template was in force. undefined: none has, or the stream is not there yet.
 */
export async function findWrongField(
  client: Client,
  name: string,
  stream: StreamKey,
  build: TemplateBuild,
): Promise<string | undefined> {
  const found = await client.transport.request<
    Record<string, { readonly mappings?: { readonly properties?: Properties } }>
  >({
    method: 'GET',
    path: `/${encodeURIComponent(name)}/_mapping`,
    querystring: { ignore_unavailable: true },
  });
  const newest = Object.keys(found)
    .sort((a, b) => generation(a) - generation(b))
    .at(-1);
  if (newest === undefined) return undefined;
  const { template } = indexTemplate({ build, stream }) as {
    template: { mappings: { properties: Properties } };
  };
  const wrong = wrongField(template.mappings.properties, found[newest]?.mappings?.properties ?? {});
  return wrong === undefined ? undefined : `field ${wrong} of ${newest}`;
}

/** Backing indices end in a number that rises. */
const generation = (index: string): number => Number(/-(\d+)$/.exec(index)?.[1] ?? 0);

function wrongField(wanted: Properties, found: Properties): string | undefined {
  for (const [name, want] of Object.entries(wanted)) {
    const have = found[name];
    if (have === undefined) continue;
    if ((want.properties === undefined) !== (have.properties === undefined)) return name;
    if (want.properties === undefined) {
      if (want.type !== have.type) return name;
      continue;
    }
    const inner = wrongField(want.properties, have.properties ?? {});
    if (inner !== undefined) return `${name}.${inner}`;
  }
  return undefined;
}
