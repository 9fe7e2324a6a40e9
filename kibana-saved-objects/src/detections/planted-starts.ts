/**
 * For tests: starts that our detection rules are for, as Windows logs them, made documents by the agent's own mapper, so that the
 * traits are the ones that it sets.
 */
import assert from 'node:assert/strict';
import { type ProcessStart, processStartSchema } from '@launchbeat/ecs-schemas';
import { createMapper } from '../../../agent/src/map/create-mapper.ts';
import { mapConfigSchema } from '../../../agent/src/map/map-config.ts';

/** What sets one start apart; the rest is an ordinary start by Анна on her PC. */
export interface Planted {
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
export function plantedStarts(
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
