/**
 * Takes what a test cares about, gives documents of process starts that both sides hold for valid.
 * Keeps: each call is another event (the record id rises), and `event.id` belongs to the event as it came out.
 */
import { Buffer } from 'node:buffer';
import { ECS_VERSION, eventId, type ProcessStart, systemTimeMs } from '@launchbeat/ecs-schemas';

/** Any part of a document; objects are merged, lists and scalars are replaced, `undefined` takes a field away. */
export type Overrides<T = ProcessStart> = {
  [K in keyof T]?:
    | (T[K] extends readonly unknown[] ? T[K] : T[K] extends object ? Overrides<T[K]> : T[K])
    | undefined;
} & { [key: string]: unknown };

/** The agent that the documents are from unless a test names another one. */
export const TEST_AGENT_ID = '6f1c1f5e-7d9d-4f3e-9d39-4c8f5a0d2b11';
const PROVIDER_GUID = '{54849625-5478-4994-a5ba-3e3b0328c30d}';
/** 2026-11-23 11:03:27 UTC: 14:03:27 in Moscow. */
const FIRST_TIME_MS = Date.UTC(2026, 10, 23, 11, 3, 27);

let recordId = 1000;

/** A valid process start: `ACME\Иванов` starts chrome.exe on PC-042. Later calls give later events, one second apart. */
export function processStart(overrides: Overrides = {}): ProcessStart {
  recordId += 1;
  const document = merge(sample(recordId), overrides) as ProcessStart;
  if (overrides.event?.['id'] === undefined) {
    const timeMs = systemTimeMs(document['@timestamp']);
    if (timeMs !== undefined) document.event.id = idOf(document, timeMs);
  }
  return document;
}

/** The id that the agent would give to a document. */
function idOf(document: ProcessStart, timeMs: number): string {
  return eventId({
    computer: document.winlog.computer_name,
    channel: document.winlog.channel,
    providerGuid: document.winlog.provider_guid,
    recordId: document.winlog.record_id,
    timeMs,
    eventCode: document.event.code,
  });
}

/** Lines as they stand on the wire: one JSON text each, ended by LF. Strings are taken as lines that are there already. */
export function ndjsonLines(documents: readonly (ProcessStart | string)[]): Buffer {
  const lines = documents.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
  return Buffer.from(lines.map((line) => `${line}\n`).join(''), 'utf8');
}

function merge(base: unknown, over: unknown): unknown {
  if (!isObject(base) || !isObject(over)) return over;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) delete merged[key];
    else merged[key] = merge(merged[key], value);
  }
  return merged;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sample(record: number): ProcessStart {
  const time = new Date(FIRST_TIME_MS + (record - 1001) * 1000).toISOString();
  return {
    'log.level': 'info',
    '@timestamp': time,
    agent: {
      id: TEST_AGENT_ID,
      name: 'PC-042',
      type: 'launchbeat',
      version: '0.1.0',
      ephemeral_id: '0f2d7c55-3a0e-4bb0-9d52-6b8d3cf0a4de',
    },
    data_stream: { type: 'logs', dataset: 'system.security_launchbeat', namespace: 'default' },
    event: {
      id: '',
      code: '4688',
      kind: 'event',
      module: 'security',
      provider: 'Microsoft-Windows-Security-Auditing',
      action: 'created-process',
      category: ['process'],
      type: ['start'],
      outcome: 'success',
      created: time,
      sequence: record,
    },
    host: { name: 'pc-042.acme.local', os: { type: 'windows' } },
    message: 'A new process has been created.',
    process: {
      pid: 5184,
      executable: 'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
      name: 'chrome.exe',
      command_line:
        '"C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe" --profile-directory=Default',
      args: [
        'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
        '--profile-directory=Default',
      ],
      args_count: 2,
      parent: { pid: 3920, executable: 'C:\\Windows\\explorer.exe', name: 'explorer.exe' },
    },
    related: { user: ['Иванов'], hosts: ['pc-042.acme.local'] },
    user: { id: 'S-1-5-21-3623811015-3361044348-30300820-1013', name: 'Иванов', domain: 'ACME' },
    winlog: {
      channel: 'Security',
      computer_name: 'PC-042.acme.local',
      provider_name: 'Microsoft-Windows-Security-Auditing',
      provider_guid: PROVIDER_GUID,
      record_id: String(record),
      event_id: '4688',
      version: 2,
      task: 'Process Creation',
      opcode: 'Info',
      keywords: ['Audit Success'],
      logon: { id: '0x3e7a1' },
      process: { pid: 4, thread: { id: 212 } },
      event_data: {
        MandatoryLabel: 'S-1-16-8192',
        TokenElevationType: '%%1938',
        TargetLogonId: '0x0',
      },
    },
    launchbeat: {
      program: 'Google Chrome',
      launch: true,
      actor: {
        id: 'S-1-5-21-3623811015-3361044348-30300820-1013',
        name: 'Иванов',
        domain: 'ACME',
      },
      pair: 'explorer.exe > chrome.exe',
      executable_dir: 'C:\\Program Files\\Google\\Chrome\\Application',
      command_line_length: 82,
    },
    'ecs.version': ECS_VERSION,
  };
}
