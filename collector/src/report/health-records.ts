/**
 * Takes rows of agents, of their facts and of what waits on the server, gives the documents of the stream of health. Pure.
 * Keeps: a row gives the same id whoever writes it and when; kinds of facts and parts of check-ins that are not known here are
 * written all the same.
 */
import {
  type AgentFace,
  type FactLevel,
  type HealthRecord,
  writeHealthRecord,
} from '@launchbeat/ecs-schemas';
import { z } from 'zod';
import { type AgentState, agentState } from '../fleet/agent-state.ts';

const when = z
  .string()
  .transform((text) => new Date(text))
  .pipe(z.date());

const checkInParts = z.looseObject({
  namespace: z.string().optional(),
  started_at: z.string().optional(),
  source: z.string().optional(),
  lag_ms: z.number().optional(),
  spool: z
    .object({
      pending_bytes: z.number(),
      bytes: z.number(),
      bytes_max: z.number(),
      segments: z.number(),
    })
    .optional(),
  auditing: z
    .object({ process_creation: z.boolean().optional(), command_line: z.boolean().optional() })
    .optional(),
  counters: z.record(z.string(), z.number()).optional(),
});

/** A row of agents as the outbox holds it. */
const agentRow = z.looseObject({
  id: z.uuid(),
  name: z.string(),
  host: z.string(),
  os: z.string(),
  version: z.string(),
  tags: z.array(z.string()),
  last_seen_at: when.nullable(),
  clock_skew_ms: z.number().nullable(),
  reasons: z.array(z.string()),
  check_in: checkInParts,
  revoked_at: when.nullable(),
});

const factRow = z.looseObject({
  agent_id: z.uuid(),
  fact_id: z.string(),
  kind: z.string(),
  level: z.enum(['error', 'warn', 'info']),
  at: when,
  until: when.nullable(),
  count: z.number(),
  from_record: z.number().nullable(),
  to_record: z.number().nullable(),
  reason: z.string(),
  found_by: z.string(),
  received_at: when,
});

const queueRow = z.object({
  chunks: z.number(),
  bytes: z.number(),
  lines: z.number(),
  alerts: z.number(),
  reports: z.number(),
  dead_letters: z.number(),
});

/** Parts of a check-in that have fields of their own, or say nothing about health. */
const KNOWN_PARTS = new Set([
  ...['agent_id', 'ephemeral_id', 'sequence', 'sent_at', 'started_at', 'name', 'namespace'],
  ...['version', 'host', 'source', 'spool', 'lag_ms', 'auditing', 'counters'],
]);

const LEVEL_OF_STATE: Readonly<Record<AgentState, FactLevel>> = {
  healthy: 'info',
  degraded: 'warn',
  offline: 'warn',
  revoked: 'info',
};

/** Namespace that a row of agents names. */
export function namespaceOf(source: unknown): string | undefined {
  return z.object({ check_in: checkInParts }).safeParse(source).data?.check_in.namespace;
}

/** The state of an agent at one moment. Throws a ZodError for what is no row of agents. */
export function agentRecord(
  source: unknown,
  about: { readonly at: Date; readonly namespace: string; readonly offlineAfterMs: number },
): HealthRecord {
  const row = agentRow.parse(source);
  const { at, namespace, offlineAfterMs } = about;
  const lastSeenMs = row.last_seen_at?.getTime();
  const standing = { revoked: row.revoked_at !== null, lastSeenMs, reasons: row.reasons };
  const state = agentState(standing, at.getTime(), offlineAfterMs);
  const reasons = state === 'degraded' ? row.reasons : [];
  const reason = reasons.join('; ');
  return writeHealthRecord({
    ...{ at, namespace, reason, tags: row.tags, knownAt: at },
    key: ['agent', row.id],
    action: 'agent-state',
    level: LEVEL_OF_STATE[state],
    message: `${row.name || row.host || row.id} is ${state}${reason === '' ? '' : `: ${reason}`}`,
    agent: { ...row, name: row.name || row.host },
    health: {
      record: 'agent',
      state,
      reasons,
      ...(lastSeenMs === undefined
        ? {}
        : {
            last_seen: new Date(lastSeenMs).toISOString(),
            silent_ms: Math.max(0, at.getTime() - lastSeenMs),
          }),
      // What an agent said long ago says nothing of now.
      ...(state === 'healthy' || state === 'degraded' ? lately(row) : {}),
    },
  });
}

/** What the last check-in said. */
function lately({ check_in: said, clock_skew_ms: clockSkewMs }: z.infer<typeof agentRow>) {
  const { spool } = said;
  const more = Object.entries(said).filter(([key]) => !KNOWN_PARTS.has(key));
  const isFull = spool !== undefined && spool.bytes_max > 0;
  return {
    ...(clockSkewMs === null ? {} : { clock_skew_ms: Math.round(clockSkewMs) }),
    ...(said.lag_ms === undefined ? {} : { lag_ms: said.lag_ms }),
    ...(said.started_at === undefined ? {} : { started: said.started_at }),
    ...(said.source === undefined ? {} : { source: said.source }),
    ...(spool === undefined
      ? {}
      : {
          spool: {
            ...spool,
            ...(isFull
              ? { used_percent: Math.round((100 * spool.pending_bytes) / spool.bytes_max) }
              : {}),
          },
        }),
    ...(said.auditing === undefined ? {} : { auditing: said.auditing }),
    ...(said.counters === undefined ? {} : { counters: said.counters }),
    ...(more.length === 0 ? {} : { more: Object.fromEntries(more) }),
  };
}

/** Something that happened to an agent. Throws a ZodError for what is no row of agent_facts. */
export function factRecord(
  source: unknown,
  about: { readonly agent: AgentFace; readonly namespace: string },
): HealthRecord {
  const row = factRow.parse(source);
  const { agent, namespace } = about;
  const { from_record: from, to_record: to, kind, level, reason } = row;
  const range = from === null ? '' : ` (records ${from} to ${to ?? from})`;
  return writeHealthRecord({
    ...{ at: row.at, knownAt: row.received_at, end: row.until, namespace, agent, level, reason },
    key: ['fact', row.agent_id, row.fact_id],
    action: kind,
    message: `${agent.name || agent.id}: ${kind}${range}${reason === '' ? '' : `: ${reason}`}`,
    health: {
      record: 'fact',
      fact: {
        ...{ kind, level, count: row.count, found_by: row.found_by },
        ...(from === null ? {} : { from }),
        ...(to === null ? {} : { to }),
      },
    },
  });
}

/** What waits on the server at one moment. Throws a ZodError for what says no such thing. */
export function serverRecord(
  source: unknown,
  about: { readonly at: Date; readonly namespace: string },
): HealthRecord {
  const queue = queueRow.parse(source);
  const { at, namespace } = about;
  return writeHealthRecord({
    ...{ at, namespace, knownAt: at, key: ['server'], action: 'server-queues', level: 'info' },
    message: `${queue.chunks} chunks wait for Elasticsearch, ${queue.alerts} messages for Telegram`,
    health: { record: 'server', queue },
  });
}
