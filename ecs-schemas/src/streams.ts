/**
 * The data streams that we write, each with its name, its fields and the version of its mapping: process starts, the health of the
 * agents, and alerts.
 */
import { ALERT_FIELDS_INDEXED, ALERTS_DATASET } from './alert-record.ts';
import { FIELDS, type FieldTable } from './fields.ts';
import { HEALTH_DATASET, HEALTH_FIELDS } from './health-record.ts';
import { DATA_STREAM_TYPE, DATASET } from './process-start.ts';

export const STREAM_KEYS = ['starts', 'health', 'alerts'] as const;
export type StreamKey = (typeof STREAM_KEYS)[number];

/** What one data stream is made of. */
export interface StreamParts {
  readonly dataset: string;
  /** Raised with every change of the mapping, so that `setup` can tell an older template from a foreign one. */
  readonly version: number;
  readonly fields: FieldTable;
  /** Where a query without a field looks. */
  readonly defaultFields: readonly string[];
}

export const STREAMS: Readonly<Record<StreamKey, StreamParts>> = {
  starts: {
    dataset: DATASET,
    version: 1,
    fields: FIELDS,
    defaultFields: [
      'process.command_line.text',
      'process.name',
      'user.name',
      'host.name',
      'message',
    ],
  },
  health: {
    dataset: HEALTH_DATASET,
    version: 1,
    fields: HEALTH_FIELDS,
    defaultFields: ['message', 'agent.name', 'host.name', 'launchbeat.health.fact.kind'],
  },
  alerts: {
    dataset: ALERTS_DATASET,
    version: 1,
    fields: ALERT_FIELDS_INDEXED,
    defaultFields: ['message', 'rule.id', 'launchbeat.actor.name', 'host.name', 'process.name'],
  },
};

/** Name of a stream's index template: the part before the namespace. */
export function templateName(stream: StreamKey = 'starts'): string {
  return `${DATA_STREAM_TYPE}-${STREAMS[stream].dataset}`;
}

/** Name of the data stream of one namespace. */
export function streamName(stream: StreamKey, namespace: string): string {
  return `${templateName(stream)}-${namespace}`;
}

/** Of the process starts. */
export const TEMPLATE_NAME = templateName('starts');
export const TEMPLATE_VERSION = STREAMS.starts.version;
