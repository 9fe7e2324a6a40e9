/**
 * Takes what the config wants of the index template, brings the cluster to it.
 * Keeps: running it again changes nothing; a template that is not ours, or newer than ours, is left alone. Types that the
 * cluster does not know (builds without the x-pack mappers) are found out by asking, not by its version.
 */
import { type Client, errors } from '@elastic/elasticsearch';
import {
  indexTemplate,
  STREAM_KEYS,
  STREAMS,
  type StreamKey,
  streamName,
  TEMPLATE_PRIORITY,
  type TemplateBuild,
  templateName,
} from '@launchbeat/ecs-schemas';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import type { ElasticsearchConfig } from './elasticsearch-config.ts';
import {
  type ExistingTemplate,
  findRival,
  isChanged,
  isOurs,
  readTemplate,
  templatePath,
} from './read-template.ts';
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

/**
 * Looks for the template and changes nothing: `refused` where it is missing, not ours, changed, or another one takes a stream of
 * these namespaces before it.
 */
export async function checkTemplate(
  client: Client,
  namespaces: readonly string[] = [],
  stream: StreamKey = 'starts',
): Promise<TemplateState> {
  return await outcomeOf(async () => {
    const existing = await readTemplate(client, stream);
    if (existing === undefined) {
      return {
        outcome: 'refused',
        reason: `index template ${templateName(stream)} is missing; run "launchbeat-collector setup", or set elasticsearch.template.enabled: false if you keep a template of your own`,
      };
    }
    return (
      foreign(existing, stream) ??
      changed(existing, stream) ??
      (await rival({ client, namespaces, stream }, existing)) ??
      kept(existing, stream)
    );
  });
}

