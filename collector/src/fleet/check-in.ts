/**
 * Takes a check-in, keeps what it says of the agent and its facts; gives the answer. Tables agents, agent_facts.
 * Keeps: one transaction, so that an answer means that every fact is stored; a check-in that comes again changes nothing but the
 * time.
 */
import type { CheckIn, CheckInAnswer, HealthFact } from '@launchbeat/ecs-schemas';
import type { JSONValue, Sql, TransactionSql } from 'postgres';
import { z } from 'zod';
import { agentProcessSchema, judgeProcesses, type ProcessFinding } from './agent-processes.ts';
import { agentState, CLOCK_SKEW_MS_MAX, degradedReasons } from './agent-state.ts';
import { type NewFact, recentFacts, storeFacts } from './facts.ts';
import { followName } from './follow-name.ts';
import type { Key } from './keys.ts';

export interface CheckInOptions {
  readonly sql: Sql;
  readonly offlineAfterMs: number;
  /** Unix milliseconds, for tests. */
  readonly now?: () => number;
}

export interface CheckedIn {
  readonly answer: CheckInAnswer;
  /** Facts that were not known, of the agent and about it. */
  readonly facts: readonly NewFact[];
}

/** A row of agents. */
interface AgentRow {
  readonly processes: unknown;
  readonly machine: string;
  readonly revoked_at: Date | null;
  readonly rotate_asked_at: Date | null;
}

const HOUR_MS = 3_600_000;

/** Stores a check-in that came under a key of this very agent. Rejects when PostgreSQL cannot be asked. */
export async function storeCheckIn(
  options: CheckInOptions,
  checkIn: CheckIn,
  key: Key,
): Promise<CheckedIn> {
  const nowMs = (options.now ?? Date.now)();
  return await options.sql.begin(async (sql) => {
    const row = await lockAgent(sql, checkIn.agent_id);
    const clockSkewMs = Date.parse(checkIn.sent_at) - nowMs;
    const { processes, finding } = judgeProcesses(processesOf(row.processes), {
      ...{
        id: checkIn.ephemeral_id,
        host: checkIn.host.name,
        machine: checkIn.host.machine,
        nowMs,
      },
    });
    const foreign = await followName(sql, {
      ...{ agentId: checkIn.agent_id, key, host: checkIn.host.name },
      ...{ machine: checkIn.host.machine, machineBefore: row.machine },
    });
    const receivedAt = new Date(nowMs);
    const { agent_id: agentId } = checkIn;
    const facts = [
      ...(await storeFacts(sql, agentId, checkIn.facts, { foundBy: 'agent', receivedAt })),
      ...(await storeFacts(sql, agentId, ownFacts({ finding, foreign, clockSkewMs }, nowMs), {
        ...{ foundBy: 'collector', receivedAt },
      })),
    ];
    const recent = await recentFacts(sql, agentId, nowMs);
    const reasons = degradedReasons({ checkIn, clockSkewMs, facts: recent });
    const { facts: _, ...kept } = checkIn;
    await sql`
      update agents set name = ${checkIn.name === '' ? key.name : checkIn.name}, host = ${checkIn.host.name},
        os = ${checkIn.host.os}, machine = ${machineOf(row, checkIn, foreign)}, version = ${checkIn.version}, reasons = ${reasons},
        first_seen_at = coalesce(first_seen_at, ${receivedAt}), last_seen_at = ${receivedAt},
        clock_skew_ms = ${Math.round(clockSkewMs)}, check_in = ${sql.json(kept as JSONValue)},
        processes = ${sql.json(processes as unknown as JSONValue)}
      where id = ${agentId}`;
    const standing = { revoked: row.revoked_at !== null, lastSeenMs: nowMs, reasons };
    const state = agentState(standing, nowMs, options.offlineAfterMs);
    const server_time = receivedAt.toISOString();
    const rotate = row.rotate_asked_at === null ? {} : { rotate_key: true };
    const answer = { server_time, clock_skew_ms: clockSkewMs, state, reasons, ...rotate };
    return { answer, facts };
  });
}

/** The agent's row, made where it is missing, locked until the end. */
async function lockAgent(sql: TransactionSql, agentId: string): Promise<AgentRow> {
  await sql`insert into agents (id) values (${agentId}) on conflict (id) do nothing`;
  const [row] = await sql<AgentRow[]>`
    select processes, machine, revoked_at, rotate_asked_at from agents where id = ${agentId} for update`;
  if (row === undefined) throw new Error(`Row of agent ${agentId} vanished.`);
  return row;
}

/** What cannot be read is begun anew. */
function processesOf(value: unknown) {
  return z.array(agentProcessSchema).catch([]).parse(value);
}

/** The machine that the agent enrolled on, or first said under a name of its own: another one never takes its place by itself. */
function machineOf(row: AgentRow, checkIn: CheckIn, foreign: string | undefined): string {
  return row.machine === '' && foreign === undefined ? checkIn.host.machine : row.machine;
}

/** What this collector finds out by itself; the same trouble is one fact an hour. */
function ownFacts(
  about: {
    readonly finding: ProcessFinding | undefined;
    readonly foreign: string | undefined;
    readonly clockSkewMs: number;
  },
  nowMs: number,
): HealthFact[] {
  const { finding, foreign, clockSkewMs } = about;
  const at = new Date(nowMs).toISOString();
  const hour = Math.floor(nowMs / HOUR_MS);
  const facts: HealthFact[] = [];
  if (finding !== undefined) {
    const { kind, reason } = finding;
    const level = kind === 'renamed' ? 'info' : 'error';
    // A new name is one fact each time; a clone goes on and on.
    const id = `${kind}-${kind === 'cloned' ? hour : nowMs}`;
    facts.push({ id, kind, level, at, count: 1, reason });
  }
  if (foreign !== undefined) {
    const kind = 'foreign_host';
    facts.push({ id: `name-${hour}`, kind, level: 'error', at, count: 1, reason: foreign });
  }
  if (Math.abs(clockSkewMs) > CLOCK_SKEW_MS_MAX) {
    const seconds = Math.round(clockSkewMs / 1000);
    const reason = `Clock of the PC is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead' : 'behind'}`;
    facts.push({
      id: `clock_skew-${hour}`,
      kind: 'clock_skew',
      level: 'warn',
      at,
      count: 1,
      reason,
    });
  }
  return facts;
}
