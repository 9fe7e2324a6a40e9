/**
 * Debian's rsyslog as a peer: imfile to omelasticsearch, raw lines, `create` in bulks. BENCH_PEER_RSYSLOG names another rsyslogd.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Peer, type PeerPlace, programOf, versionOf } from './peer.ts';

const DEBIAN = '/usr/sbin/rsyslogd';
const MODULES = [
  '/usr/lib/x86_64-linux-gnu/rsyslog',
  '/usr/lib/aarch64-linux-gnu/rsyslog',
  '/usr/lib/rsyslog',
  '/usr/lib64/rsyslog',
];

const configOf = ({ folder, sinkUrl }: PeerPlace): string => `
global(workDirectory="${folder}")
module(load="imfile" mode="inotify")
module(load="omelasticsearch")
template(name="raw" type="string" string="%msg%")
template(name="id" type="string" string="%$!id%")
input(type="imfile" file="${folder}/*.ndjson" tag="launchbeat" ruleset="ship" freshStartTail="off")
ruleset(name="ship" queue.type="LinkedList" queue.size="20000" queue.dequeueBatchSize="2048" queue.workerThreads="1") {
  set $!id = $uuid;
  action(type="omelasticsearch" server="127.0.0.1" serverport="${new URL(sinkUrl).port}" template="raw" searchIndex="logs-bench" searchType=""
    bulkmode="on" writeoperation="create" dynbulkid="on" bulkid="id" maxbytes="5m" errorfile="${folder}/errors.log")
}
`;

/** rsyslogd with omelasticsearch, if this machine has it. */
export function findRsyslog(): Peer | undefined {
  const program = programOf('BENCH_PEER_RSYSLOG') ?? DEBIAN;
  if (!existsSync(program)) return undefined;
  if (!MODULES.some((folder) => existsSync(join(folder, 'omelasticsearch.so')))) return undefined;
  return {
    name: 'rsyslog',
    version: versionOf(program, ['-v'], /rsyslogd\s+(\S+)/),
    program,
    config: (place) => ({ name: 'rsyslog.conf', text: configOf(place) }),
    args: (config, { folder }) => ['-n', '-f', config, '-i', join(folder, 'pid')],
  };
}
