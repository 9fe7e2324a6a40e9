/**
 * Takes a parsed event 4688, gives its ECS document as Winlogbeat's security module writes it, with Launchbeat's additions.
 * Keeps: pure; a value that is empty in the event is not written; keys always stand in the same order.
 * Source of each rule: docs/event-fields.md and Elastic's pipelines for event 4688 (winlogbeat security module, newest).
 */
import { DATA_STREAM_TYPE, DATASET, eventId, type ProcessStart } from '@launchbeat/ecs-schemas';
import type { Actor } from './actor.ts';
import { dataValue } from './actor.ts';
import { commandLineArgs } from './command-line-args.ts';
import type { WindowsEvent } from './parse-event.ts';
import {
  fileName,
  folderOf,
  opcodeName,
  readKeywords,
  SECURITY_AUDITING,
  taskName,
  windowsNumber,
} from './windows-names.ts';

/** Who writes the document. */
export interface DocumentAgent {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly ephemeralId: string;
}

/** The parts that all documents of one agent share, the very objects: the writer of the lines prints them once. */
export type CommonParts = Pick<ProcessStart, 'agent' | 'data_stream'>;

/** Makes them; `namespace` is that of the data stream. */
export function commonParts(agent: DocumentAgent, namespace: string): CommonParts {
  return {
    agent: {
      id: agent.id,
      name: agent.name,
      type: 'launchbeat',
      version: agent.version,
      ephemeral_id: agent.ephemeralId,
    },
    data_stream: { type: DATA_STREAM_TYPE, dataset: DATASET, namespace },
  };
}

/** All that a document is made of. */
export interface DocumentInput {
  readonly event: WindowsEvent;
  /** `TimeCreated/@SystemTime` in Unix milliseconds. */
  readonly timeMs: number;
  readonly readAtMs: number;
  readonly common: CommonParts;
  /** The command line as it is written, redacted and cut if need be; '' = none. */
  readonly commandLine: string;
  /** UTF-16 units of the command line as logged; undefined = the event has none. */
  readonly commandLineLength: number | undefined;
  /** Scripts of `-EncodedCommand`; '' = none. */
  readonly decodedCommand: string;
  /** How many secrets were redacted. */
  readonly redacted: number;
  readonly actor: Actor;
  readonly program: string | undefined;
  readonly launch: boolean;
  readonly flags: readonly string[];
  /** process-poll found it, rather than Windows logged it. */
  readonly polled: boolean;
}

/** EventData that stands in fields of its own and is not kept under `winlog.event_data`, as in Winlogbeat. */
const MOVED = new Set(['NewProcessId', 'NewProcessName', 'ParentProcessName']);

/** The object without its empty parts: undefined, '', [] and {}. 0 stays. Most have none, and are given as they are. */
function filled<Part extends object>(part: Part): Part {
  for (const key in part) if (isEmpty(part[key])) return withoutEmpty(part);
  return part;
}

function withoutEmpty<Part extends object>(part: Part): Part {
  // A loop over the keys: by entries it would be half of what the whole document costs.
  const kept: Record<string, unknown> = {};
  for (const key in part) {
    const value: unknown = part[key];
    if (!isEmpty(value)) kept[key] = value;
  }
  return kept as Part;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === '') return true;
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.length === 0;
  for (const _ in value) return false;
  return true;
}

/** A number that is only written when it is there and not 0, as Winlogbeat does for System's numbers. */
function nonZero(text: string | undefined): number | undefined {
  const value = windowsNumber(text ?? '');
  return value === 0 ? undefined : value;
}

const unique = (texts: readonly string[]): string[] =>
  texts.filter((text, at) => text !== '' && texts.indexOf(text) === at);

function imageOf(path: string, pid: string): { pid?: number; executable?: string; name?: string } {
  const number = windowsNumber(pid);
  return filled({
    ...(number === undefined ? {} : { pid: number }),
    executable: path,
    name: fileName(path),
  });
}

function processOf(event: WindowsEvent, commandLine: string): ProcessStart['process'] {
  const { data } = event;
  const args = commandLineArgs(commandLine);
  return filled({
    ...imageOf(data.get('NewProcessName') ?? '', data.get('NewProcessId') ?? ''),
    command_line: commandLine,
    args,
    ...(args.length === 0 ? {} : { args_count: args.length }),
    parent: imageOf(data.get('ParentProcessName') ?? '', data.get('ProcessId') ?? ''),
  });
}

/** Subject is `user`; a Target that names somebody is `user.effective`, its name without what follows an "@". */
function userOf(data: ReadonlyMap<string, string>): ProcessStart['user'] {
  return filled({
    id: data.get('SubjectUserSid') ?? '',
    name: data.get('SubjectUserName') ?? '',
    domain: data.get('SubjectDomainName') ?? '',
    effective: filled({
      id: dataValue(data, 'TargetUserSid'),
      name: dataValue(data, 'TargetUserName').split('@', 1)[0] ?? '',
      domain: dataValue(data, 'TargetDomainName'),
    }),
  });
}

