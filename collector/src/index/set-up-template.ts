/**
 * Takes what the config wants of the index template, brings the cluster to it.
 * Keeps: running it again changes nothing; a template that is not ours, or newer than ours, is left alone. Types that the
 * cluster does not know (builds without the x-pack mappers) are found out by asking, not by its version.
 */
import { type Client, errors } from '@elastic/elasticsearch';
import {
  dataStreamName,
  indexTemplate,
  TEMPLATE_NAME,
  TEMPLATE_VERSION,
  type TemplateBuild,
} from '@launchbeat/ecs-schemas';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import type { ElasticsearchConfig } from './elasticsearch-config.ts';
import { errorReason, explainFailure, type Failure, shorten } from './request-outcome.ts';

export type TemplateState =
  | {
      readonly outcome: 'done';
      readonly action: TemplateAction;
      readonly build: TemplateBuild;
      readonly detail: string;
    }
  /** The cluster cannot be asked now. */
  | { readonly outcome: 'retry'; readonly failure: Failure }
  /** A person must decide. */
  | { readonly outcome: 'refused'; readonly reason: string };

export type TemplateAction = 'created' | 'updated' | 'kept';

interface ExistingTemplate {
  readonly version?: number;
  readonly _meta?: { readonly managed_by?: string; readonly build?: TemplateBuild };
  readonly template?: { readonly lifecycle?: { readonly data_retention?: string } };
}

const PATH = `/_index_template/${TEMPLATE_NAME}`;

/** Looks for the template and changes nothing: `refused` where it is missing or not ours. */
export async function checkTemplate(client: Client): Promise<TemplateState> {
  return await outcomeOf(async () => {
    const existing = await readTemplate(client);
    if (existing === undefined) {
      return {
        outcome: 'refused',
        reason: `index template ${TEMPLATE_NAME} is missing; run "launchbeat-collector setup", or set elasticsearch.template.enabled: false if you keep a template of your own`,
      };
    }
    return foreign(existing) ?? kept(existing);
  });
}

/** Makes or updates the template, and the retention of the streams that are there. */
export async function setUpTemplate(
  client: Client,
  config: ElasticsearchConfig,
  log: Log,
): Promise<TemplateState> {
  return await outcomeOf(async () => {
    const existing = await readTemplate(client);
    const notOurs = existing === undefined ? undefined : foreign(existing);
    if (notOurs !== undefined) return notOurs;
    if ((existing?.version ?? 0) > TEMPLATE_VERSION && existing !== undefined) {
      log.warn(
        {},
        `Index template ${TEMPLATE_NAME} has version ${existing.version}, this collector has ${TEMPLATE_VERSION}; it is left as it is.`,
      );
      return kept(existing);
    }
    const build = await putTemplate(client, config, existing);
    if (existing !== undefined && build === 'as wanted') return kept(existing);
    await updateStreams(client, config, existing);
    const action = existing === undefined ? 'created' : 'updated';
    return {
      outcome: 'done',
      action,
      build: build as TemplateBuild,
      detail: `${action} index template ${TEMPLATE_NAME}, version ${TEMPLATE_VERSION}, field types ${build}.`,
    };
  });
}

async function outcomeOf(ask: () => Promise<TemplateState>): Promise<TemplateState> {
  try {
    return await ask();
  } catch (error) {
    const failure = explainFailure(error);
    const { status, kind } = failure;
    if (kind !== 'needs_person') return { outcome: 'retry', failure };
    const mend =
      status === 403
        ? '; the user needs the cluster privilege manage_index_templates, or set elasticsearch.template.enabled: false'
        : '';
    return { outcome: 'refused', reason: `${failure.reason.split('; the user needs')[0]}${mend}` };
  }
}

async function readTemplate(client: Client): Promise<ExistingTemplate | undefined> {
  try {
    const answer = await client.transport.request<{
      index_templates?: readonly { readonly index_template: ExistingTemplate }[];
    }>({ method: 'GET', path: PATH });
    return answer.index_templates?.[0]?.index_template;
  } catch (error) {
    if (error instanceof errors.ResponseError && error.statusCode === 404) return undefined;
    throw error;
  }
}

function foreign(existing: ExistingTemplate): TemplateState | undefined {
  if (existing._meta?.managed_by === 'launchbeat') return undefined;
  return {
    outcome: 'refused',
    reason: `index template ${TEMPLATE_NAME} was not made by Launchbeat (no _meta.managed_by); rename or delete it, or set elasticsearch.template.enabled: false to use it as it is`,
  };
}

