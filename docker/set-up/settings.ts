/**
 * Takes the environment of the set-up container, gives its settings.
 * Keeps: everything that is missing or unusable is named in one error, without the value of a secret; addresses and folders
 * are those of docker/compose.yaml.
 */
import type { Environment } from '../../ecs-schemas/src/beat/environment.ts';
import type { CertificateSettings } from './certificates.ts';
import type { ElasticsearchSettings } from './elasticsearch.ts';
import type { DatabaseSettings } from './postgresql.ts';

export interface Settings {
  readonly certificates: CertificateSettings;
  readonly postgresql: DatabaseSettings;
  readonly elasticsearch: ElasticsearchSettings;
}

/** Stands unescaped in a URL, in a shell and in .env. Elasticsearch wants six characters; twelve is no burden for a generator. */
const PASSWORD = /^[A-Za-z0-9]{12,}$/;

/** Reads what docker/compose.yaml passes. Throws an Error that names every variable to mend. */
export function readSettings(environment: Environment): Settings {
  const wrong: string[] = [];
  const password = (name: string): string => {
    const value = environment[name] ?? '';
    if (!PASSWORD.test(value)) wrong.push(`${name} must be 12 or more letters and digits`);
    return value;
  };
  const hosts = (environment['COLLECTOR_HOSTS'] ?? '')
    .split(',')
    .map((host) => host.trim())
    .filter((host) => host !== '');
  if (hosts.length === 0) wrong.push('COLLECTOR_HOSTS must name this machine as agents reach it');
  const settings: Settings = {
    certificates: {
      authorityFolder: '/var/lib/launchbeat/authority',
      folder: '/var/lib/launchbeat/certificates',
      hosts,
    },
    postgresql: {
      superuserUrl: `postgres://postgres:${password('POSTGRES_PASSWORD')}@postgresql:5432/postgres`,
      password: password('LAUNCHBEAT_POSTGRESQL_PASSWORD'),
    },
    elasticsearch: {
      url: 'http://elasticsearch:9200',
      superuserPassword: password('ELASTIC_PASSWORD'),
      kibanaPassword: password('KIBANA_SYSTEM_PASSWORD'),
      collectorPassword: password('LAUNCHBEAT_ELASTICSEARCH_PASSWORD'),
    },
  };
  if (wrong.length > 0) throw new Error(`docker/.env: ${wrong.join('; ')}.`);
  return settings;
}