function relatedOf(event: WindowsEvent): ProcessStart['related'] {
  const target = dataValue(event.data, 'TargetUserName');
  return filled({
    user: unique([event.data.get('SubjectUserName') ?? '', target.split('@', 1)[0] ?? '', target]),
    hosts: unique([event.computer]),
  });
}

/** Event data that stays, and the pid too where it is no number: the raw value must not be lost. */
function eventDataOf(event: WindowsEvent, commandLine: string): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of event.data) {
    const moved = MOVED.has(name);
    if (moved && !(name === 'NewProcessId' && windowsNumber(value) === undefined)) continue;
    const text = name === 'CommandLine' ? commandLine : value;
    if (name !== '__proto__') kept[name] = text;
    // It must become a key like any other.
    else Object.defineProperty(kept, name, { value: text, enumerable: true });
  }
  return kept;
}

function winlogOf(event: WindowsEvent, commandLine: string): ProcessStart['winlog'] {
  const { execution } = event;
  const thread = filled({ id: nonZero(execution['ThreadID']) });
  return filled({
    channel: event.channel,
    computer_name: event.computer,
    provider_name: event.providerName || SECURITY_AUDITING.name,
    provider_guid: event.providerGuid || SECURITY_AUDITING.guid,
    record_id: event.recordId,
    event_id: event.eventId,
    version: nonZero(event.version),
    task: taskName(event.task),
    opcode: opcodeName(event.opcode),
    keywords: [...readKeywords(event.keywords).names],
    activity_id: event.activityId,
    related_activity_id: event.relatedActivityId,
    process: filled({ pid: nonZero(execution['ProcessID']), thread }),
    kernel_time: nonZero(execution['KernelTime']),
    user_time: nonZero(execution['UserTime']),
    processor_id: nonZero(execution['ProcessorID']),
    processor_time: nonZero(execution['ProcessorTime']),
    session_id: nonZero(execution['SessionID']),
    user: filled({ identifier: event.userId }),
    logon: filled({ id: event.data.get('SubjectLogonId') ?? '' }),
    event_data: eventDataOf(event, commandLine),
  });
}

function launchbeatOf(input: DocumentInput): ProcessStart['launchbeat'] {
  const { data } = input.event;
  const executable = data.get('NewProcessName') ?? '';
  const parent = fileName(data.get('ParentProcessName') ?? '');
  const { logonId: _, ...actor } = input.actor;
  return {
    ...(input.program === undefined ? {} : { program: input.program }),
    launch: input.launch,
    actor,
    ...filled({
      flags: [...input.flags],
      pair: parent === '' || executable === '' ? '' : `${parent} > ${fileName(executable)}`,
      executable_dir: folderOf(executable),
      command_line_length: input.commandLineLength,
      decoded_command: input.decodedCommand,
      redacted: input.redacted === 0 ? undefined : input.redacted,
      source: input.polled ? 'poll' : '',
    }),
  };
}

/** Pids that Windows printed in no form that is known stay in `winlog.event_data` and are tagged. */
function tagsOf(data: ReadonlyMap<string, string>): string[] {
  const unread = (name: string): boolean =>
    data.has(name) && windowsNumber(data.get(name) ?? '') === undefined;
  return unread('NewProcessId') || unread('ProcessId') ? ['pid_unreadable'] : [];
}

let lastReadAtMs = Number.NaN;
let lastIsoTime = '';

/** A batch is read within few milliseconds: the last text is remembered. */
function isoTime(timeMs: number): string {
  if (timeMs !== lastReadAtMs) {
    lastIsoTime = new Date(timeMs).toISOString();
    lastReadAtMs = timeMs;
  }
  return lastIsoTime;
}

function eventOf(input: DocumentInput): ProcessStart['event'] {
  const { event } = input;
  const sequence = windowsNumber(event.recordId);
  return filled({
    id: eventId({
      computer: event.computer,
      channel: event.channel,
      providerGuid: event.providerGuid || SECURITY_AUDITING.guid,
      recordId: event.recordId,
      timeMs: input.timeMs,
      eventCode: event.eventId,
    }),
    code: event.eventId,
    kind: 'event',
    module: 'security',
    provider: event.providerName || SECURITY_AUDITING.name,
    action: input.polled ? 'found-process' : 'created-process',
    category: ['process'],
    type: ['start'],
    outcome: readKeywords(event.keywords).outcome,
    created: isoTime(input.readAtMs),
    // What process-poll finds stands in no log: its record id is made up.
    sequence: input.polled ? undefined : sequence,
  });
}

/** Builds the document. It has no `log.level` and no `ecs.version`: the writer of the line puts them at its two ends. */
export function ecsDocument(input: DocumentInput): ProcessStart {
  const { common, event } = input;
  return filled({
    '@timestamp': event.systemTime,
    agent: common.agent,
    data_stream: common.data_stream,
    event: eventOf(input),
    host: { name: event.computer, os: { type: 'windows' } },
    message: event.message,
    process: processOf(event, input.commandLine),
    related: relatedOf(event),
    tags: tagsOf(event.data),
    user: userOf(event.data),
    winlog: winlogOf(event, input.commandLine),
    launchbeat: launchbeatOf(input),
  });
}
