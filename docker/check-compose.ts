/**
 * Takes compose.yaml and .env.example, gives what is wrong with them as sentences; none = right.
 * Keeps: what a person would find out only by starting it: names that lead nowhere, ports open to the world, containers with
 * more rights than they need, secrets where a process list shows them.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  COMPOSE,
  type Compose,
  type DeploymentFiles,
  ENV_EXAMPLE,
  interpolate,
  mountsOf,
  readCompose,
  readEnvironmentFile,
  type Service,
  variablesOf,
} from './deployment.ts';

type Named = readonly [name: string, service: Service];

/** Services that take no connection from outside this machine. */
const LOOPBACK_ONLY = (name: string): boolean => name !== 'collector';
/** Their file system can be read-only; Elasticsearch and Kibana write beside their data. */
const READ_ONLY = ['collector', 'setup', 'postgresql'];
const SECRET = /_(PASSWORD|KEY|TOKEN)$/;
/** A secret that may stay empty: Telegram can be off. */
const OPTIONAL_SECRET = 'LAUNCHBEAT_TELEGRAM_TOKEN';
const PINNED = /:\d+\.\d+(\.\d+)?(-[a-z]+)*$/;

/** Everything that is wrong with the compose file. `root` is the repository's folder. */
export function composeProblems(files: DeploymentFiles, root: string): string[] {
  const text = files[COMPOSE] ?? '';
  const compose = readCompose(text);
  const environment = readEnvironmentFile(files[ENV_EXAMPLE] ?? '');
  const services = Object.entries(compose.services);
  return [
    ...variableProblems(text, files[ENV_EXAMPLE] ?? '', environment),
    ...volumeProblems(compose, root, Object.fromEntries(environment)),
    ...versionProblems(compose),
    ...services.flatMap((named) => [
      ...imageProblems(named),
      ...dependencyProblems(named, compose),
      ...portProblems(named, Object.fromEntries(environment)),
      ...hardeningProblems(named),
      ...commandProblems(named),
    ]),
  ];
}

function variableProblems(
  text: string,
  example: string,
  environment: ReadonlyMap<string, string>,
): string[] {
  const used = variablesOf(text);
  const names = new Set(used.map((use) => use.name));
  const lines = example.split('\n');
  const bare = [...environment.keys()].filter((name) => {
    let row = lines.findIndex((line) => line.startsWith(`${name}=`)) - 1;
    while (/^[A-Z_]+=/.test(lines[row] ?? '')) row -= 1;
    return !/^# [^-]/.test(lines[row] ?? '');
  });
  const secrets = [...environment].filter(([name]) => SECRET.test(name));
  const optional = used.filter((use) => SECRET.test(use.name) && !use.required);
  return [
    ...[...names]
      .filter((name) => !environment.has(name))
      .map((name) => `${COMPOSE} uses ${name}, which is not in ${ENV_EXAMPLE}`),
    ...[...environment.keys()]
      .filter((name) => !names.has(name))
      .map((name) => `${ENV_EXAMPLE} has ${name}, which ${COMPOSE} does not use`),
    ...bare.map((name) => `${ENV_EXAMPLE}: ${name} has no comment above it`),
    ...secrets
      .filter(([, value]) => value !== '')
      .map(
        ([name]) => `${ENV_EXAMPLE}: ${name} must be empty, so that nobody runs with a known one`,
      ),
    ...optional
      .filter((use) => use.name !== OPTIONAL_SECRET)
      .map((use) => `${COMPOSE}: ${use.name} must be required (:?)`),
  ];
}

