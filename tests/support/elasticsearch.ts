/**
 * Gives a real Elasticsearch: the one of ELASTICSEARCH_URL, else Elastic's own test distribution on the Java of this machine, else
 * Docker. Single node, security off, on 127.0.0.1. Tests share one and keep apart by namespaces; private ones can be stopped.
 */
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type BackgroundServer, startBackground } from './background-server.ts';
import { elasticsearchVersion, fetchElasticsearch } from './elasticsearch-distribution.ts';
import { dockerAnswers, startElasticsearchInDocker } from './elasticsearch-docker.ts';
import {
  type ElasticsearchOptions,
  type ElasticsearchServer,
  isUp,
} from './elasticsearch-server.ts';
import { onFreePort } from './free-port.ts';
import { findJava, javaMin } from './java.ts';
import { passingFolder } from './passing-folder.ts';
import { handOver } from './unprivileged.ts';

const HEAP_DEFAULT_MB = 512;
const START_TIMEOUT_MS = 180_000;

export type { ElasticsearchOptions, ElasticsearchServer } from './elasticsearch-server.ts';

export type ElasticsearchOutcome =
  | { readonly outcome: 'done'; readonly server: ElasticsearchServer }
  | { readonly outcome: 'refused'; readonly reason: string };

/** Writes the node's own config folder; the distribution is only read and shared by all. */
function writeConfig(
  home: string,
  folder: string,
  options: ElasticsearchOptions,
  port: number,
): void {
  const config = join(folder, 'config');
  if (!existsSync(config)) cpSync(join(home, 'config'), config, { recursive: true });
  // Older versions write the garbage collector's log below their own home, which is not theirs to write in.
  const jvmOptions = readFileSync(join(home, 'config/jvm.options'), 'utf8');
  writeFileSync(join(config, 'jvm.options'), jvmOptions.replaceAll(/^.*-Xlog:gc.*$/gm, ''));
  for (const name of ['data', 'logs', 'tmp']) mkdirSync(join(folder, name), { recursive: true });
  const settings = {
    'cluster.name': 'launchbeat-test',
    'node.name': 'n1',
    'discovery.type': 'single-node',
    'network.host': '127.0.0.1',
    'http.port': port,
    'transport.port': '32001-32767',
    'path.data': join(folder, 'data'),
    'path.logs': join(folder, 'logs'),
    'xpack.security.enabled': false,
    'cluster.routing.allocation.disk.threshold_enabled': false,
    ...options.settings,
  };
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name}: ${JSON.stringify(value)}\n`,
  );
  writeFileSync(join(config, 'elasticsearch.yml'), lines.join(''));
  const heap = options.heapMb ?? HEAP_DEFAULT_MB;
  const java = [`-Xms${heap}m`, `-Xmx${heap}m`];
  if (!options.fullSpeed) java.push('-XX:TieredStopAtLevel=1');
  writeFileSync(join(config, 'jvm.options.d/test.options'), `${java.join('\n')}\n`);
  handOver(folder);
}

async function startOnJava(
  installed: { readonly version: string; readonly java: string; readonly home: string },
  options: ElasticsearchOptions,
): Promise<ElasticsearchServer> {
  const { version, java, home } = installed;
  const folder = options.dataFolder ? resolve(options.dataFolder) : passingFolder('elasticsearch');
  let server: BackgroundServer | undefined;
  const startOn = async (port: number): Promise<void> => {
    writeConfig(home, folder, options, port);
    const { ES_JAVA_OPTS: _, JAVA_HOME: __, ...environment } = process.env;
    const starting = startBackground({
      command: join(home, 'bin/elasticsearch'),
      args: [],
      env: {
        ...environment,
        ES_JAVA_HOME: java,
        ES_PATH_CONF: join(folder, 'config'),
        ES_TMPDIR: join(folder, 'tmp'),
        HOME: folder,
      },
      cwd: folder,
      logFile: join(folder, 'elasticsearch.log'),
      stopSignal: 'SIGTERM',
    });
    await starting.ready(() => isUp(`http://127.0.0.1:${port}`), START_TIMEOUT_MS);
    server = starting;
  };
  options.onProgress?.(`Starting Elasticsearch ${version} (${java}) ...`);
  const port = await onFreePort(startOn, isPortTaken);
  return {
    url: `http://127.0.0.1:${port}`,
    version,
    async stop(signal) {
      await server?.stop(signal);
      server = undefined;
    },
    async start() {
      if (server === undefined) await startOn(port);
    },
  };
}

const isPortTaken = (error: unknown): boolean =>
  /BindException|BindHttpException|Address already in use/.test(String(error));

/** Starts a private Elasticsearch with what the machine has; `refused` says in one line what to install. */
export async function tryElasticsearch(
  options: ElasticsearchOptions = {},
): Promise<ElasticsearchOutcome> {
  const version = elasticsearchVersion();
  const javaRelease = javaMin(version);
  const java = findJava(version);
  const fetched =
    java === undefined
      ? { outcome: 'refused' as const, reason: `Java ${javaRelease} or newer is missing` }
      : await fetchElasticsearch(version, options.onProgress ?? (() => {}));
  if (fetched.outcome === 'done' && java !== undefined) {
    const server = await startOnJava({ version, java, home: fetched.home }, options);
    return { outcome: 'done', server };
  }
  if (dockerAnswers()) {
    return { outcome: 'done', server: await startElasticsearchInDocker(version, options) };
  }
  const reason = fetched.outcome === 'refused' ? fetched.reason : '';
  return {
    outcome: 'refused',
    reason: `No Elasticsearch ${version} to test with: ${reason}. Install Java and Maven (Debian: apt-get install openjdk-${javaRelease}-jre-headless maven), or start Docker, or set ELASTICSEARCH_URL.`,
  };
}

/** As `tryElasticsearch`, but throws when there is none to be had. It ends with this process. */
export async function startElasticsearch(
  options: ElasticsearchOptions = {},
): Promise<ElasticsearchServer> {
  const tried = await tryElasticsearch(options);
  if (tried.outcome === 'refused') throw new Error(tried.reason);
  return tried.server;
}

let shared: Promise<ElasticsearchServer> | undefined;

/** The Elasticsearch for all tests: that of ELASTICSEARCH_URL, else one of this process. Never stop it, never delete others' data. */
export async function testElasticsearch(): Promise<{ readonly url: string }> {
  const given = process.env['ELASTICSEARCH_URL'];
  if (given) return { url: given.replace(/\/+$/, '') };
  shared ??= startElasticsearch();
  return await shared;
}

/** A data stream namespace that no other test has; valid for Elasticsearch (lower case, no `-`). */
export function uniqueNamespace(): string {
  return `t${randomBytes(8).toString('hex')}`;
}
