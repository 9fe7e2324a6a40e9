/**
 * Takes rows of the outbox, gives the documents that they become, each with its data stream; what cannot become one is refused with
 * the reason.
 * Keeps: a document goes to the namespace of the events that it is about, so that who may not see those does not see it either.
 */
import {
  type AgentFace,
  type AlertRecord,
  alertRecordSchema,
  type HealthRecord,
  healthRecordSchema,
  type StreamKey,
} from '@launchbeat/ecs-schemas';
import { ZodError, z } from 'zod';
import type { Sql } from '../commit/database.ts';
import { type AlertNames, alertRecord } from './alert-records.ts';
import { agentRecord, factRecord, namespaceOf, serverRecord } from './health-records.ts';
import type { RefusedRow, ReportRow } from './report-rows.ts';

export interface WriteContext {
  readonly sql: Sql;
  /** Namespaces that the collector takes; the first is for what belongs to none. */
  readonly namespaces: readonly string[];
  readonly offlineAfterMs: number;
  readonly names: AlertNames;
}

/** A document on its way. */
export interface Report {
  /** Of the row in the outbox. */
  readonly rowId: string;
  readonly stream: StreamKey;
  readonly namespace: string;
  readonly record: HealthRecord | AlertRecord;
}

export interface Written {
  readonly reports: readonly Report[];
  readonly refused: readonly RefusedRow[];
}

/** What the tables know of the agents and events that rows are about. */
interface Surroundings {
  readonly agents: ReadonlyMap<string, AgentFace & { readonly namespace: string | null }>;
  /** Namespace of an event, by its id. */
  readonly events: ReadonlyMap<string, string>;
}

const aboutAgent = z.object({ agent_id: z.string() });
const aboutEvent = z.object({ event_id: z.string(), event_timestamp: z.string() });

/** Writes the documents of some rows. Rejects when PostgreSQL cannot be asked. */
export async function writeReports(
  rows: readonly ReportRow[],
  context: WriteContext,
): Promise<Written> {
  const { sql } = context;
  const around = { agents: await readAgents(sql, rows), events: await readEvents(sql, rows) };
  const reports: Report[] = [];
  const refused: RefusedRow[] = [];
  for (const row of rows) {
    try {
      reports.push(reportOf(row, context, around));
    } catch (error) {
      if (!(error instanceof ZodError)) throw error;
      const [issue] = error.issues;
      const reason = `cannot be written: ${issue?.path.join('.')}: ${issue?.message}`;
      refused.push({ id: row.id, reason });
    }
  }
  return { reports, refused };
}

function reportOf(row: ReportRow, context: WriteContext, around: Surroundings): Report {
  const record = recordOf(row, context, around);
  const { namespace } = record.data_stream;
  const stream = row.kind === 'alert' ? 'alerts' : 'health';
  return { rowId: row.id, stream, namespace, record };
}

function recordOf(row: ReportRow, context: WriteContext, around: Surroundings): Report['record'] {
  const { at, source, action } = row;
  const { offlineAfterMs, names } = context;
  const allowed = (namespace: string | null | undefined): string => namespaceIn(context, namespace);
  switch (row.kind) {
    case 'agent':
      return healthRecordSchema.parse(
        agentRecord(source, { at, namespace: allowed(namespaceOf(source)), offlineAfterMs }),
      );
    case 'server':
      return healthRecordSchema.parse(serverRecord(source, { at, namespace: allowed(undefined) }));
    case 'fact': {
      const agent = agentOf(source, around);
      const namespace = allowed(agent.namespace);
      return healthRecordSchema.parse(factRecord(source, { agent, namespace }));
    }
    case 'alert': {
      const { event_id: eventId } = aboutEvent.parse(source);
      const namespace = allowed(around.events.get(eventId) ?? agentOf(source, around).namespace);
      return alertRecordSchema.parse(alertRecord(source, { action, at, namespace, names }));
    }
  }
}

function namespaceIn({ namespaces }: WriteContext, wanted: string | null | undefined): string {
  const [first = 'default'] = namespaces;
  return wanted != null && namespaces.includes(wanted) ? wanted : first;
}

/** An agent that only has a key has no row, and nothing but its id. */
function agentOf(source: unknown, { agents }: Surroundings) {
  const { agent_id: id } = aboutAgent.parse(source);
  return agents.get(id) ?? { id, name: '', host: '', os: '', version: '', namespace: null };
}

async function readAgents(sql: Sql, rows: readonly ReportRow[]): Promise<Surroundings['agents']> {
  const ids = rows.flatMap(({ source }) => aboutAgent.safeParse(source).data?.agent_id ?? []);
  if (ids.length === 0) return new Map();
  const found = await sql<(AgentFace & { namespace: string | null })[]>`
    select id, name, host, os, version, check_in ->> 'namespace' as namespace
    from agents where id = any(${[...new Set(ids)]}::uuid[])`;
  return new Map(found.map((one) => [one.id, { ...one, name: one.name || one.host }]));
}

/** The namespace that the chunk of an alert's event was for; events that are past their retention have none. */
async function readEvents(sql: Sql, rows: readonly ReportRow[]): Promise<Surroundings['events']> {
  const keys = rows.flatMap(({ source }) => aboutEvent.safeParse(source).data ?? []);
  if (keys.length === 0) return new Map();
  const found = await sql<{ event_id: string; namespace: string }[]>`
    select distinct events.event_id, chunks.namespace
    from unnest(${keys.map((one) => one.event_timestamp)}::timestamptz[], ${keys.map((one) => one.event_id)}::text[])
      as asked (at, id)
    join events on events."timestamp" = asked.at and events.event_id = asked.id
    join chunks on chunks.id = events.chunk_id`;
  return new Map(found.map((one) => [one.event_id, one.namespace]));
}
