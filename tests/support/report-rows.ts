/**
 * Puts agents, facts and alerts into the tables as fleet and commit do, for tests of what comes after.
 */
import { randomUUID } from 'node:crypto';
import type { ISql, JSONValue } from 'postgres';
import { processStart, TEST_AGENT_ID } from './documents.ts';

/** An agent that checked in just now, degraded: auditing is off. Gives its id. */
export async function addAgent(
  sql: ISql,
  options: {
    readonly namespace: string;
    readonly host?: string;
    readonly checkIn?: Readonly<Record<string, unknown>>;
  },
): Promise<string> {
  const id = options.host === undefined ? TEST_AGENT_ID : randomUUID();
  const host = options.host ?? 'pc-042';
  const checkIn = {
    ...{ agent_id: id, namespace: options.namespace, version: '0.1.0', source: 'security-log' },
    started_at: new Date(Date.now() - 3_600_000).toISOString(),
    spool: { pending_bytes: 250, bytes: 500, bytes_max: 1000, segments: 1 },
    ...{ lag_ms: 1500, auditing: { process_creation: false }, counters: { events: 12 } },
    ...options.checkIn,
  };
  await sql`
    insert into agents (id, name, host, os, version, tags, last_seen_at, clock_skew_ms, reasons, check_in)
    values (${id}, ${host.toUpperCase()}, ${host}, 'Windows 10.0.19045 x64', '0.1.0', '{office}', now(), 12,
      '{auditing of process creation is off}', ${sql.json(checkIn as JSONValue)})`;
  return id;
}

/** A fact of an agent. */
export async function addFact(
  sql: ISql,
  fact: {
    readonly agentId: string;
    readonly kind: string;
    readonly from?: number;
    readonly to?: number;
  },
): Promise<void> {
  const { agentId, kind, from = null, to = null } = fact;
  await sql`
    insert into agent_facts (agent_id, fact_id, kind, level, at, count, from_record, to_record, reason, found_by)
    values (${agentId}, ${randomUUID()}, ${kind}, 'error', now() - interval '1 minute', 3, ${from}, ${to}, 'because', 'agent')`;
}

/** A pending alert of an event of its own. Gives its id. */
export async function addAlert(
  sql: ISql,
  options: { readonly fields?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const { event, '@timestamp': time } = processStart();
  const fields = {
    ...{ user: 'Иванов', domain: 'ACME', user_id: 'S-1-5-21-1-2-3-1013', host: 'pc-042' },
    ...{ process: 'chrome.exe', executable: 'C:\\chrome.exe', pid: '5184', parent: 'explorer.exe' },
    ...{ agent: 'PC-042', severity: 'high', labels: 'lateral, night', mitre: 'T1059.001' },
    ...{ program: 'Google Chrome', flags: 'elevated, lolbin', count: '', key: '' },
    ...options.fields,
  };
  const [row] = await sql<{ id: string }[]>`
    insert into alerts (rule_id, event_id, event_timestamp, agent_id, chat_id, fields)
    values ('rule-1', ${event.id}, least(${time}::timestamptz, now() - interval '2 seconds'), ${TEST_AGENT_ID}, '-100', ${sql.json(fields)})
    returning id::text as id`;
  return row?.id ?? '';
}
