/**
 * Takes a parsed event 4688, gives `winlog`: the event's own values, named and left out as in Winlogbeat.
 * Keeps: values under `event_data` stay as logged (hex stays hex); nothing that stands in a field of its own is repeated there.
 */
import type { ProcessStart } from '@launchbeat/ecs-schemas';
import type { WindowsEvent } from './windows-event.ts';
import {
  opcodeName,
  readKeywords,
  SECURITY_AUDITING,
  taskName,
  windowsNumber,
} from './windows-names.ts';

/** EventData that stands in fields of its own and is not kept under `winlog.event_data`, as in Winlogbeat. */
const MOVED = new Set(['NewProcessId', 'NewProcessName', 'ParentProcessName']);

/** A number that is only written when it is there and not 0, as Winlogbeat does for System's numbers. */
function nonZero(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = windowsNumber(text);
  return value === 0 ? undefined : value;
}

/** Event data that stays, and the pid too where it is no number: the raw value must not be lost. Undefined where there is none. */
function eventDataOf(event: WindowsEvent, commandLine: string): Record<string, string> | undefined {
  const kept: Record<string, string> = {};
  let isEmpty = true;
  for (const name in event.data) {
    const value = event.data[name] ?? '';
    if (value === '') continue;
    const moved = MOVED.has(name);
    if (moved && !(name === 'NewProcessId' && windowsNumber(value) === undefined)) continue;
    isEmpty = false;
    const text = name === 'CommandLine' ? commandLine : value;
    if (name !== '__proto__') kept[name] = text;
    // It must become a key like any other.
    else Object.defineProperty(kept, name, { value: text, enumerable: true });
  }
  return isEmpty ? undefined : kept;
}

type Winlog = ProcessStart['winlog'];

/** Makes it; `commandLine` is the one to write, redacted and cut if need be. */
export function winlogOf(event: WindowsEvent, commandLine: string): Winlog {
  const winlog: Winlog = {
    channel: event.channel,
    computer_name: event.computer,
    provider_name: event.providerName || SECURITY_AUDITING.name,
    provider_guid: event.providerGuid || SECURITY_AUDITING.guid,
    record_id: event.recordId,
    event_id: event.eventId,
  };
  const version = nonZero(event.version);
  if (version !== undefined) winlog.version = version;
  const task = taskName(event.task);
  if (task !== undefined) winlog.task = task;
  const opcode = opcodeName(event.opcode);
  if (opcode !== undefined) winlog.opcode = opcode;
  const { names } = readKeywords(event.keywords);
  if (names.length > 0) winlog.keywords = [...names];
  if (event.activityId !== '') winlog.activity_id = event.activityId;
  if (event.relatedActivityId !== '') winlog['related_activity_id'] = event.relatedActivityId;
  addExecution(winlog, event.execution);
  if (event.userId !== '') winlog['user'] = { identifier: event.userId };
  const logonId = event.data['SubjectLogonId'] ?? '';
  if (logonId !== '') winlog.logon = { id: logonId };
  const data = eventDataOf(event, commandLine);
  if (data !== undefined) winlog.event_data = data;
  return winlog;
}

/** Attributes of `Execution` that few events have, and their fields. */
const EXECUTION_FIELDS = [
  ['KernelTime', 'kernel_time'],
  ['UserTime', 'user_time'],
  ['ProcessorID', 'processor_id'],
  ['ProcessorTime', 'processor_time'],
  ['SessionID', 'session_id'],
] as const;

/** Puts in the process that logged. */
function addExecution(winlog: Winlog, execution: WindowsEvent['execution']): void {
  const pid = nonZero(execution['ProcessID']);
  const thread = nonZero(execution['ThreadID']);
  if (pid !== undefined || thread !== undefined) {
    const process: NonNullable<Winlog['process']> = {};
    if (pid !== undefined) process.pid = pid;
    if (thread !== undefined) process.thread = { id: thread };
    winlog.process = process;
  }
  for (const [attribute, field] of EXECUTION_FIELDS) {
    const value = nonZero(execution[attribute]);
    if (value !== undefined) winlog[field] = value;
  }
}
