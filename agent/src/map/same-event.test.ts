/**
 * Goal: a record gives the same document whether it comes from the live log, from XML or from a saved log, but for the digits of
 * its time that the reader of saved logs cuts off. Method: real .evtx records against the XML that Windows prints of them.
 */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { type ProcessStart, systemTimeMs } from '@launchbeat/ecs-schemas';
import { SILENT_LOG, settlePaths } from '@launchbeat/ecs-schemas/beat';
import { corpusFolder } from '../../../tests/support/corpus.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { captureConfigSchema } from '../capture/capture-config.ts';
import { openSource } from '../capture/open-source.ts';
import { createMapper } from './create-mapper.ts';
import { mapConfigSchema } from './map-config.ts';

const mapper = createMapper({
  config: mapConfigSchema.parse({
    select: 'all',
    exclude: { system_accounts: false, helper_processes: false },
  }),
  agent: {
    id: '4f0b7c1e-58a3-4d0e-9a6b-2f6a1c9d7e55',
    name: 'x',
    version: '0.1.0',
    ephemeralId: '0d2b9a3c-7f41-4f5e-8a57-6c1d2e3f4a5b',
  },
  namespace: 'default',
});

async function documentsOf(source: 'evtx' | 'replay', file: string): Promise<ProcessStart[]> {
  const config = captureConfigSchema.parse({ source, files: [file] });
  const context = { log: SILENT_LOG, stdin: Readable.from([]), paths: settlePaths('/nowhere') };
  const documents: ProcessStart[] = [];
  for await (const batch of openSource(config, context).batches(
    undefined,
    new AbortController().signal,
  )) {
    for (const event of batch.events) {
      const outcome = mapper.map({ ...event, readAtMs: 0 });
      assert.ok(outcome.outcome === 'done', JSON.stringify(outcome));
      documents.push(outcome.document);
    }
  }
  return documents;
}

function savedLog(t: TestContext, name: string): string | undefined {
  const file = join(corpusFolder(), 'evtx', name);
  if (existsSync(file)) return file;
  t.skip(`${file} is not there; set LAUNCHBEAT_CORPUS to test with real logs`);
  return undefined;
}

/** Written out by hand as EvtRender prints them; the first one's time has the digits that another reader of the file gives. */
const asWindowsPrints = (parts: {
  time: string;
  record: number;
  thread: number;
  subject: readonly [string, string, string];
  pid: string;
  image: string;
  parent: string;
}): string =>
  "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>" +
  "<Provider Name='Microsoft-Windows-Security-Auditing' Guid='{54849625-5478-4994-A5BA-3E3B0328C30D}'/>" +
  '<EventID>4688</EventID><Version>1</Version><Level>0</Level><Task>13312</Task><Opcode>0</Opcode>' +
  `<Keywords>0x8020000000000000</Keywords><TimeCreated SystemTime='${parts.time}'/>` +
  `<EventRecordID>${parts.record}</EventRecordID><Correlation/><Execution ProcessID='4' ThreadID='${parts.thread}'/>` +
  '<Channel>Security</Channel><Computer>PC01.example.corp</Computer><Security/></System><EventData>' +
  `<Data Name='SubjectUserSid'>${parts.subject[0]}</Data><Data Name='SubjectUserName'>${parts.subject[1]}</Data>` +
  `<Data Name='SubjectDomainName'>EXAMPLE</Data><Data Name='SubjectLogonId'>${parts.subject[2]}</Data>` +
  `<Data Name='NewProcessId'>${parts.pid}</Data><Data Name='NewProcessName'>${parts.image}</Data>` +
  `<Data Name='TokenElevationType'>%%1936</Data><Data Name='ProcessId'>${parts.parent}</Data>` +
  "<Data Name='CommandLine'></Data></EventData></Event>";

const LINES = [
  asWindowsPrints({
    time: '2019-02-13T18:01:47.5624120Z',
    record: 227695,
    thread: 56,
    subject: ['S-1-5-18', 'PC01$', '0x3e7'],
    pid: '0x1fc',
    image: 'C:\\Windows\\System32\\TSTheme.exe',
    parent: '0x278',
  }),
  asWindowsPrints({
    time: '2019-02-13T18:03:28.3180000Z',
    record: 227714,
    thread: 56,
    subject: ['S-1-5-21-1587066498-1489273250-1035260531-1106', 'user01', '0x2ed80'],
    pid: '0xcfc',
    image: 'C:\\Users\\user01\\Desktop\\plink.exe',
    parent: '0xe60',
  }),
];

test('a saved record and the XML that Windows prints of it give one document, but for digits of the time', async (t) => {
  const file = savedLog(t, 'DE_RDP_Tunnel_5156.evtx');
  if (file === undefined) return;
  const xmlFile = join(temporaryFolder(t), 'events.xml');
  writeFileSync(xmlFile, LINES.join('\n'));
  const saved = new Map((await documentsOf('evtx', file)).map((one) => [one.event.id, one]));
  const printed = await documentsOf('replay', xmlFile);
  assert.equal(printed.length, LINES.length);
  for (const document of printed) {
    const same = saved.get(document.event.id);
    assert.ok(same !== undefined, `no saved record has the id of ${document.winlog.record_id}`);
    assert.equal(systemTimeMs(document['@timestamp']), systemTimeMs(same['@timestamp']));
    const time = same['@timestamp'];
    assert.equal(JSON.stringify({ ...document, '@timestamp': time }), JSON.stringify(same));
  }
});
