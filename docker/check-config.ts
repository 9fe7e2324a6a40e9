/**
 * Takes the collector's config of the container beside compose.yaml and the Dockerfile, gives what does not fit together as
 * sentences; none = right.
 * Keeps: the config is loaded by the collector's own schema with the environment that compose.yaml gives it.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { type CollectorConfig, collectorConfigSchema } from '../collector/src/config.ts';
import { ConfigError } from '../ecs-schemas/src/beat/config-problem.ts';
import { byteSize } from '../ecs-schemas/src/beat/config-values.ts';
import { loadConfig } from '../ecs-schemas/src/beat/load-config.ts';
import { dataStreamName } from '../ecs-schemas/src/process-start.ts';
import {
  COMPOSE,
  CONFIG,
  type Compose,
  type DeploymentFiles,
  DOCKERFILE,
  ENV_EXAMPLE,
  interpolate,
  mountsOf,
  readCompose,
  readDockerfile,
  readEnvironmentFile,
} from './deployment.ts';
import { type CertificateSettings, FOR_COLLECTOR } from './set-up/certificates.ts';
import { COLLECTOR_ROLE, COLLECTOR_USER } from './set-up/elasticsearch.ts';
import { readSettings, type Settings } from './set-up/settings.ts';

/** What a user fills in. */
const FILLED = 'filled0in0by0the0check';
/** A token of Telegram has a form. */
const FILLED_TOKEN: Readonly<Record<string, string>> = { LAUNCHBEAT_TELEGRAM_TOKEN: '123456:ABC' };
/** Beside what the config bounds: Node.js itself, requests that are parsed, connections. */
const PROCESS_BYTES = 256 * 1024 ** 2;

/** Everything that does not fit. `root` is the repository's folder. */
export function configProblems(files: DeploymentFiles, root: string): string[] {
  const compose = readCompose(files[COMPOSE] ?? '');
  const filled = Object.fromEntries(
    [...readEnvironmentFile(files[ENV_EXAMPLE] ?? '')].map(([name, value]) => [
      name,
      value === '' ? (FILLED_TOKEN[name] ?? FILLED) : value,
    ]),
  );
  const environment = environmentOf(compose, 'collector', filled);
  const loaded = load(files[CONFIG] ?? '', environment);
  const settings = settle(environmentOf(compose, 'setup', filled));
  return [
    ...variableProblems(files[CONFIG] ?? '', environment),
    ...folderProblems(compose, root),
    ...(Array.isArray(loaded)
      ? loaded
      : [
          ...portProblems(loaded, compose, files[DOCKERFILE] ?? ''),
          ...(Array.isArray(settings)
            ? settings
            : [
                ...storeProblems(loaded, compose, settings),
                ...fileProblems(loaded, compose, settings.certificates),
              ]),
          ...memoryProblems(
            loaded,
            interpolate(compose.services['collector']?.mem_limit ?? '', {}),
          ),
        ]),
  ];
}

function environmentOf(
  compose: Compose,
  service: string,
  filled: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(compose.services[service]?.environment ?? {}).map(([name, value]) => [
      name,
      interpolate(value, filled),
    ]),
  );
}

