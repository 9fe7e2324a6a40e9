/**
 * Takes config and folders, gives what `launchbeat doctor` shows: one row for each thing that an agent needs.
 * Keeps: it changes nothing but a file that it makes and deletes in the data folder; it may run beside a living agent.
 */
import { accessSync, constants, existsSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { type Paths, processEnvironment, SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { isLiveSource } from './capture/capture-config.ts';
import { defaultCommand } from './capture/open-source.ts';
import type { AgentConfig } from './config.ts';
import { examineSource } from './examine-log.ts';
import type { Finding } from './finding.ts';
import { isLocked } from './lock-folder.ts';
import { collectorOutput, openUploader, spoolFolder } from './pipeline.ts';
import { knownIdentity } from './spool/agent-identity.ts';
import { readCheckpoint } from './spool/checkpoint.ts';
import { pendingFrom } from './spool/inspect-spool.ts';
import { listSegments } from './spool/list-segments.ts';
import { knownPosition } from './spool/position.ts';
import { certificateDays } from './upload/certificate-days.ts';
import type { OutputConfig } from './upload/output-config.ts';

const MIB = 1024 * 1024;
const log = SILENT_LOG;

/** Looks at everything, on disk first, then towards the collector. Never rejects. */
export async function* examineAgent(config: AgentConfig, paths: Paths): AsyncGenerator<Finding> {
  yield dataFolder(paths);
  yield diskSpace(config, paths);
  yield await lock(paths);
  yield spool(config, paths);
  yield quarantineFolder(config, paths);
  yield position(config, paths);
  yield bridge(config, paths);
  yield* examineSource(config.capture.source, paths.data);
  yield* collector(config, paths);
}

function dataFolder({ data }: Paths): Finding {
  const check = 'data folder';
  if (!existsSync(data)) {
    return {
      ...{ check, state: 'warn', detail: `${data} is not there` },
      mend: 'The agent makes it at its first start; see path.data if it should be there.',
    };
  }
  const file = join(data, `.doctor-${process.pid}`);
  try {
    writeFileSync(file, 'x', { flush: true });
    rmSync(file);
    return { check, state: 'ok', detail: `${data} can be written` };
  } catch (error) {
    return {
      ...{ check, state: 'fail', detail: `${data} cannot be written (${codeOf(error)})` },
      mend: 'Give the account of the agent the right to change it, or another folder with path.data.',
    };
  }
}

/** The folder, or the nearest one above it that is there: it will be made on that disk. */
function thereOrAbove(folder: string): string {
  const above = dirname(folder);
  return existsSync(folder) || above === folder ? folder : thereOrAbove(above);
}

function diskSpace(config: AgentConfig, paths: Paths): Finding {
  const check = 'disk space';
  const folder = thereOrAbove(spoolFolder(config, paths));
  try {
    const { bavail, bsize } = statfsSync(folder);
    const free = bavail * bsize;
    const detail = `${Math.floor(free / MIB)} MiB free for ${folder}`;
    if (free < config.spool.disk_free_min) {
      const mend = 'Make room: reading waits while less than spool.disk_free_min is free.';
      return { check, state: 'fail', detail, mend };
    }
    if (free < config.spool.max_bytes) {
      const mend = 'The spool may grow to spool.max_bytes, which is more: make room or lower it.';
      return { check, state: 'warn', detail, mend };
    }
    return { check, state: 'ok', detail };
  } catch (error) {
    return { check, state: 'warn', detail: `not known (${codeOf(error)})` };
  }
}

async function lock({ data }: Paths): Promise<Finding> {
  const check = 'agent';
  if (await isLocked(data)) return { check, state: 'ok', detail: 'runs (holds the data folder)' };
  const mend = 'Start it: the service, or `launchbeat run`.';
  return { check, state: 'warn', detail: 'does not run (nobody holds the data folder)', mend };
}

function spool(config: AgentConfig, paths: Paths): Finding {
  const check = 'spool';
  const checkpoint = readCheckpoint(paths.data, log);
  const segments = listSegments(spoolFolder(config, paths));
  const bytes = segments.reduce((sum, one) => sum + one.size, 0);
  const pending = segments.reduce((sum, one) => sum + one.size - pendingFrom(one, checkpoint), 0);
  const detail = `${segments.length} segments, ${pending} of ${bytes} bytes without a receipt`;
  if (pending >= config.spool.max_bytes) {
    const mend = 'It is full: see the rows of the collector, spool.max_bytes and spool.on_full.';
    return { check, state: 'fail', detail, mend };
  }
  if (pending > config.spool.max_bytes / 2) {
    const mend = 'It is more than half full: see the rows of the collector.';
    return { check, state: 'warn', detail, mend };
  }
  return { check, state: 'ok', detail };
}

function quarantineFolder(config: AgentConfig, paths: Paths): Finding {
  const check = 'quarantine';
  const folder = join(spoolFolder(config, paths), 'quarantine');
  if (!existsSync(folder)) return { check, state: 'ok', detail: 'empty' };
  const mend = 'Each entry has its reason. Delete the folder when they were looked at.';
  return { check, state: 'warn', detail: `${folder} holds entries`, mend };
}

function position(config: AgentConfig, paths: Paths): Finding {
  const check = 'position';
  if (!isLiveSource(config.capture.source)) {
    return { check, state: 'ok', detail: `none, the source is ${config.capture.source}` };
  }
  const known = knownPosition(paths.data, log);
  if (known === undefined) {
    const mend = 'The agent writes it with its first event; if it ran before, see its log.';
    return { check, state: 'warn', detail: 'there is none yet', mend };
  }
  const time = new Date(known.timeMs).toISOString();
  if (known.recordId < 0) {
    const mend = 'See the row "log access".';
    return { check, state: 'warn', detail: 'no record of the log was read yet', mend };
  }
  return { check, state: 'ok', detail: `read up to record ${known.recordId} of ${time}` };
}

function bridge(config: AgentConfig, paths: Paths): Finding {
  const check = 'bridge';
  const { source, command } = config.capture;
  if (!isLiveSource(source)) return { check, state: 'ok', detail: `none, the source is ${source}` };
  const own = command.length === 0;
  const [program = '', ...args] = own ? defaultCommand(paths) : command;
  const script = args.find((arg) => arg.endsWith('.ps1'));
  const missing = [
    ...(isThere(program) ? [] : [program]),
    ...(script === undefined || existsSync(script) ? [] : [script]),
  ];
  if (missing.length === 0)
    return { check, state: 'ok', detail: [program, script ?? ''].join(' ').trim() };
  return {
    ...{ check, state: 'fail', detail: `not there: ${missing.join(', ')}` },
    mend: own
      ? 'Live logs are read on Windows only, with windows/bridge.ps1 in path.home: see path.home, install again.'
      : 'See capture.command.',
  };
}

/** A program by its path, or one that PATH finds. */
function isThere(program: string): boolean {
  if (isAbsolute(program) || program.includes('/')) return isExecutable(program);
  const folders = (processEnvironment()['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const MENDS: readonly (readonly [part: string, mend: string])[] = [
  ['dns', 'See output.collector.url (or proxy_url) and the DNS of this PC.'],
  [
    'connect',
    'See output.collector.url, proxy_url and ssl, the firewall, and whether the collector runs.',
  ],
  ['clock', 'Set the time service of both; TLS and every search by time depend on it.'],
  [
    'key',
    'Make a key: launchbeat-collector agents add NAME; store it here: launchbeat keystore add LAUNCHBEAT_API_KEY --force',
  ],
];

async function* collector(config: AgentConfig, paths: Paths): AsyncGenerator<Finding> {
  const output = collectorOutput(config, paths);
  for (const url of output.url) {
    if (url.startsWith('https:')) yield await certificate(url, output);
  }
  const id = knownIdentity(paths.data, log)?.id ?? 'without an id yet';
  let uploader: Awaited<ReturnType<typeof openUploader>>;
  try {
    uploader = await openUploader({ config, paths, log }, id);
  } catch (error) {
    yield {
      check: 'collector',
      state: 'fail',
      detail: (error as Error).message,
      mend: 'See output.collector.ssl.',
    };
    return;
  }
  try {
    for (const { name, ok, detail } of (await uploader.probe()).steps) {
      const state = ok ? (detail.startsWith('WARN') ? 'warn' : 'ok') : 'fail';
      const text = detail.replace(/^(OK|WARN|ERROR) ?/, '').replace(/^\((.*)\)$/, '$1');
      const mend = state === 'ok' ? undefined : MENDS.find(([part]) => name.includes(part))?.[1];
      yield { check: name, state, detail: text, mend };
    }
  } finally {
    await uploader.close();
  }
}

async function certificate(url: string, output: OutputConfig): Promise<Finding> {
  const check = 'certificate';
  try {
    const { state, detail } = await certificateDays(url, output);
    const mend =
      state === 'ok'
        ? undefined
        : 'Renew it: launchbeat-collector certs init --force, or your own CA.';
    return { check, state, detail, mend };
  } catch (error) {
    const detail = `${url} presents none (${codeOf(error)})`;
    return { check, state: 'fail', detail, mend: 'See the row "connect".' };
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
}
