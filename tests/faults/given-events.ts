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
const COMPUTER = 'PC-FAULTS.office.example';
/** Every so many-th event is a launch of a watched program. */
const ALERT_EVERY = 40;

export interface GivenOptions {
  readonly count: number;
  /** What a command line carries behind its mark; default nothing. */
  readonly payload?: (index: number) => string;
  /** Whether any of them is told to the chat. */
  readonly alerts?: boolean;
  /** Number of the first one; marks, times and record ids go on from it. Default 0. */
  readonly first?: number;
  /** First letter of the marks. Default `m`. */
  readonly letter?: 'm' | 'c';
  readonly computer?: string;
  /** Record id of event 0, where it is not the usual one. */
  readonly firstRecord?: number;
}

/** Makes events of one PC, one a second, record ids with holes as a filtered log has them. */
export function giveEvents(options: GivenOptions): Given[] {
  const { first = 0, letter = 'm', computer = COMPUTER, firstRecord = FIRST_RECORD } = options;
  return Array.from({ length: options.count }, (_, at) => {
    const index = first + at;
    const mark = `${letter}${index.toString(36).padStart(5, '0')}`;
    const alert = options.alerts !== false && index % ALERT_EVERY === 0;
    const image = alert
      ? 'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe'
      : 'C:\\Tools\\worker.exe';
    const commandLine = `"${image}" --given=${mark}${options.payload?.(index) ?? ''}`;
    const place = { computer, recordId: firstRecord + index * 3 };
    return { mark, commandLine, alert, xml: eventXml(index, image, commandLine, place) };
  });
}

/** Writes them as a recording, one event a line. */
export function writeRecording(file: string, events: readonly Given[]): void {
  writeFileSync(file, events.map(({ xml }) => `${xml}\n`).join(''));
}

const escaped = (text: string): string =>
  text.replace(/[&<>'"]/g, (one) => `&#${one.charCodeAt(0)};`);

/** When event number `index` happened, in Unix milliseconds. */
export const timeOfGiven = (index: number): number => FIRST_TIME_MS + index * 1000;

function eventXml(
  index: number,
  image: string,
  commandLine: string,
  place: { readonly computer: string; readonly recordId: number },
): string {
  const time = new Date(timeOfGiven(index)).toISOString().replace('Z', '1234Z');
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
    `<EventRecordID>${place.recordId}</EventRecordID><Correlation/><Execution ProcessID='4' ThreadID='212'/>` +
    '<Channel>Security</Channel><Computer>' +
    `${place.computer}</Computer><Security/></System>` +
    `<EventData>${values.join('')}</EventData></Event>`
  );
}

/** An event of the log itself (1100 service stopped, 1102 log cleared), at the time of event number `index`. */
export function logEvent(code: number, recordId: number, index: number): string {
  const time = new Date(timeOfGiven(index)).toISOString().replace('Z', '1234Z');
  return (
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>" +
    "<Provider Name='Microsoft-Windows-Eventlog' Guid='{fc65ddd8-d6ef-4962-83d5-6e5cfe9ce148}'/>" +
    `<EventID>${code}</EventID><Version>0</Version><Level>4</Level><Task>104</Task><Opcode>0</Opcode>` +
    `<Keywords>0x4020000000000000</Keywords><TimeCreated SystemTime='${time}'/>` +
    `<EventRecordID>${recordId}</EventRecordID><Correlation/><Execution ProcessID='4' ThreadID='212'/>` +
    `<Channel>Security</Channel><Computer>${COMPUTER}</Computer><Security/></System><UserData/></Event>`
  );
}
