/**
 * Takes what is to be said of the health of an agent or of the server, gives the document. Pure: the same gives the same, its id too.
 */
import { timedId } from './event-id.ts';
import type { FactLevel } from './fleet-protocol.ts';
import { HEALTH_DATASET, type HealthRecord } from './health-record.ts';
import { DATA_STREAM_TYPE, ECS_VERSION } from './process-start.ts';

/** Who an agent is. */
export interface AgentFace {
  readonly id: string;
  /** Empty: its id stands in. */
  readonly name: string;
  /** Empty: not known. */
  readonly host: string;
  readonly os: string;
  readonly version: string;
}

export interface HealthParts {
  readonly namespace: string;
  /** When it happened, or the moment that it is about. */
  readonly at: Date;
  /** When the collector knew of it; the id is made with it. */
  readonly knownAt: Date;
  /** What tells it from any other of that time. */
  readonly key: readonly string[];
  readonly action: string;
  readonly level: FactLevel;
  readonly message: string;
  /** Absent: it is about the server. */
  readonly agent?: AgentFace;
  readonly reason?: string;
  /** Of a fact that stands for several: the last time. */
  readonly end?: Date | null;
  readonly tags?: readonly string[];
  readonly health: HealthRecord['launchbeat']['health'];
}

/** The document. */
export function writeHealthRecord(parts: HealthParts): HealthRecord {
  const { at, knownAt, health, reason = '', end, tags = [] } = parts;
  const isFact = health.record === 'fact';
  return {
    '@timestamp': at.toISOString(),
    'ecs.version': ECS_VERSION,
    'log.level': parts.level,
    message: parts.message,
    ...(parts.agent === undefined ? {} : facesOf(parts.agent)),
    data_stream: {
      type: DATA_STREAM_TYPE,
      dataset: HEALTH_DATASET,
      namespace: parts.namespace,
    },
    event: {
      id: timedId(knownAt.getTime(), parts.key),
      kind: isFact ? 'event' : 'metric',
      module: 'launchbeat',
      dataset: HEALTH_DATASET,
      action: parts.action,
      category: ['host'],
      type: [isFact && parts.level === 'error' ? 'error' : 'info'],
      created: knownAt.toISOString(),
      ...(end == null ? {} : { end: end.toISOString() }),
      ...(reason === '' ? {} : { reason }),
    },
    ...(tags.length === 0 ? {} : { tags: [...tags] }),
    launchbeat: { health },
  };
}

function facesOf({ id, name, host, os, version }: AgentFace) {
  const system = { type: 'windows' as const, ...(os === '' ? {} : { full: os }) };
  return {
    agent: { id, name: name || id, type: 'launchbeat' as const, version },
    ...(host === '' ? {} : { host: { name: host, os: system }, related: { hosts: [host] } }),
  };
}
