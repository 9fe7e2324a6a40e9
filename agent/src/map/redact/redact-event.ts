/**
 * Takes a parsed event, gives it without secrets: the command line, every other free text of EventData, and the message.
 * Keeps: what Windows itself writes (SIDs, names, pids, paths) stays as it is, and so does the event's id.
 */
import { copyOf, type WindowsEvent } from '../windows-event.ts';
import type { Redactor } from './create-redactor.ts';

export interface RedactedEvent {
  readonly event: WindowsEvent;
  /** How many secrets were replaced; those of the command line count once though the message repeats it. */
  readonly count: number;
  /** Scripts of `-EncodedCommand`, decoded and redacted; absent where there is none. */
  readonly decoded?: string;
}

/** Values of event 4688 that are no free text. */
const NO_FREE_TEXT = new Set([
  'SubjectUserSid',
  'SubjectUserName',
  'SubjectDomainName',
  'SubjectLogonId',
  'NewProcessId',
  'NewProcessName',
  'TokenElevationType',
  'ProcessId',
  'TargetUserSid',
  'TargetUserName',
  'TargetDomainName',
  'TargetLogonId',
  'ParentProcessName',
  'MandatoryLabel',
]);

/** Redacts every text of an event that a person may have written. */
export function redactEvent(redactor: Redactor, event: WindowsEvent): RedactedEvent {
  const image = event.data['NewProcessName'] ?? '';
  const commandLine = event.data['CommandLine'] ?? '';
  const line = redactor.redact(commandLine, image);
  let replaced: Map<string, string> | undefined;
  let count = line.count;
  if (line.count > 0) replaced = new Map([['CommandLine', line.text]]);
  // Names alone: pairs would be made anew for each, and nearly every event has none but these.
  for (const name in event.data) {
    if (name === 'CommandLine' || NO_FREE_TEXT.has(name)) continue;
    const redacted = redactor.redact(event.data[name] ?? '');
    if (redacted.count === 0) continue;
    replaced ??= new Map();
    replaced.set(name, redacted.text);
    count += redacted.count;
  }
  const message = redactMessage(redactor, event.message, { commandLine, image, clean: line.text });
  count += message.count;
  const decoded = line.decoded === undefined ? {} : { decoded: line.decoded };
  if (count === 0) return { event, count, ...decoded };
  const data = copyOf(event.data);
  for (const [name, value] of replaced ?? []) data[name] = value;
  return { event: { ...event, data, message: message.text }, count, ...decoded };
}

/** The message repeats the command line: that is put in as it was redacted, the rest is looked through by itself. */
function redactMessage(
  redactor: Redactor,
  message: string,
  line: { commandLine: string; image: string; clean: string },
): { text: string; count: number } {
  if (message === '') return { text: message, count: 0 };
  const parts = line.commandLine === '' ? [message] : message.split(line.commandLine);
  let count = 0;
  const clean = parts.map((part) => {
    const redacted = redactor.redact(part, line.image);
    count += redacted.count;
    return redacted.text;
  });
  return { text: clean.join(line.clean), count };
}
