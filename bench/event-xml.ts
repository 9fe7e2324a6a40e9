/**
 * Takes the number of an event, gives event 4688 as Windows prints it: an office of PCs, people and programs.
 * Keeps: the same number gives the same event on every machine; record ids and times rise with the number; about one event in
 * twenty is a person's start of a watched program.
 */

/** What stands in an event besides what follows from its number. */
export interface EventShape {
  /** Unix milliseconds; default: the number's own second. */
  readonly timeMs?: number;
  /** Name of the PC; default: one of 40. */
  readonly computer?: string;
  /** True: a person starts Google Chrome. False: a program that nobody watches. Default: as the number has it. */
  readonly watched?: boolean;
}

const FIRST_TIME_MS = Date.UTC(2026, 2, 2, 6, 0, 0);
const FIRST_RECORD = 218_404;
const COMPUTERS = 40;
const PEOPLE = [
  'Иванов',
  'Петрова',
  'a.smirnov',
  'buh01',
  'kassa2',
  'o.kuznetsova',
  'Müller',
  'admin.it',
];

/** Program, arguments, parent, integrity level. Paths and arguments as real PCs log them. */
const STARTS: readonly (readonly [program: string, args: string, parent: string, label: string])[] =
  [
    [
      'C:\\Windows\\System32\\svchost.exe',
      ' -k netsvcs -p -s wuauserv',
      'C:\\Windows\\System32\\services.exe',
      'S-1-16-16384',
    ],
    [
      'C:\\Windows\\System32\\RuntimeBroker.exe',
      ' -Embedding',
      'C:\\Windows\\System32\\svchost.exe',
      'S-1-16-8192',
    ],
    [
      'C:\\Program Files (x86)\\Microsoft\\EdgeUpdate\\MicrosoftEdgeUpdate.exe',
      ' /ua /installsource scheduler',
      'C:\\Windows\\System32\\svchost.exe',
      'S-1-16-16384',
    ],
    [
      'C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE',
      ' /n "C:\\Users\\Public\\Documents\\Договор поставки № 17 от 02.03.2026.docx" /o ""',
      'C:\\Windows\\explorer.exe',
      'S-1-16-8192',
    ],
    [
      'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe',
      ' -NoProfile -ExecutionPolicy Bypass -File "\\\\fs01\\netlogon\\inventory.ps1" -Verbose',
      'C:\\Windows\\System32\\cmd.exe',
      'S-1-16-12288',
    ],
    [
      'C:\\Windows\\System32\\cmd.exe',
      ' /c "tasklist /fi "imagename eq 1cv8.exe" &amp; echo done &gt; %TEMP%\\check.txt"',
      'C:\\Windows\\System32\\taskhostw.exe',
      'S-1-16-8192',
    ],
    [
      'C:\\Program Files\\1cv8\\8.3.25.1394\\bin\\1cv8.exe',
      ' ENTERPRISE /S"srv1c\\accounting" /N"Бухгалтер" /AppAutoCheckMode',
      'C:\\Program Files\\1cv8\\common\\1cestart.exe',
      'S-1-16-8192',
    ],
    [
      'C:\\Windows\\System32\\conhost.exe',
      ' 0xffffffff -ForceV1',
      'C:\\Windows\\System32\\cmd.exe',
      'S-1-16-8192',
    ],
  ];
const CHROME = 'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe';
const WATCHED_EVERY = 20;

/** A number of 32 bits that looks like chance but is not. */
function mixed(seed: number): number {
  let value = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

const pick = <T>(list: readonly T[], chance: number): T => list[chance % list.length] as T;

/** Event number `n` (from 0) as one line. */
export function eventXml(n: number, shape: EventShape = {}): string {
  const chance = mixed(n);
  const isWatched = shape.watched ?? n % WATCHED_EVERY === 0;
  const start = pick(STARTS, chance);
  const [program, args, parent, label] = isWatched
    ? [
        CHROME,
        ` --profile-directory="Profile ${chance % 5}"`,
        'C:\\Windows\\explorer.exe',
        'S-1-16-8192',
      ]
    : start;
  const person = pick(PEOPLE, chance >>> 3);
  const computer =
    shape.computer ?? `PC-${String(chance % COMPUTERS).padStart(3, '0')}.office.example`;
  const time = new Date(shape.timeMs ?? FIRST_TIME_MS + n * 40).toISOString();
  const fraction = String(chance % 10_000).padStart(4, '0');
  const data = {
    SubjectUserSid: `S-1-5-21-3623811015-3361044348-30300820-${1100 + (chance % PEOPLE.length)}`,
    SubjectUserName: person,
    SubjectDomainName: 'OFFICE',
    SubjectLogonId: `0x${(0x3e800 + (chance % 65_536)).toString(16)}`,
    NewProcessId: `0x${(chance % 32_768).toString(16)}`,
    NewProcessName: program,
    TokenElevationType: label === 'S-1-16-12288' ? '%%1937' : '%%1938',
    ProcessId: `0x${((chance >>> 8) % 32_768).toString(16)}`,
    CommandLine: `"${program}"${args}`,
    TargetUserSid: 'S-1-0-0',
    TargetUserName: '-',
    TargetDomainName: '-',
    TargetLogonId: '0x0',
    ParentProcessName: parent,
    MandatoryLabel: label,
  };
  const values = Object.entries(data).map(
    ([name, value]) => `<Data Name='${name}'>${value}</Data>`,
  );
  return `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Microsoft-Windows-Security-Auditing' Guid='{54849625-5478-4994-a5ba-3e3b0328c30d}'/><EventID>4688</EventID><Version>2</Version><Level>0</Level><Task>13312</Task><Opcode>0</Opcode><Keywords>0x8020000000000000</Keywords><TimeCreated SystemTime='${time.replace('Z', `${fraction}Z`)}'/><EventRecordID>${FIRST_RECORD + n}</EventRecordID><Correlation/><Execution ProcessID='4' ThreadID='${chance % 9000}'/><Channel>Security</Channel><Computer>${computer}</Computer><Security/></System><EventData>${values.join('')}</EventData></Event>`;
}
