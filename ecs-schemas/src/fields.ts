/**
 * Every field of a process start that Elasticsearch indexes, with its type in ECS's terms: the one source of the index template's two builds.
 * What is not here stays in `_source` and is not searchable (`dynamic: false`), so that no document can grow the mapping.
 * Keeps: lean, since a field costs Elasticsearch more than it costs us; every ECS field has ECS's own type (a test asks @elastic/ecs).
 */

/** Field types of the `ecs` build; `+text` adds the multi-field `.text` that ECS defines for full-text search. */
export type FieldType =
  | 'date'
  | 'keyword'
  | 'constant_keyword'
  | 'wildcard+text'
  | 'long'
  | 'boolean'
  | 'match_only_text'
  /** An object whose keys nobody knows beforehand, as one field. */
  | 'flattened';

/** Field path → type. Order is the order of the document. */
export type FieldTable = Readonly<Record<string, FieldType>>;

/** Of a process start. */
export const FIELDS: FieldTable = {
  '@timestamp': 'date',
  'log.level': 'keyword',
  'ecs.version': 'keyword',
  message: 'match_only_text',
  tags: 'keyword',
  'agent.id': 'keyword',
  'agent.name': 'keyword',
  'agent.type': 'keyword',
  'agent.version': 'keyword',
  'data_stream.type': 'constant_keyword',
  'data_stream.dataset': 'constant_keyword',
  'data_stream.namespace': 'constant_keyword',
  'event.id': 'keyword',
  'event.code': 'keyword',
  'event.kind': 'keyword',
  'event.module': 'keyword',
  'event.provider': 'keyword',
  'event.action': 'keyword',
  'event.category': 'keyword',
  'event.type': 'keyword',
  'event.outcome': 'keyword',
  'event.created': 'date',
  'event.sequence': 'long',
  'host.name': 'keyword',
  'host.os.type': 'keyword',
  'process.pid': 'long',
  'process.executable': 'keyword',
  'process.name': 'keyword',
  'process.command_line': 'wildcard+text',
  'process.args': 'keyword',
  'process.args_count': 'long',
  'process.parent.pid': 'long',
  'process.parent.executable': 'keyword',
  'process.parent.name': 'keyword',
  'related.user': 'keyword',
  'related.hosts': 'keyword',
  'user.id': 'keyword',
  'user.name': 'keyword',
  'user.domain': 'keyword',
  'user.effective.id': 'keyword',
  'user.effective.name': 'keyword',
  'user.effective.domain': 'keyword',
  'winlog.channel': 'keyword',
  'winlog.computer_name': 'keyword',
  'winlog.event_id': 'keyword',
  'winlog.record_id': 'keyword',
  'winlog.logon.id': 'keyword',
  'winlog.provider_guid': 'keyword',
  'winlog.version': 'long',
  'winlog.event_data.MandatoryLabel': 'keyword',
  'winlog.event_data.TargetLogonId': 'keyword',
  'winlog.event_data.TokenElevationType': 'keyword',
  'launchbeat.program': 'keyword',
  'launchbeat.launch': 'boolean',
  'launchbeat.actor.id': 'keyword',
  'launchbeat.actor.name': 'keyword',
  'launchbeat.actor.domain': 'keyword',
  'launchbeat.flags': 'keyword',
  'launchbeat.pair': 'keyword',
  'launchbeat.executable_dir': 'keyword',
  'launchbeat.command_line_length': 'long',
  'launchbeat.decoded_command': 'wildcard+text',
  'launchbeat.redacted': 'long',
  'launchbeat.source': 'keyword',
};
