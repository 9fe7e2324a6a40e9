/**
 * Lays out a whole Launchbeat in a folder (configs, certificates, key) and runs its two real programs as a user would.
 * Takes where the stores are, gives the programs as processes; everything goes over HTTPS.
 */
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { type Program, runProgram, startProgram } from './processes.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const AGENT = join(ROOT, 'agent/src/main.ts');
const COLLECTOR = join(ROOT, 'collector/src/main.ts');

type Tree = { readonly [key: string]: unknown };

export interface InstallationOptions {
  /** Empty folder for all files. */
  readonly folder: string;
  readonly postgresUrl: string;
  /** Absent: the index is switched off. */
  readonly elasticsearchUrl?: string | undefined;
  readonly namespace: string;
  /** Absent: messages are switched off. */
  readonly telegram?: { readonly apiRoot: string; readonly token: string };
  /** The whole of alerts.yml. */
  readonly alerts?: Tree;
  /** Merged into collector.yml, section by section. */
  readonly collector?: Tree;
  /** Merged into launchbeat.yml, section by section. */
  readonly agent?: Tree;
  /** What runs the agent, to which its own arguments are added. Default: this Node. */
  readonly agentCommand?: readonly [string, ...string[]];
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface Installation {
  readonly folder: string;
  /** Where agents send to; https. */
  readonly url: string;
  readonly port: number;
  readonly caFile: string;
  /** SHA-256 of the CA, as `certs init` printed it. */
  readonly fingerprint: string;
  /** `id:secret` of the agent. */
  readonly apiKey: string;
  readonly spool: string;
  /** Runs a command of the collector to its end. */
  collector(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }>;
  /** Starts the collector; resolves when it is ready for chunks. One with `args` of its own is not waited for. */
  startCollector(...args: string[]): Promise<Program>;
  /** Starts the agent; `args` go behind `run`. */
  startAgent(...args: string[]): Program;
  /** Starts an agent of another config file. */
  startOtherAgent(file: string): Program;
  /** Runs a command of the agent of a config file to its end. */
  agent(file: string, ...args: string[]): ReturnType<Installation['collector']>;
  /** GET of a path of the collector. */
  get(path: string): Promise<Answer>;
  /** The counters of the agent's log, by name, as it wrote them last. */
  agentCounters(): Readonly<Record<string, number>>;
}

/** Makes configs, certificates, tables and a key. */
export async function installLaunchbeat(options: InstallationOptions): Promise<Installation> {
  const { folder } = options;
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const url = `https://localhost:${port}`;
  const [agentProgram, ...agentArgs] = options.agentCommand ?? [process.execPath];
  const flags = (program: string): string[] => [
    '-c',
    join(folder, program),
    '--path.config',
    folder,
  ];
  const collector = (...args: string[]) =>
    runProgram(process.execPath, [COLLECTOR, ...args, ...flags('collector.yml')]);

  const certificates = await collector(
    'certs',
    'init',
    '--out',
    join(folder, 'certs'),
    '--host',
    'localhost',
  );
  const fingerprint = /ca_trusted_fingerprint: '([0-9a-f]{64})'/i.exec(certificates.stdout)?.[1];
  if (fingerprint === undefined)
    throw new Error(`certs init said: ${certificates.stdout}${certificates.stderr}`);
  writeFileSync(join(folder, 'collector.yml'), stringify(collectorConfig(options, port)));
  writeFileSync(join(folder, 'alerts.yml'), stringify(options.alerts ?? { chats: {} }));

  const added = await collector('agents', 'add', 'PC of the test');
  const apiKey = added.stdout.trim();
  if (added.code !== 0 || apiKey === '')
    throw new Error(`agents add said: ${added.stdout}${added.stderr}`);
  const caFile = join(folder, 'certs', 'ca.crt');
  writeFileSync(
    join(folder, 'launchbeat.yml'),
    stringify(agentConfig(options, { url, apiKey, fingerprint })),
  );

  return {
    folder,
    url,
    port,
    caFile,
    fingerprint,
    apiKey,
    spool: join(folder, 'agent-data', 'spool'),
    collector,
    async startCollector(...args) {
      const program = startProgram(
        process.execPath,
        [COLLECTOR, 'run', '-e', ...flags('collector.yml'), ...args],
        {},
      );
      if (args.length > 0) return program;
      await Promise.race([
        eventually(async () => (await get(url, caFile, '/readyz')).status === 200, {
          timeoutMs: 60_000,
        }),
        program.exited.then((end) => {
          throw new Error(`collector ended with ${end.code ?? end.signal}:\n${program.stderr()}`);
        }),
      ]);
      return program;
    },
    startAgent: (...args) =>
      startProgram(
        agentProgram,
        [...agentArgs, AGENT, 'run', '-e', ...flags('launchbeat.yml'), ...args],
        {},
      ),
    startOtherAgent: (file) =>
      startProgram(process.execPath, [AGENT, 'run', '-e', '-c', file, '--path.config', folder], {}),
    agent: (file, ...args) =>
      runProgram(process.execPath, [AGENT, ...args, '-c', file, '--path.config', folder]),
    get: (path) => get(url, caFile, path),
    agentCounters: () => countersOf(join(folder, 'agent-logs')),
  };
}

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Keys of `more` win over those of `base`, on every level. */
function merged(base: Tree, more: Tree = {}): Tree {
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(more)) {
    const before = result[key];
    result[key] = isTree(before) && isTree(value) ? merged(before, value) : value;
  }
  return result;
}

