/**
 * Gives Elasticsearch by Docker, where the machine has no Java: Elastic's own image, single node, security off, on 127.0.0.1.
 * The container is removed when this process is gone.
 */
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import {
  type ElasticsearchOptions,
  type ElasticsearchServer,
  isUp,
} from './elasticsearch-server.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { leash } from './leash.ts';

const IMAGE = 'docker.elastic.co/elasticsearch/elasticsearch';
const START_TIMEOUT_MS = 180_000;
const HEAP_DEFAULT_MB = 512;

const run = promisify(execFile);

/** Whether a Docker engine answers, not only its command line. */
export function dockerAnswers(): boolean {
  return (
    spawnSync('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 10_000 }).status ===
    0
  );
}

/** Starts a container; the image is fetched by Docker when it is missing. `dataFolder` has no meaning here: the data are the container's. */
export async function startElasticsearchInDocker(
  version: string,
  options: ElasticsearchOptions,
): Promise<ElasticsearchServer> {
  const name = `launchbeat-test-${randomBytes(6).toString('hex')}`;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const heapMb = options.heapMb ?? HEAP_DEFAULT_MB;
  const settings = {
    'discovery.type': 'single-node',
    'xpack.security.enabled': false,
    'cluster.routing.allocation.disk.threshold_enabled': false,
    ...options.settings,
    ES_JAVA_OPTS: `-Xms${heapMb}m -Xmx${heapMb}m`,
  };
  options.onProgress?.(`Starting Elasticsearch ${version} in Docker ...`);
  leash({ container: name });
  await run('docker', [
    'run',
    '--detach',
    '--name',
    name,
    '--publish',
    `127.0.0.1:${port}:9200`,
    ...Object.entries(settings).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    `${IMAGE}:${version}`,
  ]);
  const ready = async (): Promise<void> => {
    await eventually(() => isUp(url), { timeoutMs: START_TIMEOUT_MS, intervalMs: 250 });
  };
  await ready();
  return {
    url,
    version,
    async stop(signal) {
      await run('docker', signal === 'SIGKILL' ? ['kill', name] : ['stop', name]);
    },
    async start() {
      await run('docker', ['start', name]);
      await ready();
    },
  };
}
