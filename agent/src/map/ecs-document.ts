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
import type { ProgramPath } from './program-path.ts';
import type { StartedImage } from './watched-programs.ts';
import { hasValue } from './windows-event.ts';
import { readKeywords, SECURITY_AUDITING, windowsNumber } from './windows-names.ts';
import { winlogOf } from './winlog-part.ts';

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
  /** The programs that the event names. */
  readonly image: Pick<StartedImage, 'executable' | 'parentExecutable'>;
  /** `TimeCreated/@SystemTime` in Unix milliseconds. */
  readonly timeMs: number;
  readonly readAtMs: number;
  readonly common: CommonParts;
  /** The command line as it is written, redacted and cut if need be; '' = none. */
  readonly commandLine: string;
  /** UTF-16 units of the command line as logged; 0 = the event has none. */
  readonly commandLineLength: number;
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

type Launchbeat = ProcessStart['launchbeat'];
type Image = NonNullable<ProcessStart['process']['parent']>;

/** Puts what is known of a program into a part: pid, path, name. */
function addImage<Part extends Image>(part: Part, { path, name }: ProgramPath, pid: string): Part {
  const number = windowsNumber(pid);
  if (number !== undefined) part.pid = number;
  if (path === '') return part;
  part.executable = path;
  if (name !== '') part.name = name;
  return part;
}

function processOf({ event, image, commandLine }: DocumentInput): ProcessStart['process'] {
  const { data } = event;
  const process: ProcessStart['process'] = {};
  addImage(process, image.executable, data['NewProcessId'] ?? '');
  if (commandLine !== '') process.command_line = commandLine;
  const args = commandLineArgs(commandLine);
  if (args.length > 0) {
    process.args = args;
    process.args_count = args.length;
  }
  const parent: Image = addImage({}, image.parentExecutable, data['ProcessId'] ?? '');
  if (parent.pid !== undefined || image.parentExecutable.path !== '') process.parent = parent;
  return process;
}

type Account = Launchbeat['actor'];

/** What is known of an account; undefined = nothing. */
function accountOf(id: string, name: string, domain: string): Account | undefined {
  if (id === '' && name === '' && domain === '') return undefined;
  const account: Account = {};
  if (id !== '') account.id = id;
  if (name !== '') account.name = name;
  if (domain !== '') account.domain = domain;
  return account;
}

/** Subject is `user`; a Target that names somebody is `user.effective`, its name without what follows an "@". */
function userOf(data: WindowsEvent['data']): ProcessStart['user'] {
  const subject = accountOf(
    data['SubjectUserSid'] ?? '',
    data['SubjectUserName'] ?? '',
    data['SubjectDomainName'] ?? '',
  );
  const effective = accountOf(
    dataValue(data, 'TargetUserSid'),
    beforeAt(dataValue(data, 'TargetUserName')),
    dataValue(data, 'TargetDomainName'),
  );
  return effective === undefined ? subject : { ...subject, effective };
}

function beforeAt(name: string): string {
  const end = name.indexOf('@');
  return end === -1 ? name : name.slice(0, end);
}

function relatedOf(event: WindowsEvent): ProcessStart['related'] {
  const target = dataValue(event.data, 'TargetUserName');
  const user: string[] = [];
  addNew(user, event.data['SubjectUserName'] ?? '');
  addNew(user, beforeAt(target));
  addNew(user, target);
  return user.length === 0 ? { hosts: [event.computer] } : { user, hosts: [event.computer] };
}

function addNew(texts: string[], text: string): void {
  if (text !== '' && !texts.includes(text)) texts.push(text);
}

function launchbeatOf(input: DocumentInput): Launchbeat {
  const { launch } = input;
  const { executable, parentExecutable } = input.image;
  const { id = '', name = '', domain = '' } = input.actor;
  const actor = accountOf(id, name, domain) ?? {};
  const part: Launchbeat =
    input.program === undefined ? { launch, actor } : { program: input.program, launch, actor };
  if (input.flags.length > 0) part.flags = [...input.flags];
  const parent = parentExecutable.name;
  if (parent !== '' && executable.path !== '') part.pair = `${parent} > ${executable.name}`;
  if (executable.folder !== undefined) part.executable_dir = executable.folder;
  if (input.commandLineLength > 0) part.command_line_length = input.commandLineLength;
  if (input.decodedCommand !== '') part.decoded_command = input.decodedCommand;
  if (input.redacted > 0) part.redacted = input.redacted;
  if (input.polled) part.source = 'poll';
  return part;
}

/** Pids that Windows printed in no form that is known stay in `winlog.event_data` and are tagged. */
function hasUnreadPid(data: WindowsEvent['data'], process: ProcessStart['process']): boolean {
  return (
    (process.pid === undefined && hasValue(data, 'NewProcessId')) ||
    (process.parent?.pid === undefined && hasValue(data, 'ProcessId'))
  );
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
  const part: Partial<ProcessStart['event']> = {
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
  };
  const { outcome } = readKeywords(event.keywords);
  if (outcome !== undefined) part.outcome = outcome;
  part.created = isoTime(input.readAtMs);
  // What process-poll finds stands in no log: its record id is made up.
  const sequence = input.polled ? undefined : windowsNumber(event.recordId);
  if (sequence !== undefined) part.sequence = sequence;
  return part as ProcessStart['event'];
}

/**
 * Builds the document. It has no `log.level` and no `ecs.version`: the writer of the line puts them at its two ends. Its parts are
 * made key by key, each only where there is something to say: to make them whole and then to take out what is empty would cost twice.
 */
export function ecsDocument(input: DocumentInput): ProcessStart {
  const { common, event } = input;
  const document: Partial<ProcessStart> = {
    '@timestamp': event.systemTime,
    agent: common.agent,
    data_stream: common.data_stream,
    event: eventOf(input),
    host: { name: event.computer, os: { type: 'windows' } },
  };
  if (event.message !== '') document.message = event.message;
  const process = processOf(input);
  document.process = process;
  document.related = relatedOf(event);
  if (hasUnreadPid(event.data, process)) document.tags = ['pid_unreadable'];
  const user = userOf(event.data);
  if (user !== undefined) document.user = user;
  document.winlog = winlogOf(event, input.commandLine);
  document.launchbeat = launchbeatOf(input);
  return document as ProcessStart;
}