function kept(existing: ExistingTemplate): TemplateState {
  const build = existing._meta?.build ?? 'ecs';
  return {
    outcome: 'done',
    action: 'kept',
    build,
    detail: `index template ${TEMPLATE_NAME}, version ${existing.version ?? 'unknown'}, field types ${build}, is up to date.`,
  };
}

/** Puts the first build that the cluster takes. */
async function putTemplate(
  client: Client,
  config: ElasticsearchConfig,
  existing: ExistingTemplate | undefined,
): Promise<TemplateBuild | 'as wanted'> {
  const wanted = config.template.build;
  const same =
    existing?.version === TEMPLATE_VERSION &&
    existing.template?.lifecycle?.data_retention === config.retention;
  if (same && existing._meta?.build === wanted) return 'as wanted';
  if (wanted !== 'auto') {
    await put(client, wanted, config.retention);
    return wanted;
  }
  if (await knowsEcsTypes(client)) {
    if (same && existing._meta?.build === 'ecs') return 'as wanted';
    await put(client, 'ecs', config.retention);
    return 'ecs';
  }
  if (same && existing._meta?.build === 'core') return 'as wanted';
  await put(client, 'core', config.retention);
  return 'core';
}

async function put(
  client: Client,
  build: TemplateBuild,
  retention: string | undefined,
): Promise<void> {
  const body = indexTemplate({ build, ...(retention === undefined ? {} : { retention }) });
  await client.transport.request({ method: 'PUT', path: PATH, body });
}

/** What Elasticsearch 8 and 9 say of a type whose module is not there. */
const UNKNOWN_TYPE =
  /mapper type \[[a-z_]+\] declared on field .{1,200} does not exist|No handler for type/;

/** Elasticsearch validates the mappings of a simulated template as it does those of a real one. */
async function knowsEcsTypes(client: Client): Promise<boolean> {
  try {
    await client.transport.request({
      method: 'POST',
      path: '/_index_template/_simulate',
      // Below every real template: the question is only about its types.
      body: {
        ...indexTemplate({ build: 'ecs' }),
        index_patterns: ['launchbeat-types-*'],
        priority: 0,
      },
    });
    return true;
  } catch (error) {
    if (!(error instanceof errors.ResponseError) || error.statusCode !== 400) throw error;
    if (UNKNOWN_TYPE.test(JSON.stringify(error.body))) return false;
    throw error;
  }
}

/**
 * A template speaks of streams to come. Those that are there get its retention, and its mapping with their next backing index.
 * Builds without the data stream API, and streams that are not there yet, have nothing to update.
 */
async function updateStreams(
  client: Client,
  config: ElasticsearchConfig,
  existing: ExistingTemplate | undefined,
): Promise<void> {
  if (existing === undefined) return;
  for (const namespace of config.namespaces) {
    const stream = encodeURIComponent(dataStreamName(namespace));
    await unlessMissing(
      client.transport.request({
        method: 'PUT',
        path: `/_data_stream/${stream}/_lifecycle`,
        body: config.retention === undefined ? {} : { data_retention: config.retention },
      }),
    );
    await unlessMissing(client.transport.request({ method: 'POST', path: `/${stream}/_rollover` }));
  }
}

/** 400 and 405: no such endpoint in this build; 404: no such stream. */
async function unlessMissing(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    const status = error instanceof errors.ResponseError ? (error.statusCode ?? 0) : 0;
    if (status !== 400 && status !== 404 && status !== 405) throw error;
  }
}

/** What the cluster says of itself, in one line. Throws what the client throws. */
export async function describeCluster(client: Client): Promise<string> {
  const health = await client.transport.request<{ cluster_name?: string; status?: string }>({
    method: 'GET',
    path: '/_cluster/health',
    querystring: { filter_path: 'cluster_name,status' },
  });
  const version = await client.transport
    .request<{ nodes?: Record<string, { version?: string }> }>({
      method: 'GET',
      path: '/_nodes',
      querystring: { filter_path: 'nodes.*.version' },
    })
    .then((answer) =>
      [...new Set(Object.values(answer.nodes ?? {}).map((node) => node.version))].join(', '),
    )
    .catch((error: unknown) =>
      shorten(error instanceof errors.ResponseError ? (errorReason(error.body) ?? '') : ''),
    );
  return `Elasticsearch ${version || '(version not told)'}, cluster ${health.cluster_name ?? '?'} is ${health.status ?? '?'}`;
}
