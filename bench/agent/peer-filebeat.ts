/**
 * Filebeat as a peer, where BENCH_PEER_FILEBEAT names its program: filestream to output.elasticsearch, lines as they are, uncompressed.
 * Source of the keys: https://www.elastic.co/docs/reference/beats/filebeat/filebeat-input-filestream and …/elasticsearch-output
 */
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type Peer, programOf, versionOf } from './peer.ts';

/** Filebeat, if the variable names it. */
export function findFilebeat(): Peer | undefined {
  const program = programOf('BENCH_PEER_FILEBEAT');
  if (program === undefined) return undefined;
  return {
    name: 'Filebeat',
    version: versionOf(program, ['version'], /version\s+(\S+)/),
    program,
    config: ({ folder, sinkUrl }) => ({
      name: 'filebeat.yml',
      text: stringify({
        filebeat: {
          inputs: [{ type: 'filestream', id: 'bench', paths: [join(folder, '*.ndjson')] }],
        },
        setup: { template: { enabled: false }, ilm: { enabled: false } },
        output: {
          elasticsearch: {
            hosts: [sinkUrl],
            index: 'logs-bench',
            compression_level: 0,
            bulk_max_size: 2048,
            worker: 1,
            allow_older_versions: true,
          },
        },
      }),
    }),
    args: (config, { folder }) => [
      ...['run', '-e', '--strict.perms=false', '-c', config],
      ...['--path.data', join(folder, 'data'), '--path.logs', join(folder, 'logs')],
    ],
  };
}
