/**
 * Takes the superuser's password, sets Kibana's password and makes the collector's role and user in Elasticsearch.
 * Keeps: the collector may write and read its own data streams and look at index templates, nothing else; an answer that
 * comes while the cluster is still starting is waited out.
 * Source: "Security privileges" and "Security APIs" of Elastic's reference.
 */
import { setTimeout as delay } from 'node:timers/promises';

export interface ElasticsearchSettings {
  readonly url: string;
  /** Of `elastic`. */
  readonly superuserPassword: string;
  /** Of `kibana_system`. */
  readonly kibanaPassword: string;
  /** Of the collector's user. */
  readonly collectorPassword: string;
  /** Between attempts while the cluster starts; default 2000. */
  readonly retryDelayMs?: number;
}

/** Name of the collector's user and of its role, as in docker/collector.yml. */
export const COLLECTOR_USER = 'launchbeat_collector';

/** What the collector may do. */
export const COLLECTOR_ROLE = {
  cluster: [
    // Health and version.
    'monitor',
    // It indexes nothing before the template is right. `manage_index_templates` would let it change every template.
    'indices:admin/index_template/get',
  ],
  indices: [
    {
      names: [
        'logs-system.security_launchbeat-*',
        'logs-launchbeat.health-*',
        'logs-launchbeat.alerts-*',
      ],
      privileges: [
        // `_bulk` create makes the data stream at its first document.
        'auto_configure',
        'create_doc',
        // An outcome that is not known is looked up: refresh, then a search for ids.
        'maintenance',
        'read',
        'view_index_metadata',
      ],
    },
  ],
} as const;

const ATTEMPTS_MAX = 30;
const RETRY_DELAY_MS = 2000;
const TIMEOUT_MS = 30_000;

/** Makes or updates all three; says what it did. Throws an Error with Elasticsearch's reason and the mend. */
export async function ensureElasticsearchUsers(settings: ElasticsearchSettings): Promise<string> {
  await send(settings, 'POST', '/_security/user/kibana_system/_password', {
    password: settings.kibanaPassword,
  });
  await send(settings, 'PUT', `/_security/role/${COLLECTOR_USER}`, COLLECTOR_ROLE);
  await send(settings, 'PUT', `/_security/user/${COLLECTOR_USER}`, {
    password: settings.collectorPassword,
    roles: [COLLECTOR_USER],
    full_name: 'Launchbeat collector',
  });
  return `user ${COLLECTOR_USER} with its role is there, passwords as in .env.`;
}

async function send(
  settings: ElasticsearchSettings,
  method: string,
  path: string,
  body: object,
): Promise<void> {
  const request = {
    method,
    headers: {
      authorization: `Basic ${btoa(`elastic:${settings.superuserPassword}`)}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
  };
  for (let attempt = 1; ; attempt += 1) {
    const answer = await ask(new URL(path, settings.url), request);
    if (answer === 'done') return;
    if (!answer.retry || attempt === ATTEMPTS_MAX) {
      throw new Error(`Elasticsearch: ${method} ${path}: ${answer.reason}`);
    }
    await delay(settings.retryDelayMs ?? RETRY_DELAY_MS);
  }
}

type Answer = 'done' | { readonly retry: boolean; readonly reason: string };

async function ask(url: URL, request: RequestInit): Promise<Answer> {
  try {
    const response = await fetch(url, { ...request, signal: AbortSignal.timeout(TIMEOUT_MS) });
    const text = await response.text();
    if (response.ok) return 'done';
    return response.status === 401
      ? { retry: false, reason: REFUSED }
      : { retry: response.status >= 429, reason: `answered ${response.status}: ${text}` };
  } catch (error) {
    const { cause, message } = error as Error;
    return { retry: true, reason: cause instanceof Error ? cause.message : message };
  }
}

const REFUSED =
  'the superuser is refused. ELASTIC_PASSWORD counts at the first start only; put the one of that day into docker/.env, or change it with elasticsearch-reset-password.';
