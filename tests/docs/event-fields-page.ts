/**
 * Takes the field table and ECS's own catalogue, gives docs/event-fields.md.
 */
import { EcsFlat } from '@elastic/ecs';
import { DATASET, dataStreamName, ECS_VERSION, FIELDS } from '@launchbeat/ecs-schemas';

/** Words for the fields that ECS does not define (Winlogbeat's and ours), and for those that have one fixed value here. */
const OWN: Readonly<Record<string, string>> = {
  message: 'The event as Windows words it; only where the reader rendered it.',
  'log.level': 'Always `information`.',
  'agent.id': 'Id that the agent made at its first start.',
  'agent.name': "`name` of the agent's config; by default the computer's name.",
  'agent.type': 'Always `launchbeat`.',
  'data_stream.type': 'Always `logs`.',
  'data_stream.dataset': `Always \`${DATASET}\`.`,
  'data_stream.namespace': "`namespace` of the agent's config.",
  'event.id': 'Deterministic id of the event; see below.',
  'event.code': 'Windows event id, `4688`; `1` of what process-poll found.',
  'event.kind': 'Always `event`.',
  'event.module': 'Always `security`.',
  'event.action': 'Always `created-process`.',
  'event.category': 'Always `process`.',
  'event.type': 'Always `start`.',
  'event.outcome': 'From the keywords of the event: `success` or `failure`.',
  'event.created': 'When the agent read the event.',
  'event.sequence': 'Record number in the log, as a number.',
  'host.os.type': 'Always `windows`.',
  'user.effective.name':
    'Target account where it differs from the subject, e.g. of an elevated start.',
  'winlog.channel': 'Log the event stood in: `Security`.',
  'winlog.computer_name': 'Computer as the event names it.',
  'winlog.event_id': 'Windows event id, `4688`.',
  'winlog.record_id': 'Record number in the log.',
  'winlog.logon.id': 'Logon session of the actor, to join with logon events (4624).',
  'winlog.provider_guid': 'GUID of the provider.',
  'winlog.version': 'Schema version of the event: 0 to Windows 7, 1 from 8.1, 2 from 10.',
  'winlog.event_data.MandatoryLabel': 'Integrity level of the new process, as a SID.',
  'winlog.event_data.TargetLogonId': 'Logon session of the target account.',
  'winlog.event_data.TokenElevationType': 'Elevation type of the token, as logged.',
  'launchbeat.program': 'Label of the watched program; absent for a program that is not watched.',
  'launchbeat.launch': "True: a person's start. False: a helper process or one of the system.",
  'launchbeat.actor.id': 'SID of who started it.',
  'launchbeat.actor.name':
    'Name of who started it: the target account where the event names one, else the subject. This is `username` in PostgreSQL and in messages.',
  'launchbeat.actor.domain': 'Domain of who started it.',
  'launchbeat.flags': 'Traits worth a search.',
  'launchbeat.pair': '`parent.exe > child.exe`.',
  'launchbeat.executable_dir': 'Folder of the executable.',
  'launchbeat.command_line_length': 'Length of the command line as logged, in UTF-16 units.',
  'launchbeat.decoded_command':
    "Scripts of PowerShell's `-EncodedCommand` and `FromBase64String('…')`, decoded and redacted; at most 16 KiB.",
  'launchbeat.redacted': 'How many secrets of the event were replaced by `‹redacted:kind:…›`.',
  'launchbeat.source':
    '`poll`: process-poll found it, since Windows logged no process starts. Absent: the Security log.',
};

const firstSentence = (text: string): string =>
  (/^[\s\S]*?[.](?=\s|$)/.exec(text)?.[0] ?? text)
    .replace(/\s+/g, ' ')
    .replaceAll('|', '\\|')
    .trim();

function describe(field: string): string {
  const ecs = (EcsFlat as Readonly<Record<string, { description?: string } | undefined>>)[field];
  const own = OWN[field];
  if (own !== undefined) return own;
  if (ecs?.description === undefined) throw new Error(`${field}: no description; add one to OWN`);
  return firstSentence(ecs.description);
}

/** The page as Markdown. */
export function eventFieldsPage(): string {
  const rows = Object.entries(FIELDS).map(
    ([field, type]) =>
      `| \`${field}\` | ${type.replace('+text', ', also `.text`')} | ${describe(field)} |`,
  );
  return `# Event fields

<!-- Written by \`make docs\`; do not edit by hand. -->

One document is one process start. It follows ECS ${ECS_VERSION} as Winlogbeat's security module writes it; what is ours stands under
\`launchbeat\`. It is the same document in the agent's NDJSON files, in the collector's archive and in Elasticsearch, in the data
stream \`${dataStreamName('<namespace>')}\` (dataset \`${DATASET}\`). That name falls under the patterns of Elastic
Security's prebuilt rules (\`logs-system.security*\`).

These fields are indexed. Everything else of the event (\`winlog.event_data.*\` as logged, tokens, thread ids) is kept in
\`_source\` and shown by Kibana, but not searchable, so that no document can grow the mapping. On an Elasticsearch without the
wildcard, constant_keyword and match_only_text field types the collector uses keyword and text instead.

| field | type | what it says |
|---|---|---|
${rows.join('\n')}

\`event.id\` follows from the event: 6 bytes of time in milliseconds and 10 bytes of SHA-256 over computer, channel, provider,
record id, time and event code, as base64url. The same record gives the same id whoever reads it and whenever; it is the
document's \`_id\`, so sending it twice changes nothing. Ids sort by time.
`;
}
