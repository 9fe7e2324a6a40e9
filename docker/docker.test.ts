/**
 * Goal: nobody finds out by starting it that the containers do not fit together. Method: the files of this folder are read as
 * what they are and compared with each other, with the collector's schema and with the tree; then each check is shown a
 * mistake that it must name. No container is started.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../tests/support/temporary-folder.ts';
import { composeProblems } from './check-compose.ts';
import { configProblems } from './check-config.ts';
import { imageProblems, lockProblems, readLock } from './check-image.ts';
import {
  COMPOSE,
  CONFIG,
  type DeploymentFiles,
  DOCKERFILE,
  ENV_EXAMPLE,
  IGNORE,
  readDeployment,
  readEnvironmentFile,
} from './deployment.ts';
import { readSettings } from './set-up/settings.ts';

const ROOT = resolve(import.meta.dirname, '..');
const FILES = readDeployment(ROOT);

const problems = (files: DeploymentFiles): string[] => [
  ...composeProblems(files, ROOT),
  ...imageProblems(files, ROOT),
  ...configProblems(files, ROOT),
];

test('compose.yaml fits .env.example and the tree', () => {
  assert.deepEqual(composeProblems(FILES, ROOT), []);
});

test('the Dockerfile copies and starts what the repository has', () => {
  assert.deepEqual(imageProblems(FILES, ROOT), []);
});

test("docker/collector.yml passes the collector's schema and fits compose.yaml, the image and the set-up", () => {
  assert.deepEqual(configProblems(FILES, ROOT), []);
});

/** A mistake: in which file, what stands there, what it becomes, and what must be said. */
type Mistake = readonly [file: string, before: string | RegExp, after: string, says: RegExp];

