/**
 * The peer of spool → sink: Debian's rsyslog, imfile to omelasticsearch, raw lines, uncompressed, `create` in bulks; the same file
 * and the same sink. BENCH_PEER_RSYSLOG names another rsyslogd; with neither there is no figure.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProgram } from '../../tests/support/processes.ts';
import { usageOf } from '../process-usage.ts';
import { startSink } from '../start-sink.ts';
import { type Shipping, watchShipping } from './spool-to-sink.ts';

const MODULES = [
  '/usr/lib/x86_64-linux-gnu/rsyslog',
  '/usr/lib/aarch64-linux-gnu/rsyslog',
  '/usr/lib/rsyslog',
  '/usr/lib64/rsyslog',
];

export interface Rsyslog {
  readonly program: string;
  readonly version: string;
}

/** rsyslogd with omelasticsearch, if this machine has it. */
export function findRsyslog(): Rsyslog | undefined {
  const program = process.env['BENCH_PEER_RSYSLOG'] || '/usr/sbin/rsyslogd';
  if (!existsSync(program)) return undefined;
  if (!MODULES.some((folder) => existsSync(join(folder, 'omelasticsearch.so')))) return undefined;
  const said = spawnSync(program, ['-v'], { encoding: 'utf8' }).stdout;
  return { program, version: /rsyslogd\s+(\S+)/.exec(said)?.[1] ?? 'unknown' };
}

function configOf(folder: string, port: string): string {
  return `
global(workDirectory="${folder}")
module(load="imfile" mode="inotify")
module(load="omelasticsearch")
template(name="raw" type="string" string="%msg%")
template(name="id" type="string" string="%$!id%")
input(type="imfile" file="${folder}/*.ndjson" tag="launchbeat" ruleset="ship" freshStartTail="off")
ruleset(name="ship" queue.type="LinkedList" queue.size="20000" queue.dequeueBatchSize="2048" queue.workerThreads="1") {
  set $!id = $uuid;
  action(type="omelasticsearch" server="127.0.0.1" serverport="${port}" template="raw" searchIndex="logs-bench" searchType=""
    bulkmode="on" writeoperation="create" dynbulkid="on" bulkid="id" maxbytes="5m" errorfile="${folder}/errors.log")
}
`;
}

/** Ships the same file with rsyslog. */
export async function measureRsyslog(
  rsyslog: Rsyslog,
  folder: string,
  file: string,
  events: number,
): Promise<Shipping> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  linkSync(file, join(folder, 'launchbeat.20260302.1.ndjson'));
  const sink = await startSink();
  const config = join(folder, 'rsyslog.conf');
  writeFileSync(config, configOf(folder, new URL(sink.url).port));
  const program = startProgram(rsyslog.program, ['-n', '-f', config, '-i', join(folder, 'pid')]);
  try {
    return await watchShipping(sink, events, () => usageOf(program.pid));
  } finally {
    await program.stop();
    await sink.stop();
  }
}
