/**
 * The oracle's events: each carries a mark of its own in its command line, by which it is known in every store, whatever ids the
 * programs under test give it. Some are starts of Chrome by a person, of which the chat must hear.
 */
import { writeFileSync } from 'node:fs';

export interface Given {
  /** Stands in the command line as `--given=<mark>`. */
  readonly mark: string;
  readonly commandLine: string;
  /** Whether a chat must hear of it. */
  readonly alert: boolean;
  readonly xml: string;
}

const FIRST_TIME_MS = Date.UTC(2026, 10, 23, 6);
const FIRST_RECORD = 5_000;
/** Every so many-th event is a launch of a watched program. */
const ALERT_EVERY = 40;

export interface GivenOptions {
  readonly count: number;
  /** What a command line carries behind its mark; default nothing. */
  readonly payload?: (index: number) => string;
  /** Whether any of them is told to the chat. */
  readonly alerts?: boolean;
}

/** Makes events of one PC, one a second, record ids with holes as a filtered log has them. */
export function giveEvents(options: GivenOptions): Given[] {
  return Array.from({ length: options.count }, (_, index) => {
    const mark = `m${index.toString(36).padStart(5, '0')}`;
    const alert = options.alerts !== false && index % ALERT_EVERY === 0;
    const image = alert
      ? 'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe'
      : 'C:\\Tools\\worker.exe';
    const commandLine = `"${image}" --given=${mark}${options.payload?.(index) ?? ''}`;
    return { mark, commandLine, alert, xml: eventXml(index, image, commandLine) };
  });
}

/** Writes them as a recording, one event a line. */
export function writeRecording(file: string, events: readonly Given[]): void {
  writeFileSync(file, events.map(({ xml }) => `${xml}\n`).join(''));
}

const escaped = (text: string): string =>
  text.replace(/[&<>'"]/g, (one) => `&#${one.charCodeAt(0)};`);

function eventXml(index: number, image: string, commandLine: string): string {
  const time = new Date(FIRST_TIME_MS + index * 1000).toISOString().replace('Z', '1234Z');
  const data: Readonly<Record<string, string>> = {
    SubjectUserSid: 'S-1-5-21-1-2-3-1105',
    SubjectUserName: 'Иванов',
    SubjectDomainName: 'OFFICE',
    SubjectLogonId: '0x3e7a1',
    NewProcessId: `0x${(4000 + index * 4).toString(16)}`,
    NewProcessName: image,
    TokenElevationType: '%%1938',
    ProcessId: '0xf50',
    CommandLine: commandLine,
    TargetUserSid: 'S-1-0-0',
    TargetUserName: '-',
    TargetDomainName: '-',
    TargetLogonId: '0x0',
    ParentProcessName: 'C:\\Windows\\explorer.exe',
    MandatoryLabel: 'S-1-16-8192',
  };
  const values = Object.entries(data).map(
    ([name, value]) => `<Data Name='${name}'>${escaped(value)}</Data>`,
  );
  return (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>" +
    "<Provider Name='Microsoft-Windows-Security-Auditing' Guid='{54849625-5478-4994-a5ba-3e3b0328c30d}'/>" +
    '<EventID>4688</EventID><Version>2</Version><Level>0</Level><Task>13312</Task><Opcode>0</Opcode>' +
    `<Keywords>0x8020000000000000</Keywords><TimeCreated SystemTime='${time}'/>` +
    `<EventRecordID>${FIRST_RECORD + index * 3}</EventRecordID><Correlation/><Execution ProcessID='4' ThreadID='212'/>` +
    '<Channel>Security</Channel><Computer>PC-FAULTS.office.example</Computer><Security/></System>' +
    `<EventData>${values.join('')}</EventData></Event>`
  );
}
