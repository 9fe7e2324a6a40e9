/** The door of what both programs share: the document, its id, the wire and the index template. */
export {
  ALERT_FIELDS_INDEXED,
  ALERTS_DATASET,
  type AlertRecord,
  alertRecordSchema,
} from './alert-record.ts';
export * from './chunk-protocol.ts';
export { EVENT_ID_PATTERN, type EventKey, eventId, eventIdTimeMs, timedId } from './event-id.ts';
export { FIELDS, type FieldTable, type FieldType } from './fields.ts';
export * from './fleet-protocol.ts';
export {
  HEALTH_DATASET,
  HEALTH_FIELDS,
  type HealthRecord,
  healthRecordSchema,
} from './health-record.ts';
export {
  indexTemplate,
  TEMPLATE_PRIORITY,
  type TemplateBuild,
  type TemplateOptions,
} from './index-template.ts';
export { countLines, eachLine, wholeLinesBytes } from './ndjson.ts';
export {
  DATA_STREAM_TYPE,
  DATASET,
  dataStreamName,
  ECS_VERSION,
  namespaceSchema,
  type ProcessStart,
  processStartSchema,
} from './process-start.ts';
export {
  STREAM_KEYS,
  STREAMS,
  type StreamKey,
  streamName,
  TEMPLATE_NAME,
  TEMPLATE_VERSION,
  templateName,
} from './streams.ts';
export { systemTimeMs } from './system-time.ts';
export { type AlertParts, writeAlertRecord } from './write-alert-record.ts';
export { type AgentFace, type HealthParts, writeHealthRecord } from './write-health-record.ts';