/** Makes or updates the template of a stream, and the retention of its data streams that are there. */
export async function setUpTemplate(
  client: Client,
  config: ElasticsearchConfig,
  log: Log,
  stream: StreamKey = 'starts',
): Promise<TemplateState> {
  return await outcomeOf(async () => {
    const { version } = STREAMS[stream];
    const { namespaces } = config;
    const existing = await readTemplate(client, stream);
    const notOurs = existing === undefined ? undefined : foreign(existing, stream);
    const refused = notOurs ?? (await rival({ client, namespaces, stream }, existing));
    if (refused !== undefined) return refused;
    if ((existing?.version ?? 0) > version && existing !== undefined) {
      log.warn(
        {},
        `Index template ${templateName(stream)} has version ${existing.version}, this collector has ${version}; it is left as it is.`,
      );
      return kept(existing, stream);
    }
    const build = await putTemplate({ client, config, stream }, existing);
    if (existing !== undefined && build === 'as wanted') return kept(existing, stream);
    await updateStreams({ client, config, stream }, existing);
    const action = existing === undefined ? 'created' : 'updated';
    return {
      outcome: 'done',
      action,
      build: build as TemplateBuild,
      detail: `${action} index template ${templateName(stream)}, version ${version}, field types ${build}.`,
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
    const said = failure.reason.split(/; (the user needs|check )/)[0];
    return { outcome: 'refused', reason: `${said}${MENDS[status] ?? ''}` };
  }
}

/** By HTTP status; of others the cluster's own words say enough. */
const MENDS: Readonly<Record<number, string>> = {
  0: '; check elasticsearch.hosts and elasticsearch.ssl',
  401: '; check api_key, or username and password, of elasticsearch',
  403: '; the user needs the cluster privilege manage_index_templates, or set elasticsearch.template.enabled: false',
  404: '; check elasticsearch.hosts',
};

function foreign(existing: ExistingTemplate, stream: StreamKey): TemplateState | undefined {
  if (isOurs(existing)) return undefined;
  return {
    outcome: 'refused',
    reason: `index template ${templateName(stream)} was not made by Launchbeat (no _meta.managed_by); rename or delete it, or set elasticsearch.template.enabled: false to use it as it is`,
  };
}

/** Found by whoever only looks; whoever sets up puts it right. */
function changed(existing: ExistingTemplate, stream: StreamKey): TemplateState | undefined {
  if (!isChanged(existing, stream)) return undefined;
  return {
    outcome: 'refused',
    reason: `index template ${templateName(stream)} was changed by somebody; run "launchbeat-collector setup", or set elasticsearch.template.enabled: false if you keep a template of your own`,
  };
}

interface Claim {
  readonly client: Client;
  readonly namespaces: readonly string[];
  readonly stream: StreamKey;
}

async function rival(
  { client, namespaces, stream }: Claim,
  existing: ExistingTemplate | undefined,
): Promise<TemplateState | undefined> {
  if (namespaces.length === 0) return undefined;
  const priority = existing?.priority ?? TEMPLATE_PRIORITY;
  const reason = await findRival(client, stream, namespaces, priority);
  return reason === undefined ? undefined : { outcome: 'refused', reason };
}

function kept(existing: ExistingTemplate, stream: StreamKey): TemplateState {
  const build = existing._meta?.build ?? 'ecs';
  return {
    outcome: 'done',
    action: 'kept',
    build,
    detail: `index template ${templateName(stream)}, version ${existing.version ?? 'unknown'}, field types ${build}, is up to date.`,
  };
}

/** Which stream's template, where, by which config. */
interface Target {
  readonly client: Client;
  readonly config: ElasticsearchConfig;
  readonly stream: StreamKey;
}

/** Puts the first build that the cluster takes. */
async function putTemplate(
  target: Target,
  existing: ExistingTemplate | undefined,
): Promise<TemplateBuild | 'as wanted'> {
  const { config, stream } = target;
  const wanted = config.template.build;
  const same =
    existing?.version === STREAMS[stream].version &&
    !isChanged(existing, stream) &&
    existing.template?.lifecycle?.data_retention === config.retention;
  if (same && existing._meta?.build === wanted) return 'as wanted';
  if (wanted !== 'auto') {
    await put(target, wanted);
    return wanted;
  }
  if (await knowsEcsTypes(target)) {
    if (same && existing._meta?.build === 'ecs') return 'as wanted';
    await put(target, 'ecs');
    return 'ecs';
  }
  if (same && existing._meta?.build === 'core') return 'as wanted';
  await put(target, 'core');
  return 'core';
}

async function put({ client, config, stream }: Target, build: TemplateBuild): Promise<void> {
  const { retention } = config;
  const body = indexTemplate({ build, stream, ...(retention === undefined ? {} : { retention }) });
  await client.transport.request({ method: 'PUT', path: templatePath(stream), body });
}

/** What Elasticsearch 8 and 9 say of a type whose module is not there. */
const UNKNOWN_TYPE =
  /mapper type \[[a-z_]+\] declared on field .{1,200} does not exist|No handler for type/;

/** Elasticsearch validates the mappings of a simulated template as it does those of a real one. */
async function knowsEcsTypes({ client, stream }: Target): Promise<boolean> {
  try {
    await client.transport.request({
      method: 'POST',
      path: '/_index_template/_simulate',
      // Below every real template: the question is only about its types.
      body: {
        ...indexTemplate({ build: 'ecs', stream }),
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
  { client, config, stream: key }: Target,
  existing: ExistingTemplate | undefined,
): Promise<void> {
  if (existing === undefined) return;
  for (const namespace of config.namespaces) {
    const stream = encodeURIComponent(streamName(key, namespace));
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

/**
 * Makes the data streams that are not there, so that Kibana knows their fields before the first document. Whoever may not make one
 * by hand makes it with its first document.
 */
export async function makeStreams(client: Client, config: ElasticsearchConfig): Promise<void> {
  for (const namespace of config.namespaces) {
    for (const key of STREAM_KEYS) {
      const stream = encodeURIComponent(streamName(key, namespace));
      await unlessMissing(
        client.transport.request({ method: 'PUT', path: `/_data_stream/${stream}` }),
      );
    }
  }
}

/** 400 and 405: no such endpoint in this build, or the stream is there already; 403: may not; 404: no such stream. */
async function unlessMissing(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    const status = error instanceof errors.ResponseError ? (error.statusCode ?? 0) : 0;
    if (![400, 403, 404, 405].includes(status)) throw error;
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
