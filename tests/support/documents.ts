/**
 * Takes what a test cares about, gives documents of process starts that both sides hold for valid.
 * Keeps: each call is another event (the record id rises), and `event.id` belongs to the event as it came out.
 */
import { Buffer } from 'node:buffer';
import { eventId, type ProcessStart, systemTimeMs } from '@launchbeat/ecs-schemas';
import { startDocument } from '../../kibana-saved-objects/src/office/start-document.ts';

/** Any part of a document; objects are merged, lists and scalars are replaced, `undefined` takes a field away. */
export type Overrides<T = ProcessStart> = {
  [K in keyof T]?:
    | (T[K] extends readonly unknown[] ? T[K] : T[K] extends object ? Overrides<T[K]> : T[K])
    | undefined;
} & { [key: string]: unknown };

/** The agent that the documents are from unless a test names another one. */
export const TEST_AGENT_ID = '6f1c1f5e-7d9d-4f3e-9d39-4c8f5a0d2b11';
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
  return startDocument({
    time: new Date(FIRST_TIME_MS + (record - 1001) * 1000).toISOString(),
    recordId: record,
    namespace: 'default',
    host: 'pc-042.acme.local',
    computer: 'PC-042.acme.local',
    agent: {
      id: TEST_AGENT_ID,
      name: 'PC-042',
      version: '0.1.0',
      ephemeral_id: '0f2d7c55-3a0e-4bb0-9d52-6b8d3cf0a4de',
    },
    account: {
      id: 'S-1-5-21-3623811015-3361044348-30300820-1013',
      name: 'Иванов',
      domain: 'ACME',
    },
    executable: 'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    pid: 5184,
    args: '--profile-directory=Default',
    parent: { executable: 'C:\\Windows\\explorer.exe', pid: 3920 },
    program: 'Google Chrome',
    launch: true,
    elevation: '%%1938',
    integrity: 'S-1-16-8192',
  });
}