function collectorConfig(options: InstallationOptions, port: number): Tree {
  const { folder, elasticsearchUrl, telegram } = options;
  return merged(
    {
      http: {
        host: '127.0.0.1',
        port,
        tls: {
          certificate: join(folder, 'certs', 'server.crt'),
          key: join(folder, 'certs', 'server.key'),
        },
      },
      postgresql: { url: options.postgresUrl },
      elasticsearch: {
        enabled: elasticsearchUrl !== undefined,
        ...(elasticsearchUrl === undefined ? {} : { hosts: [elasticsearchUrl] }),
        namespaces: [options.namespace],
        backoff: { init: '200ms', max: '2s' },
      },
      telegram:
        telegram === undefined
          ? { enabled: false }
          : { enabled: true, token: telegram.token, api_root: telegram.apiRoot },
      path: { data: join(folder, 'collector-data'), logs: join(folder, 'collector-logs') },
    },
    options.collector,
  );
}

function agentConfig(
  options: InstallationOptions,
  way: { url: string; apiKey: string; fingerprint: string },
): Tree {
  const { folder } = options;
  return merged(
    {
      name: 'PC-OF-THE-TEST',
      namespace: options.namespace,
      output: {
        collector: {
          url: way.url,
          api_key: way.apiKey,
          ssl: { ca_trusted_fingerprint: way.fingerprint },
          backoff: { init: '100ms', max: '1s' },
        },
      },
      logging: { metrics: { period: '1s' } },
      path: { data: join(folder, 'agent-data'), logs: join(folder, 'agent-logs') },
    },
    options.agent,
  );
}

function get(url: string, caFile: string, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      `${url}${path}`,
      { ca: readFileSync(caFile), agent: false, timeout: 5000 },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (part: string) => {
          text += part;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
        answer.on('error', reject);
      },
    );
    asked.on('timeout', () => asked.destroy(new Error(`${path}: no answer in 5 s`)));
    asked.on('error', reject);
    asked.end();
  });
}

/** Reads the counters out of a program's own log: the last value of each `metrics.*`. */
function countersOf(logs: string): Record<string, number> {
  const counters: Record<string, number> = {};
  for (const file of globSync(join(logs, '*.ndjson')).sort()) {
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      if (!line.includes('metrics.')) continue;
      for (const [key, value] of Object.entries(parsed(line))) {
        if (key.startsWith('metrics.')) counters[key.slice('metrics.'.length)] = Number(value);
      }
    }
  }
  return counters;
}

/** A line that is still being written counts as none. */
function parsed(line: string): Tree {
  try {
    return JSON.parse(line) as Tree;
  } catch {
    return {};
  }
}
