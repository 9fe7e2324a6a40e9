/**
 * The OpenTelemetry Collector as a peer, where BENCH_PEER_OTELCOL names its program (otelcol-contrib): filelog to elasticsearch, lines as
 * they are, uncompressed. Source of the keys: the READMEs of filelogreceiver and elasticsearchexporter in
 * https://github.com/open-telemetry/opentelemetry-collector-contrib
 */
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type Peer, programOf, versionOf } from './peer.ts';

/** The collector, if the variable names it. */
export function findOtelcol(): Peer | undefined {
  const program = programOf('BENCH_PEER_OTELCOL');
  if (program === undefined) return undefined;
  return {
    name: 'OpenTelemetry Collector',
    version: versionOf(program, ['--version'], /version\s+(\S+)/),
    program,
    config: ({ folder, sinkUrl }) => ({
      name: 'otelcol.yaml',
      text: stringify({
        receivers: { filelog: { include: [join(folder, '*.ndjson')], start_at: 'beginning' } },
        exporters: {
          elasticsearch: { endpoints: [sinkUrl], logs_index: 'logs-bench', compression: 'none' },
        },
        service: {
          telemetry: { metrics: { level: 'none' } },
          pipelines: { logs: { receivers: ['filelog'], exporters: ['elasticsearch'] } },
        },
      }),
    }),
    args: (config) => ['--config', config],
  };
}