/** The config, or what the collector would say about it. */
function load(text: string, environment: Record<string, string>): CollectorConfig | string[] {
  const folder = mkdtempSync(join(tmpdir(), 'launchbeat-docker-'));
  try {
    const file = join(folder, 'collector.yml');
    writeFileSync(file, text);
    return loadConfig({ file, schema: collectorConfigSchema, environment });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${CONFIG}: ${path}: ${message}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The settings of the set-up, or what it would say about them. */
function settle(environment: Record<string, string>): Settings | string[] {
  try {
    return readSettings(environment);
  } catch (error) {
    return [(error as Error).message];
  }
}

function variableProblems(text: string, environment: Readonly<Record<string, string>>): string[] {
  const used = [...text.matchAll(/\$\{([A-Z_]+)/g)].map((match) => match[1] ?? '');
  return [
    ...used
      .filter((name) => !(name in environment))
      .map((name) => `${CONFIG} uses ${name}, which the service collector does not get`),
    ...Object.keys(environment)
      .filter((name) => !used.includes(name))
      .map((name) => `the service collector gets ${name}, which ${CONFIG} does not use`),
  ];
}

/** The folder that the program is told is the one into which compose.yaml mounts both config files. */
function folderProblems(compose: Compose, root: string): string[] {
  const told = /--path\.config (\S+)/.exec(
    readFileSync(join(root, 'docker/launchbeat-collector'), 'utf8'),
  )?.[1];
  return ['setup', 'collector'].flatMap((name) => {
    const targets = mountsOf(compose.services[name] ?? { image: '' }).map((mount) => mount.target);
    return ['collector.yml', 'alerts.yml']
      .filter((file) => !targets.includes(`${told}/${file}`))
      .map((file) => `${name}: ${file} is not mounted in ${told}`);
  });
}

function portProblems(config: CollectorConfig, compose: Compose, dockerfile: string): string[] {
  const instructions = readDockerfile(dockerfile);
  const text = (name: string): string =>
    instructions.find((instruction) => instruction.name === name)?.text ?? '';
  const health = /https?:\/\/[^"]+/.exec(text('HEALTHCHECK'))?.[0] ?? 'http://none:0';
  const published = (compose.services['collector']?.ports ?? []).map((port) =>
    port.split(':').at(-1),
  );
  const { port } = config.http;
  return [
    ...(published.includes(String(port)) ? [] : [`port ${port} of ${CONFIG} is not published`]),
    ...(text('EXPOSE') === String(port) ? [] : [`EXPOSE is not ${port}`]),
    ...(new URL(health).port === String(port)
      ? []
      : [`the health check does not ask port ${port}`]),
    ...(new URL(health).pathname === '/healthz' ? [] : ['the health check does not ask /healthz']),
    ...(config.http.host === '0.0.0.0' ? [] : [`${CONFIG}: http.host must be 0.0.0.0`]),
  ];
}

function storeProblems(config: CollectorConfig, compose: Compose, settings: Settings): string[] {
  const stream = dataStreamName('default');
  const url = new URL(config.postgresql.url);
  const allowed = COLLECTOR_ROLE.indices.flatMap(({ names }) => [...names]);
  return [
    ...[config.postgresql.url, settings.postgresql.superuserUrl].flatMap((one) =>
      addressProblems(one, '5432', compose),
    ),
    ...[...config.elasticsearch.hosts, settings.elasticsearch.url].flatMap((one) =>
      addressProblems(one, '9200', compose),
    ),
    ...(url.username === 'launchbeat' && url.pathname === '/launchbeat'
      ? []
      : [`${CONFIG}: role or database is not the one that the set-up makes`]),
    ...(url.password === settings.postgresql.password &&
    config.elasticsearch.password === settings.elasticsearch.collectorPassword
      ? []
      : [`${CONFIG}: a password is not the one that the set-up sets`]),
    ...(config.elasticsearch.username === COLLECTOR_USER
      ? []
      : [`${CONFIG}: elasticsearch.username is not the one that the set-up makes`]),
    ...(allowed.some((name) => stream.startsWith(name.replace(/\*$/, '')))
      ? []
      : [`the collector's role does not cover ${stream}`]),
  ];
}

function addressProblems(url: string, port: string, compose: Compose): string[] {
  const address = new URL(url);
  const service = compose.services[address.hostname];
  if (service === undefined) return [`${address.hostname} is no service of ${COMPOSE}`];
  const inner = (service.ports ?? []).map((one) => one.split(':').at(-1));
  return inner.includes(port) && (address.port === port || address.port === '')
    ? []
    : [`${address.host} is not a port of ${address.hostname}`];
}

/** Files that the config names lie in a mount that the set-up fills. */
function fileProblems(
  config: CollectorConfig,
  compose: Compose,
  certificates: CertificateSettings,
): string[] {
  const volumeAt = (name: string, folder: string): string | undefined =>
    mountsOf(compose.services[name] ?? { image: '' }).find((mount) => mount.target === folder)
      ?.source;
  const { certificate, key } = config.http.tls ?? {};
  const files = [certificate, key].filter((value) => value !== undefined);
  const readers = mountsOf(compose.services['collector'] ?? { image: '' });
  const authority = volumeAt('setup', certificates.authorityFolder);
  return [
    ...(files.length === 0 ? [`${CONFIG}: http.tls is missing`] : []),
    ...files.flatMap((file) => {
      const volume = volumeAt('collector', posix.dirname(file));
      if (volume === undefined) return [`${CONFIG}: ${file} lies in no volume of the collector`];
      return volume === volumeAt('setup', certificates.folder) &&
        FOR_COLLECTOR.includes(posix.basename(file))
        ? []
        : [`${CONFIG}: ${file} is not written by the set-up`];
    }),
    ...(authority === undefined ? ["the set-up has no volume for the CA's key"] : []),
    ...readers
      .filter((mount) => mount.source === authority || mount.read_only !== true)
      .map((mount) => `collector: ${mount.target} must be read-only and without the CA's key`),
    ...(config.logging.to_files || !config.logging.to_stderr
      ? [`${CONFIG}: the log must go to stderr, the file system is read-only`]
      : []),
  ];
}

function memoryProblems(config: CollectorConfig, limit: string): string[] {
  const wanted =
    config.admit.in_flight_bytes_max + config.elasticsearch.queue.max_bytes + PROCESS_BYTES;
  // Compose writes 1g where configs write 1GiB.
  const bytes = byteSize('0').parse(limit.replace(/^(\d+)([kmg])$/, '$1$2ib'));
  return bytes >= wanted
    ? []
    : [
        `collector: mem_limit ${limit} is below the ${Math.ceil(wanted / 1024 ** 2)}m of its queues`,
      ];
}
