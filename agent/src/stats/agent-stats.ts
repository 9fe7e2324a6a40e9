/**
 * Takes the counters of every stage, gives the statistics as Beats nest and name them, ours under `launchbeat`.
 * Source: http-endpoint.asciidoc of Beats.
 */
import { availableParallelism, loadavg } from 'node:os';
import type { Metrics } from '@launchbeat/ecs-schemas/beat';

/** Who answers; `GET /`. */
export interface AgentInfo {
  readonly beat: 'launchbeat';
  readonly hostname: string;
  /** `agent.name` of the documents. */
  readonly name: string;
  /** `agent.id`. */
  readonly uuid: string;
  readonly version: string;
  readonly ephemeral_id: string;
}

/** The collector's last answer to a chunk; without a status there was none. */
export interface LastAnswer {
  readonly status?: number;
  readonly detail: string;
}

export interface StatsInput {
  readonly info: AgentInfo;
  readonly metrics: Metrics;
  readonly lastAnswer?: LastAnswer | undefined;
}

type Tree = { [key: string]: number | string | Tree };

/** `GET /stats`. */
export function agentStats({ info, metrics, lastAnswer }: StatsInput): Tree {
  const cpu = process.cpuUsage();
  const { rss, heapUsed, heapTotal } = process.memoryUsage();
  const ms = (microseconds: number): Tree => ({ time: { ms: Math.round(microseconds / 1000) } });
  return {
    beat: {
      cpu: { system: ms(cpu.system), user: ms(cpu.user), total: ms(cpu.system + cpu.user) },
      info: {
        ephemeral_id: info.ephemeral_id,
        name: info.name,
        uptime: { ms: Math.round(process.uptime() * 1000) },
        version: info.version,
      },
      memstats: { memory_alloc: heapUsed, memory_total: heapTotal, rss },
    },
    libbeat: { output: outputStats(metrics), pipeline: pipelineStats(metrics) },
    system: { cpu: { cores: availableParallelism() }, load: load() },
    launchbeat: {
      ...nested(metrics),
      ...(lastAnswer === undefined ? {} : { last_answer: { ...lastAnswer } }),
    },
  };
}

/** `GET /inputs/`: one input, the source. */
export function inputStats(source: string, metrics: Metrics): Tree[] {
  const of = (name: string): number => metrics[name] ?? 0;
  return [
    {
      input: source,
      id: source,
      received_events_total: of('capture.read'),
      discarded_events_total: leftOut(metrics),
      errors_total: of('map.refused') + of('capture.unreadable'),
    },
  ];
}

function outputStats(metrics: Metrics): Tree {
  const of = (name: string): number => metrics[`upload.${name}`] ?? 0;
  return {
    type: 'collector',
    events: {
      acked: of('lines'),
      batches: of('chunks'),
      duplicates: of('duplicates'),
      dropped: of('quarantined_lines'),
      total: of('lines') + of('quarantined_lines') - of('rejected'),
    },
    write: { bytes: of('bytes'), errors: of('retries') },
  };
}

function pipelineStats(metrics: Metrics): Tree {
  const of = (name: string): number => metrics[name] ?? 0;
  return {
    events: {
      total: of('capture.read'),
      filtered: leftOut(metrics),
      failed: of('map.refused'),
      published: of('spool.lines'),
      retry: of('upload.retries'),
    },
    queue: { acked: of('upload.lines') },
  };
}

function leftOut(metrics: Metrics): number {
  return Object.entries(metrics)
    .filter(([name]) => name.startsWith('map.left_out.'))
    .reduce((sum, [, value]) => sum + value, 0);
}

function load(): Tree {
  const [one = 0, five = 0, fifteen = 0] = loadavg();
  return { '1': one, '5': five, '15': fifteen };
}

/** Dotted names as nested objects. A name that is also the beginning of another keeps its value under `total`. */
function nested(metrics: Metrics): Tree {
  const root: Tree = {};
  for (const [name, value] of Object.entries(metrics)) {
    const parts = name.split('.');
    const leaf = parts.pop() ?? name;
    let level = root;
    for (const part of parts) {
      const there = level[part];
      const next: Tree =
        typeof there === 'object' ? there : there === undefined ? {} : { total: there };
      level[part] = next;
      level = next;
    }
    const there = level[leaf];
    if (typeof there === 'object') there['total'] = value;
    else level[leaf] = value;
  }
  return root;
}