function volumeProblems(
  compose: Compose,
  root: string,
  environment: Readonly<Record<string, string>>,
): string[] {
  const mounts = Object.values(compose.services).flatMap(mountsOf);
  const named = mounts.filter((mount) => mount.type === 'volume').map((mount) => mount.source);
  const declared = Object.keys(compose.volumes);
  const binds = mounts.filter((mount) => mount.type === 'bind');
  const postgres = mountsOf(compose.services['postgresql'] ?? { image: '' });
  return [
    ...named
      .filter((name) => !declared.includes(name))
      .map((name) => `volume ${name} is not declared`),
    ...declared
      .filter((name) => !named.includes(name))
      .map((name) => `volume ${name} is used by no service`),
    ...binds
      .map((mount) => interpolate(mount.source, environment))
      .filter((source) => !existsSync(join(root, 'docker', source)))
      .map((source) => `bind mount of ${source}: there is no such file`),
    ...binds
      .filter((mount) => mount.bind?.create_host_path !== false || mount.read_only !== true)
      .map((mount) => `bind mount of ${mount.source} must be read-only and must not be made up`),
    // Since 18; see the image's page under PGDATA.
    ...(postgres.some((mount) => mount.target === '/var/lib/postgresql')
      ? []
      : ['postgresql: nothing is mounted at /var/lib/postgresql, so its data would be lost']),
  ];
}

function versionProblems(compose: Compose): string[] {
  const versions = ['elasticsearch', 'kibana'].map(
    (name) => compose.services[name]?.image.split(':')[1],
  );
  return new Set(versions).size === 1 ? [] : ['elasticsearch and kibana must be of one version'];
}

function imageProblems([name, service]: Named): string[] {
  return service.build !== undefined || PINNED.test(service.image)
    ? []
    : [`${name}: image ${service.image} is not pinned to a version`];
}

function dependencyProblems([name, service]: Named, compose: Compose): string[] {
  return Object.entries(service.depends_on ?? {}).flatMap(([other, { condition }]) => {
    const target = compose.services[other];
    if (target === undefined) return [`${name} depends on ${other}, which does not exist`];
    const healthy = target.healthcheck?.test !== undefined;
    if (condition === 'service_healthy' && !healthy) {
      return [`${name} waits for the health of ${other}, which has no health check`];
    }
    return condition === 'service_completed_successfully' && target.restart !== 'no'
      ? [`${name} waits for the end of ${other}, which is restarted`]
      : [];
  });
}

function portProblems([name, service]: Named, environment: Readonly<Record<string, string>>) {
  return (service.ports ?? []).flatMap((port) =>
    [environment, {}].flatMap((values) => {
      const [address, outer, inner] = interpolate(port, values).split(':');
      if (inner === undefined || !/^\d+$/.test(outer ?? '')) {
        return [`${name}: port ${port} must be address:port:port`];
      }
      return LOOPBACK_ONLY(name) && address !== '127.0.0.1'
        ? [`${name}: port ${port} is not bound to loopback by default`]
        : [];
    }),
  );
}

function hardeningProblems([name, service]: Named): string[] {
  const wants: readonly (readonly [boolean, string])[] = [
    [service.cap_drop?.includes('ALL') === true, 'cap_drop: [ALL]'],
    [service.security_opt?.includes('no-new-privileges:true') === true, 'no-new-privileges'],
    [service.mem_limit !== undefined, 'mem_limit'],
    [service.restart === 'unless-stopped' || name === 'setup', 'restart: unless-stopped'],
    [service.logging !== undefined, 'logging with a bound'],
    [service.read_only === true || !READ_ONLY.includes(name), 'read_only: true'],
    // The image of PostgreSQL starts as root unless told otherwise.
    [name !== 'postgresql' || /^[1-9]\d*:[1-9]\d*$/.test(service.user ?? ''), 'user'],
  ];
  return wants.filter(([there]) => !there).map(([, what]) => `${name}: ${what} is missing`);
}

/** `docker inspect` and `ps` show these to everybody on the machine. */
function commandProblems([name, service]: Named): string[] {
  const words = [
    ...(service.entrypoint ?? []),
    ...(service.command ?? []),
    ...(service.healthcheck?.test ?? []),
  ].join(' ');
  return variablesOf(words).some((use) => SECRET.test(use.name))
    ? [`${name}: a secret stands on a command line`]
    : [];
}
