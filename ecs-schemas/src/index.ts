/** The door of what both programs share: the document, its id, the wire and the index template. */
export * from './chunk-protocol.ts';
export { EVENT_ID_PATTERN, type EventKey, eventId, eventIdTimeMs } from './event-id.ts';
export { FIELDS, type FieldType } from './fields.ts';
export * from './fleet-protocol.ts';
export {
  indexTemplate,
  TEMPLATE_NAME,
  TEMPLATE_PRIORITY,
  TEMPLATE_VERSION,
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
export { systemTimeMs } from './system-time.ts';