const MISTAKES: readonly Mistake[] = [
  [ENV_EXAMPLE, 'KIBANA_PORT=', 'KIBANA_PORTS=', /uses KIBANA_PORT, which is not in/],
  [
    ENV_EXAMPLE,
    'COLLECTOR_PORT=8443',
    'COLLECTOR_PORT=8443\nSPARE=1',
    /has SPARE, which .* does not use/,
  ],
  [ENV_EXAMPLE, 'ELASTIC_PASSWORD=', 'ELASTIC_PASSWORD=changeme', /ELASTIC_PASSWORD must be empty/],
  [ENV_EXAMPLE, /# Token of your bot.*\n/, '\n', /LAUNCHBEAT_TELEGRAM_TOKEN has no comment/],
  [
    COMPOSE,
    /\$\{POSTGRES_PASSWORD:\?[^}]*\}/,
    `\${POSTGRES_PASSWORD:-postgres}`,
    /must be required/,
  ],
  [COMPOSE, 'elasticsearch:9.5.2', 'elasticsearch:latest', /image .*latest is not pinned/],
  [COMPOSE, 'kibana:9.5.2', 'kibana:9.5.1', /must be of one version/],
  [COMPOSE, 'postgres:18.4-bookworm', 'postgres:18', /image postgres:18 is not pinned/],
  [
    COMPOSE,
    'postgresql-data:/var/lib/postgresql',
    'postgresql-data:/var/lib/postgresql/data',
    /data would be lost/,
  ],
  [COMPOSE, '  authority:\n', '', /volume authority is not declared/],
  [
    COMPOSE,
    '  certificates:\n',
    '  certificates:\n  spare:\n',
    /volume spare is used by no service/,
  ],
  [
    COMPOSE,
    'source: ./collector.yml',
    'source: ./config.yml',
    /bind mount of \.\/config\.yml: there is no such file/,
  ],
  [COMPOSE, 'bind: { create_host_path: false }', 'bind: {}', /must not be made up/],
  [
    COMPOSE,
    'elasticsearch: { condition',
    'elastic: { condition',
    /depends on elastic, which does not exist/,
  ],
  [
    COMPOSE,
    'test: [CMD, pg_isready',
    'tests: [CMD, pg_isready',
    /health of postgresql, which has no health check/,
  ],
  [COMPOSE, 'restart: "no"', 'restart: always', /waits for the end of setup, which is restarted/],
  [
    COMPOSE,
    `\${STORES_BIND:-127.0.0.1}:\${POSTGRESQL`,
    `\${STORES_BIND:-0.0.0.0}:\${POSTGRESQL`,
    /not bound to loopback/,
  ],
  [COMPOSE, `\${STORES_BIND:-127.0.0.1}:\${ELASTIC`, `\${ELASTIC`, /must be address:port:port/],
  [ENV_EXAMPLE, 'STORES_BIND=127.0.0.1', 'STORES_BIND=0.0.0.0', /not bound to loopback/],
  [COMPOSE, 'cap_drop: [ALL]', 'cap_drop: []', /elasticsearch: cap_drop/],
  [
    COMPOSE,
    'no-new-privileges:true',
    'no-new-privileges:false',
    /elasticsearch: no-new-privileges/,
  ],
  [COMPOSE, /mem_limit: \$\{KIBANA.*\n/, '\n', /kibana: mem_limit is missing/],
  [COMPOSE, 'user: "999:999"', 'user: "0:0"', /postgresql: user is missing/],
  [COMPOSE, 'shm_size: 256m\n    read_only: true', 'shm_size: 256m', /postgresql: read_only/],
  [
    COMPOSE,
    '--username, postgres',
    `"\${POSTGRES_PASSWORD:?x}"`,
    /a secret stands on a command line/,
  ],
  [COMPOSE, 'set-up/main.ts', 'set-up/index.ts', /set-up\/index\.ts: is not in the image/],
  [COMPOSE, '}:8443', '}:8444', /port 8443 of .* is not published/],
  [COMPOSE, ':ro\n', '\n', /must be read-only/],
  [
    COMPOSE,
    /LAUNCHBEAT_ELASTICSEARCH_PASSWORD: .*\n/,
    'SPARE: a\n',
    /which the service collector does not get/,
  ],
  [
    COMPOSE,
    /LAUNCHBEAT_ELASTICSEARCH_PASSWORD: .*\n/,
    'SPARE: a\n',
    /gets SPARE, which .* does not use/,
  ],
  [COMPOSE, 'COLLECTOR_MEMORY:-1g', 'COLLECTOR_MEMORY:-512m', /mem_limit 512m is below/],
  [COMPOSE, /postgresql:\n {4}image/, 'postgres:\n    image', /postgresql is no service/],
  [
    COMPOSE,
    'target: /etc/launchbeat/alerts.yml',
    'target: /app/alerts.yml',
    /alerts\.yml is not mounted/,
  ],
  [DOCKERFILE, 'USER 1000:1000', 'USER root', /USER must be a number/],
  [DOCKERFILE, 'USER 1000:1000', 'USER 1000:1000\nRUN id', /stands after USER/],
  [DOCKERFILE, 'node:24.21.0-', 'node:24-', /the tests run on Node\.js/],
  [DOCKERFILE, 'COPY agent/package.json agent/\n', '', /COPY agent\/package\.json is missing/],
  [
    DOCKERFILE,
    'COPY collector collector',
    'COPY collectors collector',
    /COPY collectors: there is no such file/,
  ],
  [
    DOCKERFILE,
    'COPY docker/check-health.ts docker/\n',
    '',
    /check-health\.ts: is not in the image/,
  ],
  [DOCKERFILE, /COPY --chmod.*\n/, '', /launchbeat-collector: is not in the image/],
  [DOCKERFILE, /HEALTHCHECK[^\n]*\n[^\n]*\n/, '', /HEALTHCHECK is missing/],
  [DOCKERFILE, 'EXPOSE 8443', 'EXPOSE 8080', /EXPOSE is not 8443/],
  [DOCKERFILE, '8443/healthz', '8443/health', /does not ask \/healthz/],
  [DOCKERFILE, '127.0.0.1:8443', '127.0.0.1:5044', /health check does not ask port 8443/],
  [IGNORE, '!ecs-schemas\n', '', /COPY ecs-schemas: \.dockerignore keeps it/],
  [CONFIG, 'port: 8443', 'port: 9443', /port 9443 of .* is not published/],
  [CONFIG, 'host: 0.0.0.0', 'host: 127.0.0.1', /http\.host must be 0\.0\.0\.0/],
  [CONFIG, 'certificates/server.key', 'certs/server.key', /lies in no volume/],
  [CONFIG, 'server.key', 'ca.key', /ca\.key is not written by the set-up/],
  [CONFIG, '@postgresql:5432', '@postgresql:5433', /postgresql:5433 is not a port/],
  [CONFIG, 'launchbeat:$', 'admin:$', /role or database is not the one/],
  [CONFIG, 'username: launchbeat_collector', 'username: elastic', /username is not the one/],
  [CONFIG, 'to_files: false', 'to_files: true', /log must go to stderr/],
  [CONFIG, 'to_stderr: true', 'to_stdout: true', /to_stdout: Unknown key/],
  [CONFIG, 'token: "$', 'tokens: "$', /telegram\.tokens: Unknown key/],
];

for (const [file, before, after, says] of MISTAKES) {
  test(`a mistake in ${file} is named: ${says.source}`, () => {
    const text = FILES[file] ?? '';
    // The replacement is a function, so that a $ in it stays one.
    const broken = text.replace(before, () => after);
    assert.notEqual(broken, text, `${before} is not in ${file} any more`);
    const found = problems({ ...FILES, [file]: broken });
    assert.ok(
      found.some((problem) => says.test(problem)),
      `not named; found: ${found.join('; ') || 'nothing'}`,
    );
  });
}

test('package-lock.json is one that npm ci takes in the image', () => {
  assert.deepEqual(lockProblems(readLock(ROOT)), []);
  const broken = { packages: { a: { optionalDependencies: { b: '1.0.0' } } } };
  assert.deepEqual(lockProblems(broken), ['package-lock.json lacks b']);
});

test('launchbeat-collector can be executed', () => {
  assert.ok((statSync(join(ROOT, 'docker/launchbeat-collector')).mode & 0o111) !== 0);
});

test('docs/docker.md: its command makes an .env that the set-up takes, for the owner only', (t) => {
  const page = readFileSync(join(ROOT, 'docs/docker.md'), 'utf8');
  const command = /```sh\n(?<text>\s*\(umask [\s\S]*?)```/.exec(page)?.groups?.['text'] ?? '';
  const folder = join(temporaryFolder(t), 'docker');
  mkdirSync(folder);
  copyFileSync(join(ROOT, ENV_EXAMPLE), join(folder, '.env.example'));
  const ran = spawnSync('sh', ['-euc', command], { cwd: folder, encoding: 'utf8' });
  assert.equal(ran.status, 0, ran.stderr);

  const file = join(folder, '.env');
  const made = readEnvironmentFile(readFileSync(file, 'utf8'));
  const example = readEnvironmentFile(FILES[ENV_EXAMPLE] ?? '');
  assert.deepEqual([...made.keys()], [...example.keys()]);
  assert.equal(statSync(file).mode & 0o077, 0);
  readSettings(Object.fromEntries(made));
  const secrets = [...made].filter(([name]) => /_(PASSWORD|KEY)$/.test(name));
  assert.equal(new Set(secrets.map(([, value]) => value)).size, secrets.length);
  // Kibana refuses encryption keys under 32 characters.
  assert.deepEqual(
    secrets.filter(([, value]) => value.length < 32),
    [],
  );
  assert.equal(made.get('LAUNCHBEAT_TELEGRAM_TOKEN'), '');
});

test('docs/docker.md names only services, volumes and variables that there are', () => {
  const page = readFileSync(join(ROOT, 'docs/docker.md'), 'utf8');
  const known = readEnvironmentFile(FILES[ENV_EXAMPLE] ?? '');
  const variables = [...page.matchAll(/`([A-Z]+_[A-Z_]+)(?:=[^`]*)?`/g)].map((match) => match[1]);
  assert.deepEqual(
    variables.filter((name) => !known.has(name ?? '')),
    [],
  );
  const compose = FILES[COMPOSE] ?? '';
  const services = [
    ...page.matchAll(/docker compose (?:exec(?: -T)?|logs|restart|cp|stop|start) ([a-z]+)/g),
  ];
  assert.ok(services.length > 5);
  assert.deepEqual(
    services.map((match) => match[1]).filter((name) => !compose.includes(`\n  ${name}:\n`)),
    [],
  );
});

test('the set-up names every variable that it cannot use, and no value', () => {
  assert.throws(
    () => readSettings({ POSTGRES_PASSWORD: 'p@ss:word/0123456', ELASTIC_PASSWORD: 'short' }),
    (error: Error) =>
      ['POSTGRES_PASSWORD', 'ELASTIC_PASSWORD', 'KIBANA_SYSTEM_PASSWORD', 'COLLECTOR_HOSTS'].every(
        (name) => error.message.includes(name),
      ) && !/p@ss|short/.test(error.message),
  );
});
